/**
 * The codec `structured`: what the structured clone algorithm carries, as bytes.
 *
 * `encode` gives bytes that own their buffer; `decode` gives a value of its own, and ends, in time and memory bounded by
 * the length of the bytes, whatever they are. What one version wrote, every later one reads.
 *
 * The bytes are a 1, the version, and one value. A value is a tag of one byte and what the tag says; `n` is a whole
 * number in groups of seven bits, the lowest first, all but the last with the high bit set; numbers of fixed size are
 * little-endian.
 *
 * | tag | value |
 * |---|---|
 * | 0x80 + i | the number i, 0 to 127 |
 * | 0x40 + i | a string of i bytes of UTF-8, which follow |
 * | 0 | no value: the end of a list of pairs or values; the absence of an error's `cause` |
 * | 1, 2, 3, 4 | undefined, null, false, true |
 * | 5 n, 6 n | the numbers n and -n |
 * | 7 f64 | any other number |
 * | 8 string | a bigint in hexadecimal, perhaps with a minus |
 * | 9 u32 bytes | a string of that many bytes of UTF-8 |
 * | 10 u32 bytes | a string with lone surrogates, of that many bytes of UTF-16 |
 * | 11 n | the object numbered n once more: objects, which are what follows, are numbered from 0 as their tags come |
 * | 12 pairs 0 | an object: names and values |
 * | 13 n values | an array of n elements and nothing else |
 * | 14 n pairs 0 | an array of length n with holes or names |
 * | 15 number | a Date |
 * | 16 string string | a RegExp: source, flags |
 * | 17 pairs 0, 18 values 0 | a Map, a Set |
 * | 19 value | a boxed primitive |
 * | 20 string value value value | an error: name, message and stack or undefined, cause or 0 |
 * | 21 string string | a DOMException: name, message |
 * | 22 string n bytes | a Blob: type, contents |
 * | 23 string number string n bytes | a File: name, time of its last change, type, contents |
 * | 24 + i, n bytes | the binary type i of `BINARY`, of n bytes |
 */

import { TailstoneError } from "./errors.js";

const VERSION = 1;
const END = 0;
const UNDEFINED = 1;
const NULL = 2;
const FALSE = 3;
const TRUE = 4;
const WHOLE = 5;
const NEGATIVE = 6;
const DOUBLE = 7;
const BIGINT = 8;
const TEXT = 9;
const UNITS = 10;
const AGAIN = 11;
const OBJECT = 12;
const ARRAY = 13;
const SPARSE = 14;
const DATE = 15;
const REGEXP = 16;
const MAP = 17;
const SET = 18;
const BOXED = 19;
const ERROR = 20;
const DOM_EXCEPTION = 21;
const BLOB = 22;
const FILE = 23;
const BINARY_FIRST = 24;
const SHORT_TEXT = 0x40;
const SHORT_WHOLE = 0x80;

/** The format knows these by their place. */
const BINARY =
  "ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array BigInt64Array BigUint64Array Float16Array".split(
    " ",
  );

/** Errors that keep their class, as in the structured clone algorithm; all others become `Error`. */
const KNOWN_ERROR = /^(Eval|Range|Reference|Syntax|Type|URI)Error$/;

/** How deep objects nest. A stack overflows at another depth in each browser and thread; what was written must be readable. */
const DEPTH_MAX = 1000;

/** How large a scratch buffer stays for the next call, in bytes. */
const SCRATCH_KEPT = 1 << 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// The state of the call under way. A getter of the value may encode another one in the middle: it writes behind this one.
let out = new Uint8Array(SCRATCH_KEPT);
let outView = new DataView(out.buffer);
let at = 0;
let places: Map<object, number>;
let blobs: [number, Blob][];
let depth = 0;

/**
 * The bytes of `value`; a promise of them if there is a `Blob` in it. Fails with `invalid` if something in it cannot be
 * stored: a function, a symbol, an object of the browser; nesting beyond 1,000 objects; a getter that throws.
 */
