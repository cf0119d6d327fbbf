/**
 * One tab's part in a store that several tabs use.
 *
 * Invariant: whoever holds the Web Lock of a store, and nobody else, has its file open and answers for it. The others send
 * their requests there, wait for the lock, and take over when it is let go: what was not answered is then sent again, or
 * refused if doing it twice would not be the same as doing it once.
 */

import { closed, TailstoneError, toWire } from "./errors.js";
import type { Holder } from "./holder.js";
import type { Event, Opened, Reply, Request } from "./protocol.js";
import { type Client, Server } from "./server.js";

/** What tabs say to each other. */
type Note =
  | { hello: string }
  | { bye: string }
  | { leader: string; opened: Opened }
  | { from: string; request: Request };

interface Unanswered {
  request: Request;
  /** Who was asked. */
  leader: string | undefined;
}

/** Numbers of requests that no page waits for. */
const FINISH = -1;
const WATCH = -2;

/** Another tab, as the one that holds the store sees it. */
class Remote implements Client {
  readonly #channel: BroadcastChannel;
  /** Number of its last request that was taken up. */
  last = -1;

  constructor(channel: BroadcastChannel) {
    this.#channel = channel;
  }

  send(message: Reply | Event | Note): void {
    // It would be copied, and is of no use there.
    if ("spare" in message) message.spare = undefined;
    this.#channel.postMessage(message);
  }

  close(): void {
    this.#channel.close();
  }
}

export class Member {
  /** Settles once the store is open, here or in another tab. */
  readonly opened: Promise<Opened>;
  readonly #name: string;
  readonly #me = crypto.randomUUID();
  readonly #page: Client;
  readonly #everybody: BroadcastChannel;
  readonly #inbox: BroadcastChannel;
  readonly #unanswered = new Map<number, Unanswered>();
  readonly #remotes = new Map<string, Remote>();
  readonly #given = new AbortController();
  #server: Server | undefined;
  #leader: string | undefined;
  #watching = false;
  #letGo: () => void = () => {};
  #onfinished: () => void = () => {};
  #settle: { resolve(opened: Opened): void; reject(error: unknown): void } | undefined;
  #closing = false;
  #ended: TailstoneError | undefined;

