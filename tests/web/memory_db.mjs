/**
 * A store in memory with the calls of the package's `Db` that its other modules make, and with switches for failures.
 *
 * Keys are ordered by their bytes, a batch is all or none, and what goes in and out passes through the codec.
 */

import { TailstoneError } from "../../wasm/web/js/src/errors.ts";

const encoder = new TextEncoder();

/** Every bucket by name of store and bucket, and what the tests meddle with. */
export const control = {
  buckets: new Map(),
  /** How many stores were opened, and how many more of them fail. */
  opens: 0,
  failingOpens: 0,
  /** How many sets of many succeed before one fails; and what those that succeeded had. */
  setManyLeft: Infinity,
  batches: [],
  /** Called by `update` between its read and its write. */
  beforeWrite: () => {},
  /** All stores that are open end. */
  end() {
    for (const db of live) db.ended = true;
    live.clear();
  },
};

const live = new Set();

export async function open(name, { bucket = "default", codec }) {
  control.opens++;
  await new Promise((resolve) => setTimeout(resolve));
  if (control.failingOpens > 0) {
    control.failingOpens--;
    throw new TailstoneError("locked", "told to fail");
  }
  const id = JSON.stringify([name, bucket]);
  if (!control.buckets.has(id)) control.buckets.set(id, new Map());
  const db = new MemoryDb(control.buckets.get(id), codec);
  live.add(db);
  return db;
}

class MemoryDb {
  ended = false;

  constructor(items, codec) {
    this.items = items;
    this.codec = codec;
  }

  async get(key) {
    this.#check();
    const bytes = this.items.get(place(key));
    return bytes && this.codec.decode(bytes);
  }

  async getMany(keys) {
    return Promise.all([...keys].map((key) => this.get(key)));
  }

  async has(key) {
    this.#check();
    return this.items.has(place(key));
  }

  async set(key, value) {
    await this.setMany([[key, value]]);
  }

  async setMany(entries) {
    this.#check();
    const ready = [...entries].map(([key, value]) => [place(key), this.codec.encode(value)]);
    if (ready.some(([, bytes]) => bytes instanceof Promise)) {
      for (const item of ready) item[1] = await item[1];
    }
    if (control.setManyLeft-- <= 0) throw new TailstoneError("quota", "told to fail");
    for (const [at, bytes] of ready) this.items.set(at, bytes);
    control.batches.push(ready.length);
  }

  async delete(key) {
    this.#check();
    return this.items.delete(place(key));
  }

  async deleteMany(keys) {
    for (const key of keys) await this.delete(key);
  }

  async clear() {
    this.#check();
    const { size } = this.items;
    this.items.clear();
    return size;
  }

  async update(key, change) {
    const at = place(key);
    for (;;) {
      this.#check();
      const before = this.items.get(at);
      const value = change(before && this.codec.decode(before));
      const bytes = value === undefined ? undefined : await this.codec.encode(value);
      control.beforeWrite(this, key);
      if (this.items.get(at) !== before) continue;
      if (bytes === undefined) this.items.delete(at);
      else this.items.set(at, bytes);
      return value;
    }
  }

  async *keys(range) {
    for await (const [key] of this.entries(range)) yield key;
  }

  async *entries({ as }) {
    this.#check();
    for (const at of [...this.items.keys()].sort()) {
      const key = Uint8Array.from(Buffer.from(at, "hex"));
      yield [as === "bytes" ? key : new TextDecoder().decode(key), this.codec.decode(this.items.get(at))];
    }
  }

  #check() {
    if (this.ended) throw new TailstoneError("closed", "told to end");
  }
}

/** A key as text that sorts as its bytes do. */
function place(key) {
  return Buffer.from(typeof key === "string" ? encoder.encode(key) : key).toString("hex");
}