function encode(value: unknown): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  const start = at;
  const outer = [places, blobs, depth] as const;
  places = new Map();
  blobs = [];
  depth = 0;
  try {
    byte(VERSION);
    write(value);
    if (blobs.length === 0) return out.slice(start, at);
    const parts: BlobPart[] = [];
    let from = start;
    for (const [to, blob] of blobs) {
      parts.push(out.slice(from, to), blob);
      from = to;
    }
    parts.push(out.slice(from, at));
    return new Blob(parts).arrayBuffer().then(
      (buffer) => new Uint8Array(buffer),
      (cause) => {
        throw new TailstoneError("io", "a blob could not be read", { cause });
      },
    );
  } catch (cause) {
    throw new TailstoneError("invalid", `the value cannot be stored: ${(cause as Error)?.message}`, { cause });
  } finally {
    at = start;
    [places, blobs, depth] = outer;
    if (start === 0 && out.length > SCRATCH_KEPT) {
      out = new Uint8Array(SCRATCH_KEPT);
      outView = new DataView(out.buffer);
    }
  }
}

/** Takes the next `length` bytes, and gives where they begin. */
function room(length: number): number {
  const start = at;
  at += length;
  if (at > out.length) {
    const grown = new Uint8Array(Math.max(at, 2 * out.length));
    grown.set(out);
    out = grown;
    outView = new DataView(out.buffer);
  }
  return start;
}

function byte(value: number): void {
  const start = room(1);
  out[start] = value;
}

function whole(value: number): void {
  for (; value > 127; value = Math.floor(value / 128)) byte(value | 128);
  byte(value);
}

function number(value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    if (value >= 0 && value < 128) return byte(SHORT_WHOLE + value);
    byte(value < 0 ? NEGATIVE : WHOLE);
    return whole(Math.abs(value));
  }
  byte(DOUBLE);
  const start = room(8);
  outView.setFloat64(start, value, true);
}

function text(value: string): void {
  const { length } = value;
  // Room for the longest form; `at` moves back to what the string came to.
  const start = room(5 + 3 * length);
  if (length < 64) {
    // Calling the encoder costs more than most names are long.
    let i = 0;
    for (; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) break;
      out[start + 1 + i] = code;
    }
    if (i === length) {
      out[start] = SHORT_TEXT + length;
      at = start + 1 + length;
      return;
    }
  }
  let { written } = encoder.encodeInto(value, out.subarray(start + 5));
  let tag = TEXT;
  if (written > length && /\p{Cs}/u.test(value)) {
    tag = UNITS;
    written = 2 * length;
    for (let i = 0; i < length; i++) outView.setUint16(start + 5 + 2 * i, value.charCodeAt(i), true);
  } else if (written < 64) {
    out.copyWithin(start + 1, start + 5, start + 5 + written);
    out[start] = SHORT_TEXT + written;
    at = start + 1 + written;
    return;
  }
  out[start] = tag;
  outView.setUint32(start + 1, written, true);
  at = start + 5 + written;
}

function write(value: unknown): void {
  switch (typeof value) {
    case "string":
      return text(value);
    case "number":
      return number(value);
    case "boolean":
      return byte(value ? TRUE : FALSE);
    case "undefined":
      return byte(UNDEFINED);
    case "bigint":
      byte(BIGINT);
      return text(value.toString(16));
    case "object":
      return value === null ? byte(NULL) : object(value);
    default:
      refuse(value);
  }
}

function object(value: object): void {
  const place = places.get(value);
  if (place !== undefined) {
    byte(AGAIN);
    return whole(place);
  }
  places.set(value, places.size);
  if (++depth > DEPTH_MAX) throw new RangeError(`it nests more than ${DEPTH_MAX} objects`);
  if (Array.isArray(value)) array(value);
  else content(value, Object.getPrototypeOf(value) === Object.prototype ? "Object" : kindOf(value));
  depth--;
}