  /** Joins the tabs that use the store called `name`. `start` opens it here, and is called when it is this tab's turn. */
  constructor(name: string, compactAt: number, page: Client, start: () => Promise<Holder>, onlead?: (server: Server, holder: Holder) => void) {
    this.#name = `tailstone/${name}`;
    this.#page = page;
    this.opened = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#everybody = new BroadcastChannel(this.#name);
    this.#everybody.onmessage = ({ data }: MessageEvent<Note>) => this.#hear(data);
    this.#inbox = new BroadcastChannel(`${this.#name}/${this.#me}`);
    this.#inbox.onmessage = ({ data }: MessageEvent<Reply | Event | Note>) => {
      if ("leader" in data) this.#hear(data);
      else this.#deliver(data as Reply | Event);
    };
    const held = async () => {
      const holder = await start();
      this.#lead(new Server(holder, compactAt), holder);
      onlead?.(this.#server as Server, holder);
      await new Promise<void>((resolve) => {
        this.#letGo = resolve;
      });
    };
    navigator.locks.request(this.#name, { signal: this.#given.signal }, held).catch((error: unknown) => this.#end(error));
    this.#say({ hello: this.#me });
  }

  /** Carries out, or passes on, what the page asks. */
  receive(request: Request): void {
    if ("call" in request && request.call === "watch") this.#watching = (request.arguments as { on: boolean }).on;
    if (this.#ended !== undefined) this.#page.send({ id: request.id, error: toWire(this.#ended) }, []);
    else if (this.#server !== undefined) this.#server.receive(this.#page, request);
    else {
      this.#unanswered.set(request.id, { request, leader: undefined });
      if (this.#leader !== undefined) this.#pass(request.id);
    }
  }

  /** Flushes, and lets another tab have the store. */
  async close(): Promise<void> {
    // What other tabs ask from here on is for the next one that leads: they send again what was not answered.
    this.#closing = true;
    try {
      if (this.#server === undefined) await this.#finish();
      await this.#server?.close();
    } finally {
      this.abandon();
    }
  }

  /** Ends without a word to anybody who waits. */
  abandon(): void {
    if (this.#ended === undefined) this.#say({ bye: this.#me });
    this.#end(closed());
  }

  /** Waits until what the page asked for has been answered and flushed by whoever leads, which may come to be this tab. */
  async #finish(): Promise<void> {
    if (this.#ended !== undefined) return;
    this.receive({ id: FINISH, call: "flush", arguments: {}, strict: false, once: false });
    await new Promise<void>((resolve) => {
      this.#onfinished = resolve;
    });
  }

  #lead(server: Server, holder: Holder): void {
    this.#server = server;
    server.onbroken = () => {
      holder.abandon();
      this.#letGo();
    };
    const before = this.#leader;
    this.#leader = this.#me;
    const opened = holder.opened();
    this.#say({ leader: this.#me, opened });
    this.#settle?.resolve(opened);
    this.#takeOver(before, (request) => server.receive(this.#page, request));
  }

  #hear(note: Note): void {
    if ("leader" in note) {
      if (note.leader === this.#leader || this.#server !== undefined) return;
      const before = this.#leader;
      this.#leader = note.leader;
      this.#settle?.resolve(note.opened);
      this.#takeOver(before, (request) => this.#pass(request.id));
    } else if (this.#server === undefined || this.#closing) return;
    else if ("hello" in note) {
      void this.opened.then((opened) => this.#remote(note.hello).send({ leader: this.#me, opened }));
    } else if ("bye" in note) {
      const remote = this.#remotes.get(note.bye);
      this.#remotes.delete(note.bye);
      if (remote === undefined) return;
      this.#server.leave(remote);
      remote.close();
    } else {
      const remote = this.#remote(note.from);
      const { id } = note.request;
      // Sent again to be sure, and taken up already. What nobody waits for has a negative number.
      if (id >= 0 && id <= remote.last) return;
      remote.last = Math.max(remote.last, id);
      this.#server.receive(remote, note.request);
    }
  }

  /** Hands what was not answered to who leads now. */
  #takeOver(before: string | undefined, hand: (request: Request) => void): void {
    if (before !== undefined && this.#watching) {
      hand(this.#remember({ id: WATCH, call: "watch", arguments: { on: true }, strict: false, once: false }));
      this.#page.send({ resync: true }, []);
    }
    for (const [id, { request, leader }] of [...this.#unanswered].filter(([id]) => id !== WATCH)) {
      if (leader !== undefined && request.once) {
        const message = "the tab that held the store ended before it answered: the change was made, or it was not";
        this.#deliver({ id, error: toWire(new TailstoneError("io", message)) });
      } else hand(request);
    }
    if (this.#server !== undefined) this.#unanswered.clear();
    this.#checkFinished();
  }

  #remember(request: Request): Request {
    this.#unanswered.set(request.id, { request, leader: undefined });
    return request;
  }

  /** Sends a request to the tab that leads. */
  #pass(id: number): void {
    const unanswered = this.#unanswered.get(id);
    if (unanswered === undefined) return;
    unanswered.leader = this.#leader;
    const { request } = unanswered;
    // The buffer has room to spare, which need not be copied along.
    if ("ops" in request && request.ops.byteLength > request.length) request.ops = request.ops.slice(0, request.length);
    this.#say({ from: this.#me, request });
  }

  #deliver(message: Reply | Event): void {
    if ("id" in message) {
      this.#unanswered.delete(message.id);
      this.#checkFinished();
      if (message.id < 0) return;
    }
    const moved = "answers" in message ? [message.answers, ...message.large] : [];
    this.#page.send(message, "ok" in message && message.ok instanceof ArrayBuffer ? [message.ok] : moved);
  }

  #checkFinished(): void {
    if (this.#unanswered.size === 0) this.#onfinished();
  }

  #remote(id: string): Remote {
    let remote = this.#remotes.get(id);
    if (remote === undefined) {
      remote = new Remote(new BroadcastChannel(`${this.#name}/${id}`));
      this.#remotes.set(id, remote);
    }
    return remote;
  }

  #say(note: Note): void {
    this.#everybody.postMessage(note);
  }

  #end(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason instanceof TailstoneError ? reason : new TailstoneError(toWire(reason).code, toWire(reason).message, { cause: reason });
    this.#settle?.reject(reason);
    for (const id of this.#unanswered.keys()) this.#deliver({ id, error: toWire(this.#ended) });
    this.#letGo();
    this.#given.abort();
    this.#everybody.close();
    this.#inbox.close();
    for (const remote of this.#remotes.values()) remote.close();
  }
}
