/** The reading half of the codec `structured`. Nothing is believed: what a length promises must be there. */

import { TailstoneError } from "./errors.js";
import * as tags from "./structured-tags.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// Of the call under way; none of it runs code of the caller.
let bytes: Uint8Array<ArrayBuffer>;
let at: number;
let depth: number;
let objects: object[];

/** The value that `encode` made these bytes of. Fails with `corrupt` on any other bytes. */
export function decode(encoded: Uint8Array<ArrayBuffer>): any {
  bytes = encoded;
  at = depth = 0;
  objects = [];
  try {
    if (byte() !== tags.VERSION) fail();
    const value = read();
    if (at < bytes.length) fail();
    return value;
  } catch (cause) {
    throw new TailstoneError("corrupt", `not a structured value of version ${tags.VERSION}: ${cause}`, { cause });
  } finally {
    objects = [];
  }
}

function fail(): never {
  throw new RangeError(`at byte ${at} of ${bytes.length}`);
}

/** Passes over `length` bytes that are there, and gives where they begin. */
function take(length: number): number {
  const start = at;
  if (!(length <= bytes.length - at)) fail();
  at += length;
  return start;
}

function byte(): number {
  return bytes[take(1)]!;
}

function whole(): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const group = byte();
    value += (group & 127) * scale;
    if (group < 128) return value;
  }
}

function raw(length: number): Uint8Array<ArrayBuffer> {
  const start = take(length);
  return bytes.subarray(start, at);
}

function text(length: number): string {
  let value = "";
  if (length < 24) {
    // Calling the decoder costs more than most names are long.
    const start = take(length);
    for (let i = start; i < at && bytes[i]! < 128; i++) value += String.fromCharCode(bytes[i]!);
    if (value.length === length) return value;
    at = start;
  }
  return decoder.decode(raw(length));
}

function string(): string {
  const value = read();
  return typeof value === "string" ? value : fail();
}

/** Whether a list goes on; passes over its end. */
function goesOn(): boolean {
  if (bytes[at] !== tags.END) return true;
  at++;
  return false;
}

function read(): unknown {
  const tag = byte();
  if (tag >= tags.SHORT_WHOLE) return tag - tags.SHORT_WHOLE;
  if (tag >= tags.SHORT_TEXT) return text(tag - tags.SHORT_TEXT);
  if (tag === tags.WHOLE) return whole();
  if (tag === tags.NEGATIVE) return -whole();
  if (tag === tags.DOUBLE) {
    tags.DOUBLE_BYTES.set(raw(8));
    return tags.DOUBLES[0];
  }
  if (tag === tags.BIGINT) {
    const digits = string();
    return digits[0] === "-" ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
  }
  if (tag === tags.TEXT) return text(whole());
  if (tag === tags.LONE_SURROGATES) return `${JSON.parse(string())}`;
  if (tag === tags.AGAIN) return objects[whole()] ?? fail();
  if (tag === tags.END) fail();
  if (tag < tags.WHOLE) return tags.CONSTANTS[tag];
  if (++depth > tags.DEPTH_MAX) fail();
  const value = object(tag);
  depth--;
  return value;
}

/** Gives an object its number, before what it holds is read, which may name it. */
function known<T extends object>(value: T): T {
  objects.push(value);
  return value;
}

function object(tag: number): object {
  if (tag === tags.OBJECT) return pairs(known({}));
  if (tag === tags.SPARSE) {
    const list = known<unknown[]>([]);
    // An array that was longer once is kept as a table: its length alone takes no memory.
    list[2 ** 32 - 2] = 0;
    list.length = whole();
    return pairs(list);
  }
  // A browser may lack the youngest.
  const make = (globalThis as any)[tags.KINDS[tag - tags.KINDS_FROM]!] ?? fail();
  if (tag === tags.ARRAY) {
    const list = known<unknown[]>([]);
    for (let left = whole(); left > 0; left--) list.push(read());
    return list;
  }
  if (tag === tags.DATE) return known(new make(read()));
  if (tag <= tags.BOXED_LAST) return known(Object(read()));
  if (tag <= tags.SET) {
    const all = known(new make());
    while (goesOn()) tag === tags.MAP ? all.set(read(), read()) : all.add(read());
    return all;
  }
  if (tag <= tags.DOM_EXCEPTION) return known(new make(string(), string()));
  if (tag <= tags.ERROR_LAST) {
    const error = known(new make());
    for (const key of tags.ERROR_KEYS) if (goesOn()) define(error, key, read(), false);
    return error;
  }
  if (tag <= tags.FILE) {
    const type = string();
    if (tag === tags.BLOB) return known(new Blob([raw(whole())], { type }));
    const name = string();
    const lastModified = read() as number;
    return known(new File([raw(whole())], name, { type, lastModified }));
  }
  const { buffer } = new Uint8Array(raw(whole()));
  return known(tag === tags.ARRAY_BUFFER ? buffer : new make(buffer));
}

function pairs(target: any): object {
  while (goesOn()) {
    const key = string();
    if (key === "__proto__") define(target, key, read(), true);
    else if (key === "length" && Array.isArray(target)) fail();
    else target[key] = read();
  }
  return target;
}

/** As an assignment would, were there no setters. */
function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}