/** Each case knows what it has by `kind`. */
function content(value: any, kind: string): void {
  switch (kind) {
    case "Object":
      byte(OBJECT);
      return pairs(value);
    case "Date":
      byte(DATE);
      return number(value.getTime());
    case "RegExp":
      byte(REGEXP);
      text(value.source);
      return text(value.flags);
    case "Map":
      byte(MAP);
      (value as Map<unknown, unknown>).forEach((item, key) => {
        write(key);
        write(item);
      });
      return byte(END);
    case "Set":
      byte(SET);
      (value as Set<unknown>).forEach(write);
      return byte(END);
    case "Boolean":
    case "Number":
    case "String":
    case "BigInt":
      byte(BOXED);
      return write(value.valueOf());
    case "Error":
      byte(ERROR);
      text(KNOWN_ERROR.test(value.name) ? value.name : "Error");
      write(Object.hasOwn(value, "message") ? `${value.message}` : undefined);
      write(typeof value.stack === "string" ? value.stack : undefined);
      return Object.hasOwn(value, "cause") ? write(value.cause) : byte(END);
    case "DOMException":
      byte(DOM_EXCEPTION);
      text(value.name);
      return text(value.message);
    case "File":
    case "Blob":
      byte(kind === "File" ? FILE : BLOB);
      if (kind === "File") {
        text(value.name);
        number(value.lastModified);
      }
      text(value.type);
      whole(value.size);
      blobs.push([at, value]);
      return;
  }
  const binary = BINARY.indexOf(kind);
  if (binary >= 0) {
    const bytes = binary === 0 ? new Uint8Array(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    byte(BINARY_FIRST + binary);
    whole(bytes.length);
    const start = room(bytes.length);
    return out.set(bytes, start);
  }
  // An instance of a class that names itself is an object like any other; the browser tells it from one of its own.
  if (kindOf(structuredClone(value)) !== "Object") refuse(value);
  byte(OBJECT);
  pairs(value);
}

function array(value: unknown[]): void {
  // As many values as elements, and no holes: no names either. `Object.keys` would say so too, at ten times the cost.
  const values = Object.values(value);
  if (values.length === value.length && (!values.includes(undefined) || values.every((_, i) => i in value))) {
    byte(ARRAY);
    whole(values.length);
    for (const item of values) write(item);
  } else {
    byte(SPARSE);
    whole(value.length);
    pairs(value);
  }
}

function pairs(value: object): void {
  for (const key of Object.keys(value)) {
    text(key);
    write((value as Record<string, unknown>)[key]);
  }
  byte(END);
}

/** What `value` is, by its internal slots or by its own word. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Fails with the browser's own error where it has one. */
function refuse(value: unknown): never {
  structuredClone(value);
  throw new DOMException(`${kindOf(value)} object could not be cloned.`, "DataCloneError");
}

let bytes: Uint8Array<ArrayBuffer>;
let bytesView: DataView;
let position = 0;
let nesting = 0;
let objects: object[] = [];

/** The value that `encode` made these bytes of, with nothing of theirs in it. Fails with `corrupt` on any other bytes. */
function decode(encoded: Uint8Array<ArrayBuffer>): any {
  bytes = encoded;
  bytesView = new DataView(encoded.buffer, encoded.byteOffset, encoded.length);
  position = 1;
  nesting = 0;
  try {
    if (bytes[0] !== VERSION) fail("another version, or not a structured value");
    const value = read();
    if (position !== bytes.length) fail("more than one value");
    return value;
  } catch (cause) {
    throw new TailstoneError("corrupt", `the bytes are no value of this codec: ${(cause as Error).message}`, { cause });
  } finally {
    objects = [];
  }
}

function fail(what: string): never {
  throw new Error(`${what}, at byte ${position}`);
}

/** Passes over `length` bytes that are there, and gives where they begin. */
function take(length: number): number {
  if (!(length <= bytes.length - position)) fail("the end is missing");
  const start = position;
  position += length;
  return start;
}

function readWhole(): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const group = bytes[take(1)]!;
    value += (group & 127) * scale;
    if (group < 128) return value;
  }
}

function readText(length: number): string {
  const start = take(length);
  if (length < 24) {
    let value = "";
    for (let i = start; i < position && bytes[i]! < 128; i++) value += String.fromCharCode(bytes[i]!);
    if (value.length === length) return value;
  }
  return decoder.decode(bytes.subarray(start, position));
}

function readString(): string {
  const value = read();
  return typeof value === "string" ? value : fail("not a string");
}

