/**
 * The numbers of the binary protocol between a page and the engine: what `request.ts` writes, `src/request.rs` carries out,
 * and `answers.ts` reads.
 */

/** What the engine is asked for. */
export const OP = {
  bucket: 0,
  set: 1,
  get: 2,
  size: 3,
  delete: 4,
  range: 5,
  batch: 6,
  putIf: 7,
  keys: 8,
  count: 9,
  clear: 10,
  history: 11,
  version: 12,
  locate: 13,
} as const;

/** What it answers. */
export const ANSWER = {
  done: 0,
  none: 1,
  value: 2,
  number: 3,
  error: 4,
  extent: 5,
  versioned: 6,
  page: 7,
  list: 8,
} as const;

/** What happened to a key, in the records of changes. */
export const CHANGE = ["", "set", "delete", "clear"] as const;

/** Values from this length on travel in buffers of their own, which are moved and not copied. */
export const LARGE_BYTES = 16 * 1024;
/** Messages up to this length are copied: that takes less than to move their buffer. */
export const COPIED_BYTES = 4096;
