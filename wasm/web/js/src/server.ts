/**
 * Carries out requests of all tabs on one open store, in the order in which they came, and answers each.
 *
 * What is asked for strictly is answered after a flush, which all that wait at that moment share; anything else is answered
 * at once, handed to the system right behind the answer, or with what comes within a few milliseconds, and flushed at most
 * `RELAXED_MS` later. So a page that leaves with its answer leaves nothing behind that was accepted.
 */

import { COPIED_BYTES } from "./codes.js";
import { codeOf, closed, TailstoneError, toWire } from "./errors.js";
import type { Holder } from "./holder.js";
import type { Calls, CallRequest, Event, OpsRequest, Place, PutArguments, Reply, Request } from "./protocol.js";
import { withRetried } from "./retry.js";

/** The longest that a relaxed change is kept from stable storage, in milliseconds. */
export const RELAXED_MS = 100;
/** How often a browser is handed what is gathered, in milliseconds: each time takes it 60 to 80 µs. Node gets it at once. */
const HAND_OVER_MS = 5;
/** With so much gathered a call more is nothing, and it is made while the page has its answer. */
const HAND_OVER_BYTES = 128 << 10;
/** Smaller files are not compacted by themselves. */
const COMPACTED_FROM_BYTES = 4 << 20;

/** Who asks. */
export interface Client {
  send(message: Reply | Event, moved: Transferable[]): void;
}

type Task = () => void | Promise<void>;

export class Server {
  readonly #holder: Holder;
  readonly #compactAt: number;
  readonly #handOverMs: number;
  readonly #tasks: Task[] = [];
  #running = false;
  /** Answers that wait for a flush. */
  #strict: { client: Client; reply: Reply; moved: Transferable[] }[] = [];
  #flushing = false;
  #touched = false;
  /** When the system was last handed something. */
  #handed = 0;
  #handing: ReturnType<typeof setTimeout> | undefined;
  #relaxed: ReturnType<typeof setTimeout> | undefined;
  readonly #watching = new Set<Client>();
  /** Length of the file when it was last found not to be worth a compaction. */
  #lookedAt = 0;
  /** Why it carries nothing out any more. */
  #ended: TailstoneError | undefined;
  /** Called when the engine failed in a way that leaves its memory in doubt. */
  onbroken: (() => void) | undefined;

  constructor(holder: Holder, compactAt: number) {
    this.#holder = holder;
    this.#handOverMs = holder.opened().backend === "opfs" ? HAND_OVER_MS : 0;
    this.#compactAt = compactAt;
  }