/** Whether a list goes on; passes over its end. */
function goesOn(): boolean {
  if (bytes[position] !== END) return true;
  position++;
  return false;
}

function read(): unknown {
  const tag = bytes[take(1)]!;
  if (tag >= SHORT_WHOLE) return tag - SHORT_WHOLE;
  if (tag >= SHORT_TEXT) return readText(tag - SHORT_TEXT);
  switch (tag) {
    case UNDEFINED:
      return undefined;
    case NULL:
      return null;
    case FALSE:
      return false;
    case TRUE:
      return true;
    case WHOLE:
      return readWhole();
    case NEGATIVE:
      return -readWhole();
    case DOUBLE:
      return bytesView.getFloat64(take(8), true);
    case BIGINT: {
      const digits = readString();
      return digits[0] === "-" ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
    }
    case TEXT:
      return readText(bytesView.getUint32(take(4), true));
    case UNITS: {
      const end = bytesView.getUint32(take(4), true) + position;
      let value = "";
      while (position < end) value += String.fromCharCode(bytesView.getUint16(take(2), true));
      return value;
    }
    case AGAIN:
      return objects[readWhole()] ?? fail("an object that has not come yet");
  }
  if (++nesting > DEPTH_MAX) fail("nested too deep");
  const value = readObject(tag);
  nesting--;
  return value;
}

/** An object has its number before what it holds is read, which may name it. */
function known<T extends object>(value: T): T {
  objects.push(value);
  return value;
}

function readObject(tag: number): object {
  switch (tag) {
    case OBJECT:
      return readPairs(known({}));
    case ARRAY: {
      const list = known<unknown[]>([]);
      for (let left = readWhole(); left > 0; left--) list.push(read());
      return list;
    }
    case SPARSE: {
      const list = known<unknown[]>([]);
      // An array that was longer once is kept as a table: its length alone takes no memory.
      list[2 ** 32 - 2] = 0;
      list.length = readWhole();
      return readPairs(list);
    }
    case DATE:
      return known(new Date(read() as number));
    case REGEXP:
      return known(new RegExp(readString(), readString()));
    case MAP: {
      const map = known(new Map());
      while (goesOn()) map.set(read(), read());
      return map;
    }
    case SET: {
      const set = known(new Set());
      while (goesOn()) set.add(read());
      return set;
    }
    case BOXED:
      return known(Object(read()));
    case ERROR: {
      const name = readString();
      const error = known(new (constructorOf(KNOWN_ERROR.test(name) ? name : "Error"))());
      for (const key of ["message", "stack", "cause"]) {
        if (!goesOn()) break;
        const value = read();
        if (value !== undefined || key === "cause") {
          Object.defineProperty(error, key, { value, writable: true, configurable: true });
        }
      }
      return error;
    }
    case DOM_EXCEPTION: {
      const name = readString();
      return known(new DOMException(readString(), name));
    }
    case BLOB:
      return known(new Blob(...readBlob()));
    case FILE: {
      const name = readString();
      const lastModified = read() as number;
      const [parts, { type }] = readBlob();
      return known(new File(parts, name, { type, lastModified }));
    }
  }
  const make = constructorOf(BINARY[tag - BINARY_FIRST] ?? fail("not a tag"));
  const start = take(readWhole()) + bytes.byteOffset;
  const buffer = bytes.buffer.slice(start, position + bytes.byteOffset);
  return known(tag === BINARY_FIRST ? buffer : new make(buffer));
}

function readBlob(): [BlobPart[], { type: string }] {
  const type = readString();
  const start = take(readWhole());
  return [[bytes.subarray(start, position)], { type }];
}

function readPairs(target: object): object {
  while (goesOn()) {
    const key = readString();
    if (key === "length" && Array.isArray(target)) fail("not a name");
    const value = read();
    if (key === "__proto__") {
      Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
    } else (target as Record<string, unknown>)[key] = value;
  }
  return target;
}

function constructorOf(name: string): new (buffer?: ArrayBuffer) => object {
  return (globalThis as any)[name] ?? fail(`no ${name} here`);
}

/** The codec. See the head of this file for what it writes. */
export const structured = { encode, decode };
