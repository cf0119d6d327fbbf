/**
 * The same store inside of a dedicated worker, synchronously: no message, no promise. Other tabs and pages that `open` it
 * are served by this worker whenever it is idle.
 *
 * @packageDocumentation
 */

import { type Answer, AnswerReader, type HistoryEntry, type Page, textOf } from "./answers.js";
import { ANSWER, OP } from "./codes.js";
import { type Engine, load } from "./engine.js";
import { closed, TailstoneError } from "./errors.js";
import { Holder } from "./holder.js";
import { Member } from "./member.js";
import { isFolderName } from "./names.js";
import { OpfsPlace, opfsRoot } from "./place-opfs.js";
import type { Recovery, Stats, Verdict } from "./protocol.js";
import { type Key, keyBytes, RequestWriter } from "./request.js";
import type { Server } from "./server.js";
import { compile } from "./wasm.js";

export { type ErrorCode, TailstoneError } from "./errors.js";
export type { HistoryEntry, Recovery, Stats, Verdict, Key };

/** How a store is opened in a worker. */
export interface OpenSyncOptions {
  /** The bucket to read and write; `"default"` unless said. */
  bucket?: string | undefined;
  /** How long to wait for another tab to let go of the store, in milliseconds; 1,000 unless said. Then it is `locked`. */
  patience?: number | undefined;
  /** The file, from 4 MiB on, is compacted by itself once this part of it is overwritten or deleted: 0.5 unless said; `false` for never. */
  compactAt?: number | false | undefined;
  /** Where the `.wasm` file lies, if not beside the script. */
  wasm?: string | URL | undefined;
}

/** Opens the store called `name` in this worker. */
export async function openSync(name: string, options: OpenSyncOptions = {}): Promise<SyncDb> {
  if (!isFolderName(name)) throw new TailstoneError("invalid", "a store's name has 1 to 200 characters, and is not `.` or `..`");
  const root = await opfsRoot();
  if (root instanceof TailstoneError) throw root;
  const start = async () => {
    const wasm = options.wasm === undefined ? undefined : String(options.wasm);
    const [place] = await Promise.all([OpfsPlace.take(root, name), compile(wasm).then(load)]);
    return Holder.open(place);
  };
  const { compactAt = 0.5, patience = 1000 } = options;
  const client = { send: () => {} };
  return new Promise((resolve, reject) => {
    const member = new Member(name, compactAt === false ? 0 : compactAt, client, start, (server, holder) => {
      clearTimeout(waiting);
      resolve(new SyncDb(name, options.bucket ?? "default", member, server, holder));
    });
    const waiting = setTimeout(() => {
      reject(new TailstoneError("locked", `the store ${name} is open in another tab`));
      member.abandon();
    }, patience);
    member.opened.catch(reject);
  });
}

/** What `batch` gathers. */
export interface SyncBatch {
  /** Stores a value. */
  set(key: Key, value: Uint8Array): void;
  /** Removes a key. */
  delete(key: Key): void;
}

/** Keys of one page. */
const PAGE_KEYS = 512;
const PAGE_BYTES = 1 << 20;

/** An open store in a worker. What is written is on stable storage after `flush`, or 100 ms after the worker was idle again. */
export class SyncDb {
  /** The name it was opened with. */
  readonly name: string;
  /** The bucket whose keys it reads and writes. */
  readonly bucket: string;
  readonly #member: Member;
  readonly #server: Server;
  #holder: Holder | undefined;
  #viewed = false;

  /** @internal */
  constructor(name: string, bucket: string, member: Member, server: Server, holder: Holder) {
    this.name = name;
    this.bucket = bucket;
    this.#member = member;
    this.#server = server;
    this.#holder = holder;
  }

  /** What opening the store found. */
  get recovery(): Recovery {
    return this.#open.opened().recovery;
  }

  /** Stores `value` under `key`, in the place of what was there. */
  set(key: Key, value: Uint8Array): void {
    this.#run((writer) => writer.put(OP.set, 0, key, value));
    this.#server.touched();
  }

  /** The value of `key`; `undefined` if it has none. */
  get(key: Key): Uint8Array<ArrayBuffer> | undefined {
    return this.#run((writer) => writer.op(OP.get, 0, key, 0)).value();
  }

  /**
   * What `look` makes of the value of `key`, without a copy of values up to 16 KiB. The view is dead once `look` returns,
   * and the store cannot be used until then.
   */
  withView<R>(key: Key, look: (view: Uint8Array<ArrayBuffer>) => R): R | undefined {
    const engine = this.#engine;
    const writer = this.#write((writer) => writer.op(OP.get, 0, key, 0));
    const answered = engine.runInside(writer.buffer, writer.length);
    const head = engine.view(0, 8);
    const words = new DataView(head.buffer, head.byteOffset, 8);
    const [kind, length] = [words.getUint32(0, true), words.getUint32(4, true)];
    if (kind === ANSWER.none) return undefined;
    if (kind !== ANSWER.value) {
      const reader = new AnswerReader(engine.view(0, answered).slice().buffer);
      const answer = reader.next();
      if (answer.error !== undefined) throw answer.error;
      const extent = answer.extent() ?? { offset: 0, length: 0 };
      const value = new Uint8Array(extent.length);
      engine.store.readFile(extent.offset, value);
      return this.#show(value, look);
    }
    return this.#show(engine.view(8, length), look);
  }