  receive(client: Client, request: Request): void {
    this.#do(() => {
      const failed = (error: unknown) => {
        this.#noteTrap(error);
        client.send({ id: request.id, error: toWire(error) }, []);
      };
      try {
        if (this.#ended !== undefined) throw this.#ended;
        const carried = "ops" in request ? this.#ops(client, request) : this.#call(client, request);
        return carried?.catch(failed);
      } catch (error) {
        return failed(error);
      }
    });
  }

  /** Compacts, after what was asked for before. */
  compact(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#do(() => this.#holder.compact().then(resolve, reject));
    });
  }

  /** Forgets who has gone. */
  leave(client: Client): void {
    if (this.#watching.delete(client)) this.#watch();
  }

  /** Flushes and closes, after what was asked for before. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#do(async () => {
        if (this.#ended !== undefined) return resolve();
        clearTimeout(this.#relaxed);
        try {
          if (this.#strict.length > 0) await this.#flushStrict();
          this.#ended = closed();
          await this.#holder.close();
          resolve();
        } catch (error) {
          this.#ended = closed();
          reject(error);
        }
      });
    });
  }

  /** Runs a task behind those that wait. */
  #do(task: Task): void {
    this.#tasks.push(task);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) {
      const going = task();
      // Tasks that need not wait cost no turn.
      if (going !== undefined) await going;
      this.#schedule();
    }
    this.#handOver();
    this.#running = false;
  }

  /** To be called after the engine was used past this server, as a worker's own code may. */
  touched(): void {
    this.#tell();
    this.#schedule();
    if (this.#touched) return;
    this.#touched = true;
    queueMicrotask(() => {
      this.#touched = false;
      this.#handOver();
    });
  }

  /** Hands what is gathered to the system, where it outlives this page, at once or a moment later. */
  #handOver(): void {
    if (this.#ended !== undefined || this.#flushing || this.#handing !== undefined) return;
    const gathered = this.#holder.engine.store.gathered();
    if (gathered === 0) return;
    const wait = this.#handed + this.#handOverMs - performance.now();
    if (wait <= 0 || gathered >= HAND_OVER_BYTES) return this.#drain();
    this.#handing = setTimeout(() => {
      this.#handing = undefined;
      this.#do(() => this.#drain());
    }, wait);
  }

  #drain(): void {
    if (this.#ended !== undefined) return;
    try {
      this.#holder.engine.store.drain();
    } catch (error) {
      // Nothing is lost yet: the flush tries again, and says so to those who wait for it.
      this.#noteTrap(error);
    }
    this.#handed = performance.now();
  }

  /** Sees to it that what was changed is flushed in time, however many tasks come. */
  #schedule(): void {
    if (this.#ended !== undefined) return;
    if (this.#strict.length > 0 && !this.#flushing) {
      this.#flushing = true;
      soon(() => this.#do(() => this.#flushStrict()));
    }
    if (this.#relaxed === undefined && this.#holder.engine.store.unflushed() > 0) {
      this.#relaxed = setTimeout(() => {
        this.#relaxed = undefined;
        this.#do(() => this.#flushRelaxed());
      }, RELAXED_MS);
    }
  }

  #ops(client: Client, request: OpsRequest): void | Promise<void> {
    const { ops, length, id, strict } = request;
    const ran = this.#holder.run(ops, length);
    this.#tell();
    const send = ({ answers, large }: typeof ran) => {
      const moved = answers.byteLength > COPIED_BYTES ? [answers, ...large] : large;
      this.#answer(client, { id, answers, large }, moved, strict);
    };
    if (this.#holder.engine.store.refused() === 0) return send(ran);
    // The browser grants no more space. What was refused is tried once more if a compaction gives some back.
    return this.#makeRoom().then((room) => send(room ? withRetried(this.#holder.engine, ops, length, ran) : ran));
  }

  async #call(client: Client, { id, call, arguments: given, strict }: CallRequest): Promise<void> {
    const holder = this.#holder;
    let ok: unknown;
    let spare: ArrayBuffer | undefined;
    switch (call) {
      case "put": {
        const put = given as PutArguments;
        ok = await this.#orMakeRoom(() => holder.put(put));
        if (put.value instanceof ArrayBuffer) spare = put.value;
        break;
      }
      case "spool":
        ok = await holder.spool();
        break;
      case "piece": {
        const { spool, bytes } = given as Calls["piece"]["arguments"];
        ok = holder.piece(spool, bytes);
        break;
      }
      case "putSpool": {
        const { spool, ...where } = given as Place & { spool: number };
        ok = await holder.putSpool(spool, where);
        break;
      }
      case "dropSpool":
        ok = await holder.dropSpool((given as { spool: number }).spool);
        break;
      case "hold":
        ok = holder.hold(given as Calls["hold"]["arguments"]);
        break;
      case "read": {
        const { held, offset, length } = given as Calls["read"]["arguments"];
        ok = holder.read(held, offset, length);
        break;
      }
      case "letGo":
        ok = await holder.letGo((given as { held: number }).held);
        break;
      case "flush":
        this.#answer(client, { id, ok: undefined }, [], true);
        return;
      case "stats":
        ok = { ...holder.engine.stats(), unflushedBytes: holder.engine.store.unflushed() };
        break;
      case "verify":
        ok = holder.engine.verify();
        break;
      case "compact":
        ok = await holder.compact();
        break;
      case "import":
        ok = await holder.import(given as Calls["import"]["arguments"]);
        this.#watch();
        for (const other of this.#watching) other.send({ resync: true }, []);
        break;
      case "watch":
        if ((given as { on: boolean }).on) this.#watching.add(client);
        else this.#watching.delete(client);
        this.#watch();
        break;
      default:
        throw new TailstoneError("invalid", `there is no call ${call}`);
    }
    this.#tell();
    const moved = [ok, spare].filter((part) => part instanceof ArrayBuffer);
    this.#answer(client, { id, ok, spare }, moved, strict);
  }

  #answer(client: Client, reply: Reply, moved: Transferable[], strict: boolean): void {
    if (strict) this.#strict.push({ client, reply, moved });
    else client.send(reply, moved);
  }

  #watch(): void {
    this.#holder.engine.store.watch(this.#watching.size > 0);
  }

  /** Tells those who watch what the last change touched. */
  #tell(): void {
    if (this.#watching.size === 0) return;
    const changes = this.#holder.engine.changes();
    if (changes === undefined) return;
    for (const client of this.#watching) client.send({ changes: changes.slice(0) }, []);
  }

  async #flushStrict(): Promise<void> {
    const waiting = this.#strict;
    this.#strict = [];
    this.#flushing = false;
    if (waiting.length === 0) return;
    try {
      await this.#orMakeRoom(() => this.#holder.flush());
      for (const { client, reply, moved } of waiting) client.send(reply, moved);
    } catch (error) {
      this.#noteTrap(error);
      for (const { client, reply } of waiting) client.send({ id: reply.id, error: toWire(error) }, []);
    }
  }

  async #flushRelaxed(): Promise<void> {
    if (this.#ended !== undefined || this.#holder.engine.store.unflushed() === 0) return;
    try {
      await this.#orMakeRoom(() => this.#holder.flush());
    } catch (error) {
      // The next flush that somebody waits for says the same; this one is nobody's.
      this.#noteTrap(error);
      return;
    }
    if (this.#compactAt > 0 && this.#compactAt <= 1) await this.#compactIfDue();
  }

  /** Compacts once enough of the file is dead; looks again when it has grown by a quarter. */
  async #compactIfDue(): Promise<void> {
    const tail = this.#holder.engine.store.tail();
    if (tail < COMPACTED_FROM_BYTES || tail < 1.25 * this.#lookedAt) return;
    const { compactionSavings, fileBytes } = this.#holder.engine.stats();
    this.#lookedAt = tail;
    if (compactionSavings < this.#compactAt * fileBytes) return;
    try {
      await this.#holder.compact();
    } catch (error) {
      // The store goes on as it was.
      this.#noteTrap(error);
    }
    this.#lookedAt = this.#holder.engine.store.tail();
  }

  async #orMakeRoom<T>(attempt: () => T): Promise<Awaited<T>> {
    try {
      return await attempt();
    } catch (error) {
      if (codeOf(error) === "quota" && (await this.#makeRoom())) return await attempt();
      throw error;
    }
  }

  /** Tries to give dead bytes back, if there are any; whether it did. */
  async #makeRoom(): Promise<boolean> {
    try {
      if (this.#holder.engine.stats().compactionSavings === 0) return false;
      await this.#holder.compact();
      return true;
    } catch (error) {
      this.#noteTrap(error);
      return false;
    }
  }

  #noteTrap(error: unknown): void {
    if (!(error instanceof WebAssembly.RuntimeError) || this.#ended !== undefined) return;
    const message = "the engine stopped on a fault of its own; open the store again";
    this.#ended = new TailstoneError("closed", message, { cause: error });
    this.onbroken?.();
  }
}

/** Calls back behind the messages that have arrived. */
function soon(then: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (then: () => void) => void };
  if (setImmediate !== undefined) setImmediate(then);
  else {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      then();
    };
    port2.postMessage(undefined);
  }
}
