/** An open store, as a page sees it: values by their keys, in one bucket. */

import type { Answer, HistoryEntry, PageEntry } from "./answers.js";
import { textOf } from "./answers.js";
import type { AnyCodec } from "./codec.js";
import { LARGE_BYTES, OP } from "./codes.js";
import type { Connection } from "./connection.js";
import { closed, TailstoneError } from "./errors.js";
import type { Batch, BytesRange, CallOptions, Durability, Range, SetOptions, WatchEvent } from "./options.js";
import type { Backend, Opened, Recovery, Stats, Verdict } from "./protocol.js";
import { checkedKey, type Key, keyBytes, type RequestWriter } from "./request.js";
import { spoolOf, streamOf } from "./streams.js";

/** Keys of one page, and bytes of their values: what travels at a time. */
const PAGE_KEYS = 512;
const PAGE_BYTES = 256 * 1024;

/**
 * An open store. Calls made without waiting in between travel together, and are carried out in their order; only a value
 * whose codec takes its time, as that of a `Blob` does, comes when it is encoded. Every call
 * that fails rejects with a `TailstoneError`.
 */
export class Db<T = Uint8Array<ArrayBuffer>, In = T> {
  /** The name it was opened with. */
  readonly name: string;
  /** The bucket whose keys it reads and writes. */
  readonly bucket: string;
  /** Where its bytes lie. */
  readonly backend: Backend;
  readonly #codec: AnyCodec;
  readonly #strict: boolean;
  #connection: Connection | undefined;
  #recovery: Recovery;

  /** @internal */
  constructor(name: string, bucket: string, connection: Connection, opened: Opened, codec: AnyCodec, durability: Durability) {
    this.name = name;
    this.bucket = bucket;
    this.backend = opened.backend;
    this.#recovery = opened.recovery;
    this.#connection = connection;
    this.#codec = codec;
    this.#strict = durability === "strict";
  }

  /** Whether the store outlives the page. */
  get durable(): boolean {
    return this.backend !== "memory";
  }

  /** What opening the store, or the last import, found. */
  get recovery(): Recovery {
    return this.#recovery;
  }

  /** Stores `value` under `key`, in the place of what was there. */
  set(key: Key, value: In, options?: SetOptions): Promise<void> {
    // One promise a call, as in `get`: of thousands at once they are what takes the page's time.
    try {
      const bytes = this.#codec.encode(value);
      if (!(bytes instanceof Promise)) return this.#set(key, bytes, options);
      return bytes.then((bytes) => this.#set(key, bytes, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #set(key: Key, bytes: Uint8Array, options: SetOptions | undefined): Promise<void> {
    const strict = this.#isStrict(options);
    const expiresAt = expiryOf(options?.ttl);
    if (bytes.length >= LARGE_BYTES) {
      // A copy of the caller's bytes, which is moved from here on.
      const value = this.#open.copyOf(bytes);
      return this.#open.call("put", { ...this.#place(key), value, length: bytes.length, expiresAt }, { moved: [value], strict });
    }
    return this.#ops(
      (writer) => {
        if (expiresAt === 0) writer.put(OP.set, 0, key, bytes);
        else writer.put(OP.set, 1, key, expiresAt, bytes);
      },
      nothing,
      strict,
    );
  }

  /** The value of `key`; `undefined` if it has none. */
  get(key: Key): Promise<T | undefined> {
    return this.#ops((writer) => writer.op(OP.get, 0, key, 0), this.#valueOf);
  }

  /** Stores all of these, or none: after a crash too. */
  setMany(entries: Iterable<readonly [Key, In]>, options?: CallOptions): Promise<void> {
    return this.batch((batch) => {
      for (const [key, value] of entries) batch.set(key, value);
    }, options);
  }

  /** The values of several keys, in their order. */
  async getMany(keys: Iterable<Key>): Promise<(T | undefined)[]> {
    return Promise.all([...keys].map((key) => this.get(key)));
  }

  /** Whether `key` has a value. */
  async has(key: Key): Promise<boolean> {
    return (await this.size(key)) !== undefined;
  }

  /** Length of the value of `key` in bytes, which are not read. */
  async size(key: Key): Promise<number | undefined> {
    return this.#ops((writer) => writer.op(OP.size, 0, key, 0), numberOf);
  }

  /** Removes `key`, and says whether it had a value. */
  async delete(key: Key, options?: CallOptions): Promise<boolean> {
    return this.#ops((writer) => writer.op(OP.delete, 0, key, 0), isDone, this.#isStrict(options));
  }

  /** Removes all of these keys, or none. */
  deleteMany(keys: Iterable<Key>, options?: CallOptions): Promise<void> {
    return this.batch((batch) => {
      for (const key of keys) batch.delete(key);
    }, options);
  }

  /** Removes every key of the bucket, and says how many there were. */
  async clear(options?: CallOptions): Promise<number> {
    const read = (answer: Answer) => answer.number() ?? 0;
    return this.#ops((writer) => writer.op(OP.clear, 0, "", 0), read, this.#isStrict(options));
  }

  /** How many keys the bucket has. */
  async count(): Promise<number> {
    return this.#ops(
      (writer) => writer.op(OP.count, 0, "", 0),
      (answer) => answer.number() ?? 0,
    );
  }

