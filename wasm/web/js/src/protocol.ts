/**
 * The messages between a page and the worker that holds its store, and between the workers of several tabs.
 *
 * A message with ops carries all calls of one microtask, its reply all their answers in the same order. What is not
 * asked for often travels as one call a message. Messages of one sender are carried out in the order of their numbers.
 */

import type { WireError } from "./errors.js";

/** Where the bytes of a store lie. */
export type Backend = "opfs" | "memory" | "file";

/** What can be asked for by name, with what comes back. */
export interface Calls {
  /** Only of one's own worker. */
  open: { arguments: OpenArguments; result: Opened };
  /** Likewise, and the only call. */
  salvage: { arguments: { name: string }; result: Recovery };
  put: { arguments: PutArguments; result: undefined };
  /** Room for a value whose length is not known yet. */
  spool: { arguments: object; result: number };
  piece: { arguments: { spool: number; bytes: ArrayBuffer }; result: undefined };
  putSpool: { arguments: Place & { spool: number }; result: undefined };
  dropSpool: { arguments: { spool: number }; result: undefined };
  /** Holds a value, or the whole file, as it is now, for reading it piece by piece. */
  hold: { arguments: Place | { whole: true }; result: Held | undefined };
  read: { arguments: { held: number; offset: number; length: number }; result: ArrayBuffer };
  letGo: { arguments: { held: number }; result: undefined };
  flush: { arguments: object; result: undefined };
  stats: { arguments: object; result: Stats };
  verify: { arguments: object; result: Verdict };
  compact: { arguments: object; result: undefined };
  import: { arguments: { file: Blob } | { spool: number }; result: Recovery };
  watch: { arguments: { on: boolean }; result: undefined };
  close: { arguments: object; result: undefined };
}

export type CallName = keyof Calls;

export interface OpenArguments {
  name: string;
  compactAt: number;
}

export interface Place {
  bucket: string;
  key: ArrayBuffer;
}

export interface PutArguments extends Place {
  value: ArrayBuffer | Blob;
  /** Of a buffer, which may have room to spare. */
  length?: number;
  /** Milliseconds since 1970, or 0. */
  expiresAt: number;
}

export interface Held {
  held: number;
  length: number;
}

interface Asked {
  id: number;
  /** Whether the answer waits for a flush. */
  strict: boolean;
  /** Whether doing it twice would not be the same as doing it once. */
  once: boolean;
}

/** Ops, as `request.ts` writes them; the buffer may have room to spare behind them. */
export interface OpsRequest extends Asked {
  ops: ArrayBuffer;
  length: number;
}

export interface CallRequest extends Asked {
  call: CallName;
  arguments: object;
}

export type Request = OpsRequest | CallRequest;

/** The engine's code, compiled where it was asked for first, or why there is none. @internal */
export type Code = { code: WebAssembly.Module } | { noCode: WireError };

export type Reply =
  | { id: number; answers: ArrayBuffer; large: ArrayBuffer[] }
  | { id: number; ok: unknown; spare?: ArrayBuffer | undefined }
  | { id: number; error: WireError };

/** What a worker says without being asked. */
export type Event =
  /** Records of changed keys. */
  | { changes: ArrayBuffer }
  /** Changes may have been missed. */
  | { resync: true }
  /** The store does not outlive the page, or what was accepted cannot be made durable. */
  | { degraded: WireError };

export interface Opened {
  backend: Backend;
  recovery: Recovery;
}

/** What opening the store found, and what it cut off. */
export interface Recovery {
  /** Length of the file before, in bytes. */
  fileBytes: number;
  /** Where the last entry ends, in bytes. */
  tail: number;
  /** Bytes of unfinished last writes that were cut off, or were not taken over by a rescue. */
  cutBytes: number;
  /** Entries in the file, live or not. */
  entries: number;
  /** Those among the last ones that are damaged; `verify` reads all. */
  damagedEntries: number;
  /** What was found, in one word, such as `Clean`, `TornTail` or `Salvaged`. */
  outcome: string;
  /** The same in one sentence. */
  summary: string;
}

/** What a store holds and takes. */
export interface Stats {
  /** Keys with a value, in all buckets. */
  liveKeys: number;
  /** Length of the store, in bytes. */
  fileBytes: number;
  /** What it would take after a compaction, in bytes. */
  compactedBytes: number;
  /** The difference, in bytes. */
  compactionSavings: number;
  /** Memory that the index takes, in bytes. */
  indexBytes: number;
  /** Accepted and not yet on stable storage, in bytes. */
  unflushedBytes: number;
  /** What the browser says that this origin takes, in bytes. */
  usageBytes?: number | undefined;
  /** What the browser grants this origin, in bytes. */
  quotaBytes?: number | undefined;
}

/** What reading every byte of the store found. */
export interface Verdict {
  /** Whether every entry and every link is sound. */
  sound: boolean;
  /** Length of what was read, in bytes. */
  fileBytes: number;
  /** Entries read, live or not. */
  entries: number;
  /** Entries whose bytes are not those that were written. */
  damagedEntries: number;
  /** The finding in one sentence. */
  summary: string;
}
