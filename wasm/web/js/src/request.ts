/** Puts the calls of one microtask into one run of bytes, as the engine reads them. */

import { OP } from "./codes.js";
import { TailstoneError } from "./errors.js";

/** A key: text is stored as its UTF-8 bytes. */
export type Key = string | Uint8Array;

const encoder = new TextEncoder();
const HEAD_BYTES = 12;
const SHIFT = 8;

export function keyBytes(key: Key): Uint8Array {
  return typeof key === "string" ? encoder.encode(key) : checkedKey(key);
}

/** The key, if it is one: programs without types pass anything. */
export function checkedKey<K extends Key>(key: K): K {
  if (typeof key === "string" || key instanceof Uint8Array) return key;
  throw new TailstoneError("invalid", "a key is text or a Uint8Array");
}

/** Ops one behind the other. The buffer is moved away with the message, so a writer is used once. */
export class RequestWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #length = 0;
  #bucket: string | undefined;

  constructor(room = 1024) {
    this.#bytes = new Uint8Array(room);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  get buffer(): ArrayBuffer {
    return this.#bytes.buffer;
  }

  /** Names the bucket of the ops that follow. */
  bucket(name: string): this {
    if (name !== this.#bucket) {
      this.#bucket = name;
      this.op(OP.bucket, 0, name, 0);
    }
    return this;
  }

  /** Begins an op with room for `valueBytes`, which the caller fills from the returned place on. */
  op(code: number, flags: number, key: Key, valueBytes: number): number {
    const start = this.#length;
    const keyStart = start + HEAD_BYTES;
    checkedKey(key);
    // Text takes at most three bytes a unit.
    this.#reserve(keyStart + (typeof key === "string" ? 3 : 1) * key.length + valueBytes + 3);
    let keyLength = key.length;
    if (typeof key === "string") keyLength = encoder.encodeInto(key, this.#bytes.subarray(keyStart)).written;
    else this.#bytes.set(key, keyStart);
    const value = keyStart + keyLength;
    this.#head(start, code, flags, keyLength, valueBytes);
    this.#length = (value + valueBytes + 3) & ~3;
    return value;
  }

  /** An op whose value is `parts`: numbers take eight bytes each. */
  put(code: number, flags: number, key: Key, ...parts: (number | Uint8Array)[]): void {
    let length = 0;
    for (const part of parts) length += typeof part === "number" ? 8 : part.length;
    let at = this.op(code, flags, key, length);
    for (const part of parts) {
      if (typeof part === "number") {
        this.#view.setFloat64(at, part, true);
        at += 8;
      } else {
        this.#bytes.set(part, at);
        at += part.length;
      }
    }
  }

  /** A head alone: of an op that stores `valueBytes`, which the caller puts behind what is written here. */
  headOfSet(key: Uint8Array, expiresAt: number, valueBytes: number): void {
    const start = this.#length;
    const timed = expiresAt === 0 ? 0 : 8;
    const end = start + HEAD_BYTES + key.length;
    this.#reserve(end + timed);
    this.#head(start, OP.set, timed === 0 ? 0 : 1, key.length, timed + valueBytes);
    this.#bytes.set(key, start + HEAD_BYTES);
    if (timed > 0) this.#view.setFloat64(end, expiresAt, true);
    this.#length = end + timed;
  }

  /** An op whose value is `numbers` of four bytes each, and `rest`. */
  putWords(code: number, flags: number, key: Key, numbers: number[], rest?: Uint8Array): void {
    let at = this.op(code, flags, key, 4 * numbers.length + (rest?.length ?? 0));
    for (const number of numbers) {
      this.#view.setUint32(at, number, true);
      at += 4;
    }
    if (rest !== undefined) this.#bytes.set(rest, at);
  }

  /** Says that the `count` ops behind this one are carried out together or not at all. */
  batch(count: number): void {
    this.#reserve(this.#length + HEAD_BYTES);
    this.#head(this.#length, OP.batch, 0, count, 0);
    this.#length += HEAD_BYTES;
  }

  /** Copies ops as they are. */
  raw(ops: Uint8Array): void {
    this.#reserve(this.#length + ops.length);
    this.#bytes.set(ops, this.#length);
    this.#length += ops.length;
  }

  #head(at: number, code: number, flags: number, keyLength: number, valueLength: number): void {
    this.#view.setUint32(at, code | (flags << SHIFT), true);
    this.#view.setUint32(at + 4, keyLength, true);
    this.#view.setUint32(at + 8, valueLength, true);
  }

  #reserve(end: number): void {
    if (end <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
