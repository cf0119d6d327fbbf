/**
 * Keys as IndexedDB has them, as bytes of the store.
 *
 * A string is its UTF-8, so that it reads well with every other tool. Any other key begins with 0xff, which no UTF-8 does;
 * among them the bytes compare as the keys do. Behind the 0xff comes one encoded key:
 *
 * | tag | key |
 * |---|---|
 * | 0x10 | a number: big-endian, its sign turned over, and all of a negative one |
 * | 0x20 | a Date: its time likewise |
 * | 0x30 | a string with lone surrogates, or within an array: each UTF-16 unit as UTF-8 would have it; then as binary |
 * | 0x40 | binary: its bytes, each 0 as 0 255; a 0 |
 * | 0x50 | an array: its encoded keys; a 0 |
 */

import { TailstoneError } from "./errors.js";

/** What IndexedDB takes for a key: its `IDBValidKey`, which programs outside of browsers have no declaration of. */
export type ValidKey = number | string | Date | ArrayBuffer | ArrayBufferView | ValidKey[];

const END = 0;
const NUMBER = 0x10;
const DATE = 0x20;
const STRING = 0x30;
const BINARY = 0x40;
const ARRAY = 0x50;
const OTHER = 0xff;

/** No store takes longer keys, in bytes. */
const LENGTH_MAX = 1 << 16;

const LONE_SURROGATE = /\p{Cs}/u;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The key of the store for a key of IndexedDB. Fails with `invalid` on what IndexedDB refuses too. */
export function toStoreKey(key: unknown): string | Uint8Array<ArrayBuffer> {
  if (typeof key === "string" && !LONE_SURROGATE.test(key)) return key;
  const bytes = [OTHER];
  try {
    write(bytes, key);
  } catch (cause) {
    throw new TailstoneError("invalid", "the key is not one that IndexedDB accepts", { cause });
  }
  return Uint8Array.from(bytes);
}

/** The key of IndexedDB that `toStoreKey` made this of. Fails with `corrupt` on a key that another program put there. */
export function fromStoreKey(bytes: Uint8Array): ValidKey {
  try {
    if (bytes[0] !== OTHER) return decoder.decode(bytes);
    const cursor = { bytes, at: 1 };
    const key = read(cursor);
    if (cursor.at === bytes.length) return key;
  } catch (cause) {
    throw notOurs(cause);
  }
  throw notOurs();
}

/** Puts entries, which come in the order of the store's bytes, in IndexedDB's: numbers, dates, strings, binary, arrays. */
export function sortEntries<T>(entries: [ValidKey, T][]): [ValidKey, T][] {
  // The sort is stable: but for strings, whose UTF-8 and UTF-16 differ in order, each kind is in order already.
  return entries.sort(([a], [b]) => rank(a) - rank(b) || (typeof a === "string" ? (a < b ? -1 : +(a > b)) : 0));
}

function rank(key: ValidKey): number {
  if (typeof key === "number") return NUMBER;
  if (typeof key === "string") return STRING;
  if (Array.isArray(key)) return ARRAY;
  return key instanceof Date ? DATE : BINARY;
}

function notOurs(cause?: unknown): TailstoneError {
  return new TailstoneError("corrupt", "the store has a key that was not set by this module", { cause });
}

function write(to: number[], key: unknown): void {
  if (typeof key === "number") writeNumber(to, NUMBER, key);
  else if (typeof key === "string") {
    to.push(STRING);
    for (let i = 0; i < key.length; i++) writeUnit(to, key.charCodeAt(i));
    to.push(END);
  } else if (Array.isArray(key)) {
    to.push(ARRAY);
    // A hole is visited too, as undefined, which is refused.
    for (const item of key) {
      // An array that holds itself ends here, if not on the stack.
      if (to.length > LENGTH_MAX) throw new RangeError("too long a key");
      write(to, item);
    }
    to.push(END);
  } else if (ArrayBuffer.isView(key)) writeBinary(to, new Uint8Array(key.buffer, key.byteOffset, key.byteLength));
  else {
    const kind = Object.prototype.toString.call(key);
    if (kind === "[object Date]") writeNumber(to, DATE, (key as Date).getTime());
    else if (kind === "[object ArrayBuffer]") writeBinary(to, new Uint8Array(key as ArrayBuffer));
    else throw new TypeError(`a key cannot be ${kind}`);
  }
}

function writeNumber(to: number[], tag: number, value: number): void {
  if (Number.isNaN(value)) throw new TypeError("a key cannot be NaN");
  const view = new DataView(new ArrayBuffer(8));
  // The sum makes -0 to 0, which is the same key.
  view.setFloat64(0, value + 0);
  const bytes = new Uint8Array(view.buffer);
  const turned = value < 0 ? 0xff : 0;
  to.push(tag);
  bytes.forEach((byte, i) => to.push(byte ^ (i === 0 ? turned | 0x80 : turned)));
}

function writeUnit(to: number[], unit: number): void {
  if (unit < 0x80) writeByte(to, unit);
  else if (unit < 0x800) to.push(0xc0 | (unit >> 6), 0x80 | (unit & 63));
  else to.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 63), 0x80 | (unit & 63));
}

function writeBinary(to: number[], bytes: Uint8Array): void {
  to.push(BINARY);
  for (const byte of bytes) writeByte(to, byte);
  to.push(END);
}

function writeByte(to: number[], byte: number): void {
  to.push(byte);
  // A key that ends here is below one that goes on: the next byte is a tag or an end, below 255.
  if (byte === END) to.push(0xff);
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function next(from: Cursor): number {
  return from.bytes[from.at++] ?? fail();
}

function fail(): never {
  throw new RangeError("not an encoded key");
}

function read(from: Cursor): ValidKey {
  switch (next(from)) {
    case NUMBER:
      return readNumber(from);
    case DATE:
      return new Date(readNumber(from));
    case STRING: {
      const bytes = readEscaped(from);
      let text = "";
      for (let i = 0; i < bytes.length; ) {
        let unit = bytes[i++]!;
        if (unit >= 0xe0) unit = ((unit & 15) << 12) | ((bytes[i++]! & 63) << 6) | (bytes[i++]! & 63);
        else if (unit >= 0x80) unit = ((unit & 31) << 6) | (bytes[i++]! & 63);
        text += String.fromCharCode(unit);
      }
      return text;
    }
    case BINARY:
      return Uint8Array.from(readEscaped(from)).buffer;
    case ARRAY: {
      const keys: ValidKey[] = [];
      while (from.bytes[from.at] !== END) keys.push(read(from));
      from.at++;
      return keys;
    }
  }
  return fail();
}

function readNumber(from: Cursor): number {
  const view = new DataView(new ArrayBuffer(8));
  const first = next(from);
  const turned = first < 0x80 ? 0xff : 0;
  view.setUint8(0, first ^ (turned | 0x80));
  for (let i = 1; i < 8; i++) view.setUint8(i, next(from) ^ turned);
  return view.getFloat64(0);
}

function readEscaped(from: Cursor): number[] {
  const bytes: number[] = [];
  for (;;) {
    const byte = next(from);
    if (byte === END) {
      if (from.bytes[from.at] !== 0xff) return bytes;
      from.at++;
    }
    bytes.push(byte);
  }
}