  /** Stores all of these, or none: after a crash too. */
  setMany(entries: Iterable<readonly [Key, Uint8Array]>): void {
    this.batch((batch) => {
      for (const [key, value] of entries) batch.set(key, value);
    });
  }

  /** The values of several keys, in their order. */
  getMany(keys: Iterable<Key>): (Uint8Array<ArrayBuffer> | undefined)[] {
    const asked = [...keys];
    const writer = new RequestWriter().bucket(this.bucket);
    for (const key of asked) writer.op(OP.get, 0, key, 0);
    const { answers, large } = this.#engine.run(writer.buffer, writer.length);
    const reader = new AnswerReader(answers, large);
    return asked.map(() => checked(reader.next()).value());
  }

  /** Whether `key` has a value. */
  has(key: Key): boolean {
    return this.size(key) !== undefined;
  }

  /** Length of the value of `key` in bytes, which are not read. */
  size(key: Key): number | undefined {
    return this.#run((writer) => writer.op(OP.size, 0, key, 0)).number();
  }

  /** Removes `key`, and says whether it had a value. */
  delete(key: Key): boolean {
    const { kind } = this.#run((writer) => writer.op(OP.delete, 0, key, 0));
    this.#server.touched();
    return kind === ANSWER.done;
  }

  /** Makes all changes that `fill` asks for, or none: after a crash too. */
  batch(fill: (batch: SyncBatch) => void): void {
    let count = 0;
    const ops = new RequestWriter();
    fill({
      set: (key, value) => {
        count++;
        ops.put(OP.set, 0, key, value);
      },
      delete: (key) => {
        count++;
        ops.op(OP.delete, 0, key, 0);
      },
    });
    if (count === 0) return;
    this.#run((writer) => {
      writer.batch(count);
      writer.raw(new Uint8Array(ops.buffer, 0, ops.length));
    });
    this.#server.touched();
  }

  /** Removes every key of the bucket, and says how many there were. */
  clear(): number {
    const cleared = this.#run((writer) => writer.op(OP.clear, 0, "", 0)).number() ?? 0;
    this.#server.touched();
    return cleared;
  }

  /** How many keys the bucket has. */
  count(): number {
    return this.#run((writer) => writer.op(OP.count, 0, "", 0)).number() ?? 0;
  }

  /** The keys, in the order of their bytes. */
  *keys({ prefix = "" }: { prefix?: Key } = {}): Generator<string, void, undefined> {
    for (const page of this.#pages(prefix, 0)) for (const { key } of page.entries) yield textOf(key);
  }

  /** Keys and values, in the order of the keys. */
  *entries({ prefix = "" }: { prefix?: Key } = {}): Generator<[string, Uint8Array<ArrayBuffer>], void, undefined> {
    for (const page of this.#pages(prefix, 1)) {
      for (const { key, value } of page.entries) {
        const there = value ?? this.get(key);
        if (there !== undefined) yield [textOf(key), there];
      }
    }
  }

  /** At most `length` bytes of a value, from `offset` on; fewer at its end. The rest of it is not read. */
  getRange(key: Key, offset: number, length: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#run((writer) => writer.put(OP.range, 0, key, offset, length)).value();
  }

  /** The changes of a key that are still in the file, newest first. */
  history(key: Key, limit = 100): HistoryEntry[] {
    return this.#run((writer) => writer.putWords(OP.history, 0, key, [limit])).list();
  }

  /** Returns once everything written before is on stable storage. */
  flush(): void {
    this.#open.flush();
  }

  /** What the store holds and takes. */
  stats(): Stats {
    return { ...this.#engine.stats(), unflushedBytes: this.#engine.store.unflushed() };
  }

  /** Reads every byte of the store and checks it. */
  verify(): Verdict {
    return this.#engine.verify();
  }

  /** Rewrites the file without what was overwritten or deleted. */
  async compact(): Promise<void> {
    await this.#server.compact();
  }

  /** Flushes, and lets go of the file. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.#holder === undefined) return;
    this.#holder = undefined;
    await this.#member.close();
  }

  /** Nobody uses the store while a view of its memory is about. */
  #show<R>(view: Uint8Array<ArrayBuffer>, look: (view: Uint8Array<ArrayBuffer>) => R): R {
    this.#viewed = true;
    try {
      return look(view);
    } finally {
      this.#viewed = false;
    }
  }

  get #open(): Holder {
    if (this.#holder === undefined) throw closed();
    if (this.#viewed) throw new TailstoneError("invalid", "a view is being looked at; use the store when that has returned");
    return this.#holder;
  }

  get #engine(): Engine {
    return this.#open.engine;
  }

  #write(write: (writer: RequestWriter) => void): RequestWriter {
    const writer = new RequestWriter(256).bucket(this.bucket);
    write(writer);
    return writer;
  }

  #run(write: (writer: RequestWriter) => void): Answer {
    const writer = this.#write(write);
    const { answers, large } = this.#engine.run(writer.buffer, writer.length);
    return checked(new AnswerReader(answers, large).next());
  }

  *#pages(prefix: Key, flags: number): Generator<Page, void, undefined> {
    let cursor: Uint8Array | undefined;
    do {
      const words = [PAGE_KEYS, PAGE_BYTES, cursor === undefined ? 0 : 1];
      const page = this.#run((writer) => writer.putWords(OP.keys, flags, keyBytes(prefix), words, cursor)).page();
      yield page;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
}

function checked(answer: Answer): Answer {
  const { error } = answer;
  if (error !== undefined) throw error;
  return answer;
}
