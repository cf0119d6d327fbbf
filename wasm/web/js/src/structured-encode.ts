/** The writing half of the codec `structured`: one pass over the value into a scratch buffer that outlives the call. */

import { TailstoneError } from "./errors.js";
import * as tags from "./structured-tags.js";

/** How large a scratch buffer stays for the next call, in bytes. */
const SCRATCH_KEPT = 1 << 16;

const LONE_SURROGATE = /\p{Cs}/u;

const encoder = new TextEncoder();

let out = new Uint8Array(SCRATCH_KEPT);
let at = 0;

// Of the call under way. A getter of its value may encode another: that one writes behind it, and puts these back.
let numbers: Map<object, number>;
let depth: number;
/** What comes before the bytes from `from` on, where there are blobs. */
let parts: BlobPart[];
let from: number;

/**
 * The bytes of `value`; a promise of them if there is a `Blob` in it. Fails with `invalid` if something in it cannot be
 * stored: a function, a symbol, an object of the browser, more than 1,000 objects in each other, a getter that throws.
 */
export function encode(value: unknown): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  const start = at;
  const outer = [numbers, depth, parts, from] as const;
  numbers = new Map();
  depth = 0;
  parts = [];
  from = start;
  try {
    byte(tags.VERSION);
    write(value);
    const rest = out.slice(from, at);
    if (parts.length === 0) return rest;
    return new Blob([...parts, rest]).arrayBuffer().then(
      (buffer) => new Uint8Array(buffer),
      (cause) => {
        throw new TailstoneError("io", "a blob could not be read", { cause });
      },
    );
  } catch (cause) {
    throw new TailstoneError("invalid", `the value cannot be stored: ${cause}`, { cause });
  } finally {
    at = start;
    [numbers, depth, parts, from] = outer;
    if (at === 0 && out.length > SCRATCH_KEPT) out = new Uint8Array(SCRATCH_KEPT);
  }
}

/** Takes the next `length` bytes, and gives where they begin. */
function room(length: number): number {
  const start = at;
  at += length;
  if (at > out.length) {
    const grown = new Uint8Array(at * 2);
    grown.set(out);
    out = grown;
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

function raw(bytes: Uint8Array): void {
  const start = room(bytes.length);
  out.set(bytes, start);
}

function counted(bytes: Uint8Array): void {
  whole(bytes.length);
  raw(bytes);
}

function text(value: string): void {
  const { length } = value;
  if (length < 64) {
    // Calling the encoder costs more than most names are long.
    const start = room(1 + length);
    out[start] = tags.SHORT_TEXT + length;
    let i = 0;
    for (let code: number; i < length && (code = value.charCodeAt(i)) < 128; ) out[start + ++i] = code;
    if (i === length) return;
    at = start;
  }
  const bytes = encoder.encode(value);
  if (bytes.length > length && LONE_SURROGATE.test(value)) {
    byte(tags.LONE_SURROGATES);
    text(JSON.stringify(value));
  } else {
    byte(tags.TEXT);
    counted(bytes);
  }
}

function write(value: unknown): void {
  if (typeof value === "string") text(value);
  else if (typeof value === "number") number(value);
  else if (typeof value === "bigint") {
    byte(tags.BIGINT);
    text(value.toString(16));
  } else if (value && typeof value === "object") object(value);
  else {
    const tag = tags.CONSTANTS.lastIndexOf(value);
    if (tag < 0) refuse(value);
    byte(tag);
  }
}

function number(value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    byte(tags.DOUBLE);
    tags.DOUBLES[0] = value;
    raw(tags.DOUBLE_BYTES);
  } else if (value >= 0 && value < 128) byte(tags.SHORT_WHOLE + value);
  else {
    byte(value < 0 ? tags.NEGATIVE : tags.WHOLE);
    whole(Math.abs(value));
  }
}

function object(value: object): void {
  const known = numbers.get(value);
  if (known !== undefined) {
    byte(tags.AGAIN);
    whole(known);
    return;
  }
  numbers.set(value, numbers.size);
  if (++depth > tags.DEPTH_MAX) throw new RangeError("too many objects in each other");
  let kind = Object.getPrototypeOf(value) === Object.prototype ? "Object" : kindOf(value);
  const { name } = value as Error;
  if (kind === "Error" && /Error$/.test(name) && tags.KINDS.includes(name)) kind = name;
  if (!tags.KINDS.includes(kind)) {
    // An instance of a class that names itself is an object like any other; the browser tells it from one of its own.
    kind = kindOf(structuredClone(value));
    if (kind !== "Object") refuse(value);
  }
  const tag = tags.KINDS_FROM + tags.KINDS.indexOf(kind);
  if (tag === tags.ARRAY) array(value as unknown[]);
  else content(value, tag);
  depth--;
}

/** What `value` is, by its internal slots or by its own word. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Fails with the browser's own error where it has one. */
function refuse(value: unknown): never {
  structuredClone(value);
  throw new DOMException(`a ${kindOf(value)} cannot be cloned`, "DataCloneError");
}

function array(value: unknown[]): void {
  // As many values as elements, and no holes: no names either. `Object.keys` would say so too, at ten times the cost.
  const values = Object.values(value);
  if (values.length === value.length && (!value.includes(undefined) || values.every((_, i) => i in value))) {
    byte(tags.ARRAY);
    whole(values.length);
    values.forEach(write);
  } else {
    byte(tags.SPARSE);
    whole(value.length);
    pairs(value);
  }
}

function pairs(value: object): void {
  for (const key of Object.keys(value)) {
    text(key);
    write((value as Record<string, unknown>)[key]);
  }
  byte(tags.END);
}

/** The tag says what `value` has. */
function content(value: any, tag: number): void {
  byte(tag);
  if (tag === tags.OBJECT) pairs(value);
  else if (tag <= tags.BOXED_LAST) write(value.valueOf());
  else if (tag <= tags.SET) {
    value.forEach((item: unknown, key: unknown) => {
      if (tag === tags.MAP) write(key);
      write(item);
    });
    byte(tags.END);
  } else if (tag < tags.DOM_EXCEPTION) {
    text(value.source);
    text(value.flags);
  } else if (tag === tags.DOM_EXCEPTION) {
    text(value.message);
    text(value.name);
  } else if (tag <= tags.ERROR_LAST) {
    for (const key of tags.ERROR_KEYS) {
      // The stack is a getter of all errors in some browsers.
      const has = key === "stack" ? value.stack : Object.hasOwn(value, key);
      if (has) write(key === "cause" ? value.cause : `${value[key]}`);
      else byte(tags.END);
    }
  } else if (tag <= tags.FILE) {
    text(value.type);
    if (tag === tags.FILE) {
      text(value.name);
      number(value.lastModified);
    }
    whole(value.size);
    parts.push(out.slice(from, at), value);
    from = at;
  } else if (tag === tags.ARRAY_BUFFER) counted(new Uint8Array(value));
  else counted(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}
