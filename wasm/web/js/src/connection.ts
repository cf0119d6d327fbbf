/** The page's end: gathers the calls of one microtask, sends them as one message, settles each. */

import { type Answer, AnswerReader } from "./answers.js";
import { textOf } from "./answers.js";
import { CHANGE, COPIED_BYTES } from "./codes.js";
import { closed, fromWire, TailstoneError } from "./errors.js";
import type { CallName, Calls, Event, OpenArguments, Opened, Reply, Request } from "./protocol.js";
import { RequestWriter } from "./request.js";

/** Where requests go and answers come from. */
export interface Channel {
  post(request: Request, moved: Transferable[]): void;
  listen(hear: (message: Reply | Event) => void, failed: (error: TailstoneError) => void): void;
  end(): void;
}

/** A change of a key, in any tab. */
export interface Change {
  bucket: string | undefined;
  type: "set" | "delete" | "clear" | "resync";
  key: Uint8Array | undefined;
}

interface Waiting {
  read: (answer: Answer) => unknown;
  resolve: (result: never) => void;
  reject: (error: unknown) => void;
}

type Sent = Waiting[] | Waiting;

export class Connection {
  readonly #channel: Channel;
  readonly #sent = new Map<number, Sent>();
  readonly #watchers = new Set<(change: Change) => void>();
  #next = 0;
  #writer: RequestWriter | undefined;
  #strict = false;
  #room = 1024;
  #waiting: Waiting[] = [];
  #ended: TailstoneError | undefined;
  #users = 0;
  #onend: () => void = () => {};
  /** A buffer that a value was moved in and that came back. Memory that is new costs a MiB as much as copying it thrice. */
  #spare: WeakRef<ArrayBuffer> | undefined;
  /** Why the store does not outlive the page, if it does not. */
  degraded: TailstoneError | undefined;

  private constructor(channel: Channel) {
    this.#channel = channel;
    channel.listen(
      (message) => this.#hear(message),
      (error) => this.end(error),
    );
  }

  static async open(channel: Channel, options: OpenArguments, onend: () => void): Promise<[Connection, Opened]> {
    const connection = new Connection(channel);
    connection.#onend = onend;
    try {
      return [connection, await connection.call("open", options)];
    } catch (error) {
      connection.end(closed());
      throw error;
    }
  }

  /** Counts one more who uses it. */
  use(): void {
    this.#users++;
  }

  /** The last who used it closes it. */
  async leave(): Promise<void> {
    if (--this.#users > 0 || this.#ended !== undefined) return;
    this.#onend();
    try {
      await this.call("close", {});
    } finally {
      this.end(closed());
    }
  }

  /**
   * Sends an op with the others of this microtask; `write` puts it into the message at once. `once` is said of what must
   * not be done twice.
   */
  ops<R>(strict: boolean, write: (writer: RequestWriter) => void, read: (answer: Answer) => R, once = false): Promise<R> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      if (this.#writer === undefined || this.#strict !== strict || once) {
        this.#send();
        this.#writer = new RequestWriter(this.#room);
        this.#strict = strict;
        queueMicrotask(() => this.#send());
      }
      write(this.#writer);
      this.#waiting.push({ read, resolve, reject });
      if (once) this.#send(true);
    });
  }

  /** Sends a call of its own, behind the ops that wait. */
  call<C extends CallName>(
    call: C,
    given: Calls[C]["arguments"],
    { moved = [], strict = false, once = false }: { moved?: Transferable[]; strict?: boolean; once?: boolean } = {},
  ): Promise<Calls[C]["result"]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      this.#send();
      this.#post({ id: this.#next++, call, arguments: given, strict, once }, moved, { read: () => undefined, resolve, reject });
    });
  }

  /** A copy in a buffer that can be moved away, and that may be longer. */
  copyOf(bytes: Uint8Array): ArrayBuffer {
    const spare = this.#spare?.deref();
    this.#spare = undefined;
    if (spare === undefined || spare.byteLength < bytes.length) return bytes.slice().buffer as ArrayBuffer;
    new Uint8Array(spare).set(bytes);
    return spare;
  }

  /** Calls `watcher` at every change in any tab, until the returned function is called. */
  watch(watcher: (change: Change) => void): () => void {
    const tell = (on: boolean) => void this.call("watch", { on }).catch(() => {});
    if (this.#watchers.add(watcher).size === 1) tell(true);
    return () => {
      if (this.#watchers.delete(watcher) && this.#watchers.size === 0) tell(false);
    };
  }

  /** Ends it; what still waits, and every later call, fails with `reason`. */
  end(reason: TailstoneError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#channel.end();
    this.#onend();
    for (const { reject } of [...this.#sent.values(), this.#waiting].flat()) reject(reason);
    this.#sent.clear();
    this.#waiting = [];
    this.#writer = undefined;
  }

  #send(once = false): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    const waiting = this.#waiting;
    this.#writer = undefined;
    this.#waiting = [];
    // The next message is most likely of about the same length.
    this.#room = Math.min(Math.max(1024, writer.length), 1 << 20);
    const { buffer: ops, length } = writer;
    if (waiting.length > 0) this.#post({ id: this.#next++, ops, length, strict: this.#strict, once }, ops.byteLength > COPIED_BYTES ? [ops] : [], waiting);
  }

  #post(request: Request, moved: Transferable[], waiting: Sent): void {
    this.#sent.set(request.id, waiting);
    this.#channel.post(request, moved);
  }

  #hear(message: Reply | Event): void {
    if ("changes" in message) this.#tell(message.changes);
    else if ("resync" in message) for (const watcher of this.#watchers) watcher({ bucket: undefined, type: "resync", key: undefined });
    else if ("degraded" in message) this.degraded = fromWire(message.degraded);
    else {
      const waiting = this.#sent.get(message.id);
      this.#sent.delete(message.id);
      if ("spare" in message && message.spare !== undefined) this.#spare = new WeakRef(message.spare);
      if (waiting !== undefined) settle(waiting, message);
    }
  }

  #tell(changes: ArrayBuffer): void {
    const view = new DataView(changes);
    for (let at = 0; at < changes.byteLength; ) {
      const [bucketLength, keyLength] = [view.getUint32(at + 4, true), view.getUint32(at + 8, true)];
      const type = CHANGE[view.getUint32(at, true)];
      const key = at + 12 + bucketLength;
      const bucket = textOf(new Uint8Array(changes, at + 12, bucketLength));
      at = (key + keyLength + 3) & ~3;
      if (!type) continue;
      const change: Change = { bucket, type, key: type === "clear" ? undefined : new Uint8Array(changes, key, keyLength) };
      for (const watcher of this.#watchers) watcher(change);
    }
  }
}

function settle(waiting: Sent, reply: Reply): void {
  if ("answers" in reply) {
    const reader = new AnswerReader(reply.answers, reply.large);
    for (const { read, resolve, reject } of [waiting].flat()) {
      try {
        const answer = reader.next();
        const { error } = answer;
        if (error === undefined) resolve(read(answer) as never);
        else reject(error);
      } catch (error) {
        reject(error);
      }
    }
  } else {
    for (const { resolve, reject } of [waiting].flat()) {
      if ("error" in reply) reject(fromWire(reply.error));
      else resolve(reply.ok as never);
    }
  }
}