  /** Makes all changes that `fill` asks for, or none: after a crash too. They are held in memory until then. */
  async batch(fill: (batch: Batch<In>) => void | Promise<void>, options?: CallOptions): Promise<void> {
    const changes: { key: Key; value: Uint8Array | Promise<Uint8Array> | undefined }[] = [];
    const filling = fill({
      // A bad key is refused here: met when half of the batch is written, it would spoil what others asked for.
      set: (key, value) => {
        const encoded = this.#codec.encode(value);
        // It is waited for below, and said there.
        if (encoded instanceof Promise) encoded.catch(nothing);
        changes.push({ key: checkedKey(key), value: encoded });
      },
      delete: (key) => void changes.push({ key: checkedKey(key), value: undefined }),
    });
    // Without a wait the batch keeps its place among the calls of this turn.
    if (filling !== undefined) await filling;
    if (changes.length === 0) return;
    const values: (Uint8Array | undefined)[] = [];
    for (const { value } of changes) values.push(value instanceof Promise ? await value : value);
    return this.#ops(
      (writer) => {
        writer.batch(changes.length);
        changes.forEach(({ key }, at) => {
          const value = values[at];
          if (value === undefined) writer.op(OP.delete, 0, key, 0);
          else writer.put(OP.set, 0, key, value);
        });
      },
      nothing,
      this.#isStrict(options),
    );
  }

  /**
   * Puts what `change` makes of the old value in its place, unless some tab changed it meanwhile: then `change` is called
   * again with the newer value. `undefined` stands for no value, on both sides. Returns the new one.
   */
  async update(key: Key, change: (old: T | undefined) => In | undefined | Promise<In | undefined>, options?: CallOptions): Promise<In | undefined> {
    for (;;) {
      const old = await this.#ops(
        (writer) => writer.op(OP.get, 1, key, 0),
        (answer) => ({ version: answer.version(), value: this.#valueOf(answer) }),
      );
      const changed = await change(old.value);
      if (changed === undefined && old.version === undefined) return undefined;
      const bytes = changed === undefined ? new Uint8Array(0) : await this.#codec.encode(changed);
      const { version, generation } = old.version ?? { version: 0, generation: 0 };
      const flags = (old.version === undefined ? 1 : 0) | (changed === undefined ? 2 : 0);
      const done = await this.#ops(
        (writer) => writer.put(OP.putIf, flags, key, version, new Uint8Array(Uint32Array.of(generation, 0).buffer), bytes),
        (answer) => answer.number() === 1,
        this.#isStrict(options),
        true,
      );
      if (done) return changed;
    }
  }

  /** The keys, in the order of their bytes. Changes made meanwhile may be seen or not. */
  keys(range: BytesRange): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>;
  keys(range?: Range): AsyncGenerator<string, void, undefined>;
  async *keys(range: Range & { as?: "bytes" } = {}): AsyncGenerator<Uint8Array | string, void, undefined> {
    for await (const { key } of this.#entries(range, false)) yield range.as === "bytes" ? key : textOf(key);
  }

  /** The values, in the order of their keys. */
  async *values(range: Range = {}): AsyncGenerator<T, void, undefined> {
    for await (const { value } of this.#entries(range, true)) yield this.#codec.decode(value as Uint8Array<ArrayBuffer>);
  }

  /** Keys and values, in the order of the keys. */
  entries(range: BytesRange): AsyncGenerator<[Uint8Array<ArrayBuffer>, T], void, undefined>;
  entries(range?: Range): AsyncGenerator<[string, T], void, undefined>;
  async *entries(range: Range & { as?: "bytes" } = {}): AsyncGenerator<[Uint8Array | string, T], void, undefined> {
    for await (const { key, value } of this.#entries(range, true)) {
      yield [range.as === "bytes" ? key : textOf(key), this.#codec.decode(value as Uint8Array<ArrayBuffer>)];
    }
  }

  /** At most `length` bytes of a value, from `offset` on; fewer at its end. The rest of it is not read. */
  async getRange(key: Key, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (!isCount(offset) || !isCount(length)) {
      throw new TailstoneError("invalid", "offset and length of a range are whole numbers, not negative");
    }
    return this.#ops(
      (writer) => writer.put(OP.range, 0, key, offset, length),
      (answer) => answer.value(),
    );
  }

  /** The bytes of a value piece by piece, as it is now, whatever happens to the key meanwhile. */
  async stream(key: Key): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined> {
    const held = await this.#open.call("hold", this.#place(key));
    return held && streamOf(this.#open, async () => held);
  }

  /** Stores what a stream gives, in memory that does not depend on its length; visible once it has ended. */
  async putStream(key: Key, source: ReadableStream<Uint8Array> | Blob, options?: CallOptions): Promise<void> {
    const strict = this.#isStrict(options);
    if (source instanceof Blob) return this.#open.call("put", { ...this.#place(key), value: source, expiresAt: 0 }, { strict });
    const spool = await spoolOf(this.#open, source);
    return this.#open.call("putSpool", { ...this.#place(key), spool }, { strict, once: true });
  }

  /** The changes of a key that are still in the file, newest first. */
  async history(key: Key, limit = 100): Promise<HistoryEntry[]> {
    return this.#ops(
      (writer) => writer.putWords(OP.history, 0, key, [limit]),
      (answer) => answer.list(),
    );
  }

  /** The value that a key had in a version of its history. */
  async getVersion(key: Key, version: number): Promise<T | undefined> {
    return this.#ops((writer) => writer.put(OP.version, 0, key, version), this.#valueOf);
  }

  /** Calls `listener` at every change, in any tab, of a key that begins with `prefix`; until the returned function is called. */
  watch(prefix: Key, listener: (event: WatchEvent) => void): () => void {
    const start = keyBytes(prefix);
    return this.#open.watch(({ bucket, type, key }) => {
      if (bucket !== undefined && bucket !== this.bucket) return;
      if (key !== undefined && !start.every((byte, at) => key[at] === byte)) return;
      listener({ type, key: key && textOf(key) });
    });
  }

  /** Resolves once every change that was accepted before is on stable storage. */
  async flush(): Promise<void> {
    return this.#open.call("flush", {});
  }

  /** What the store holds and takes. */
  async stats(): Promise<Stats> {
    const storage = storageManager();
    const [stats, space] = await Promise.all([this.#open.call("stats", {}), storage?.estimate?.()]);
    return { ...stats, usageBytes: space?.usage, quotaBytes: space?.quota };
  }

  /** Reads every byte of the store and checks it. */
  async verify(): Promise<Verdict> {
    return this.#open.call("verify", {});
  }

  /** Rewrites the file without what was overwritten or deleted; other calls wait meanwhile. A crash leaves either file. */
  async compact(): Promise<void> {
    return this.#open.call("compact", {});
  }

  /** The store, all buckets of it, as a file: the same that the command line reads. */
  async export(): Promise<Blob> {
    const pieces: Blob[] = [];
    const reader = this.exportStream().getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      // A blob belongs to the browser, which moves large ones out of memory.
      pieces.push(new Blob([read.value]));
    }
    return new Blob(pieces, { type: "application/octet-stream" });
  }

  /** The same piece by piece. */
  exportStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const connection = this.#open;
    return streamOf(connection, () => connection.call("hold", { whole: true }));
  }

  /**
   * Puts a store file in the place of this store. It is first copied beside it and read through as a whole; if it is no
   * store, or is damaged, or there is no room for it, everything stays as it was.
   */
  async import(file: Blob | ReadableStream<Uint8Array>): Promise<Recovery> {
    const connection = this.#open;
    const source = file instanceof Blob ? { file } : { spool: await spoolOf(connection, file) };
    this.#recovery = await connection.call("import", source, { once: true });
    return this.#recovery;
  }

  /** Asks the browser not to evict this origin's data when space gets short; whether it agrees. */
  async persist(): Promise<boolean> {
    const storage = storageManager();
    return this.backend === "file" || (this.backend === "opfs" && (await storage?.persist?.()) === true);
  }

  /** Flushes, and lets go of the file. Closing twice is fine. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.leave();
  }

  readonly #valueOf = (answer: Answer): T | undefined => {
    const bytes = answer.value();
    return bytes && this.#codec.decode(bytes);
  };

  get #open(): Connection {
    if (this.#connection === undefined) throw closed();
    return this.#connection;
  }

  #ops<R>(write: (writer: RequestWriter) => void, read: (answer: Answer) => R, strict = false, once = false): Promise<R> {
    const connection = this.#connection;
    if (connection === undefined) return Promise.reject(closed());
    return connection.ops(
      strict,
      (writer) => write(writer.bucket(this.bucket)),
      read,
      once,
    );
  }

  #isStrict(options: CallOptions | undefined): boolean {
    return options?.durability === undefined ? this.#strict : options.durability === "strict";
  }

  #place(key: Key): { bucket: string; key: ArrayBuffer } {
    return { bucket: this.bucket, key: keyBytes(key).slice().buffer };
  }

  async *#entries({ prefix = "", limit = Infinity }: Range, values: boolean): AsyncGenerator<PageEntry, void, undefined> {
    let cursor: Uint8Array | undefined;
    let left = limit;
    if (!(left >= 1)) return;
    do {
      const words = [Math.min(left, PAGE_KEYS), PAGE_BYTES, cursor === undefined ? 0 : 1];
      const page = await this.#ops(
        (writer) => writer.putWords(OP.keys, values ? 1 : 0, prefix, words, cursor),
        (answer) => answer.page(),
      );
      for (const entry of page.entries) {
        if (values && entry.value === undefined) {
          entry.value = await this.getRange(entry.key, 0, Number.MAX_SAFE_INTEGER);
          // Deleted since.
          if (entry.value === undefined) continue;
        }
        yield entry;
      }
      left -= page.entries.length;
      cursor = page.cursor;
    } while (cursor !== undefined && left > 0);
  }
}

/** What the browser says of its storage; other runtimes, and pages that are not secure, have none. */
function storageManager(): Partial<StorageManager> | undefined {
  return (globalThis as { navigator?: { storage?: StorageManager } }).navigator?.storage;
}

const nothing = (): void => {};
const numberOf = (answer: Answer): number | undefined => answer.number();
const isDone = (answer: Answer): boolean => answer.kind === 0;

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function expiryOf(ttl: number | undefined): number {
  if (ttl === undefined) return 0;
  if (!(ttl >= 0)) throw new TailstoneError("invalid", "a time to live is a number of milliseconds, not negative");
  return Math.ceil(Date.now() + ttl);
}
