/** Keys and values of the workloads: every value follows from its number and its generation, and is compared when read. */

import type { Bytes, Entry } from "./adapter.ts";

export function keyOf(prefix: string, number: number): string {
  return `${prefix}:${String(number).padStart(9, "0")}`;
}

/** Bytes that neither repeat nor compress, the same each time. */
export function valueOf(number: number, size: number, generation = 0): Bytes {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(generation + 1, 0x85ebca6b) || 1;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  const bytes = new Uint8Array(words.buffer);
  // A view of part of a buffer would be cloned with all of it.
  return bytes.length === size ? bytes : bytes.slice(0, size);
}

export function entriesOf(prefix: string, first: number, count: number, size: number, generation = 0): Entry[] {
  return Array.from({ length: count }, (_, at) => [keyOf(prefix, first + at), valueOf(first + at, size, generation)]);
}

/** Fails unless `found` is exactly `expected`. */
export function check(found: Bytes | undefined, expected: Bytes, what: string): void {
  if (!(found instanceof Uint8Array)) throw new Error(`${what}: no bytes came back`);
  if (found.length !== expected.length) throw new Error(`${what}: ${found.length} bytes instead of ${expected.length}`);
  for (let at = 0; at < expected.length; at++) {
    if (found[at] !== expected[at]) throw new Error(`${what}: byte ${at} differs`);
  }
}

/** A generator of whole numbers below a bound, the same each time. */
export function numbers(seed: number): (bound: number) => number {
  let state = seed | 1;
  return (bound) => {
    state = Math.imul(state, 1664525) + 1013904223;
    return Math.floor(((state >>> 0) / 2 ** 32) * bound);
  };
}
