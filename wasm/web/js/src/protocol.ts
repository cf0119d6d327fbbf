/**
 * The messages between a page and the worker that holds its store.
 *
 * A request carries all calls of one microtask, a reply all their outcomes, in the same order. The worker finishes a
 * request before it begins the next one.
 */

import type { WireError } from "./errors.js";
import type { Bytes } from "./pack.js";

/** What the worker can be asked for, with what it answers. */
export interface Operations {
  open: { call: { name: string; patience: number }; result: Opened };
  set: { call: { key: Bytes; value: Bytes | Blob }; result: undefined };
  get: { call: { key: Bytes }; result: Bytes | undefined };
  range: { call: { key: Bytes; offset: number; length: number }; result: Bytes | undefined };
  size: { call: { key: Bytes }; result: number | undefined };
  delete: { call: { key: Bytes }; result: boolean };
  flush: { call: object; result: undefined };
  stats: { call: object; result: Stats };
  verify: { call: object; result: Verdict };
  export: { call: object; result: Blob };
  import: { call: { file: Blob }; result: Recovery };
  close: { call: object; result: undefined };
}

export type Operation = keyof Operations;

export type Call = { [O in Operation]: { op: O } & Operations[O]["call"] }[Operation];

export type Result = Operations[Operation]["result"];

export interface Request {
  id: number;
  calls: Call[];
  shared: ArrayBuffer;
}

export type Outcome = { ok: Result } | { error: WireError };

export interface Reply {
  id: number;
  outcomes: Outcome[];
  shared: ArrayBuffer;
}

/** Where the bytes of a store lie. */
export type Backend = "opfs" | "memory";

export interface Opened {
  backend: Backend;
  /** Why the browser's file system could not be used; there is none when it is. */
  refused: WireError | undefined;
  recovery: Recovery;
}

/** What opening the store found, and what it cut off. */
export interface Recovery {
  /** Length of the file before, in bytes. */
  fileBytes: number;
  /** Where the last entry ends, in bytes. */
  tail: number;
  /** Bytes of an unfinished last write that were cut off. */
  cutBytes: number;
  /** What was found, in one word, such as `Clean` or `TornTail`. */
  outcome: string;
  /** The same in one sentence. */
  summary: string;
}

/** What a store holds and takes. */
export interface Stats {
  /** Keys with a value. */
  liveKeys: number;
  /** Length of the store, in bytes. */
  fileBytes: number;
  /** What it would take after being rewritten without what is no longer in use, in bytes. */
  compactedBytes: number;
  /** The difference, in bytes. */
  compactionSavings: number;
  /** Memory that the index takes, in bytes. */
  indexBytes: number;
}

/** What reading every byte of the store found. */
export interface Verdict {
  /** Whether every entry and every link is sound. */
  sound: boolean;
  /** The finding in one sentence. */
  summary: string;
}
