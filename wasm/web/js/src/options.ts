/** What the calls of a store take and give, besides keys and values. */

import type { Key } from "./request.js";

/**
 * When a change is on stable storage: at most 100 ms after its promise resolved, or before. With `"relaxed"` only a loss of
 * power can take it back meanwhile: the system has it at most some milliseconds after it was accepted, so a page that
 * is left, or whose process ends, loses nothing.
 */
export type Durability = "relaxed" | "strict";

/** How one change is made. */
export interface CallOptions {
  /** In the place of what the store was opened with. */
  durability?: Durability | undefined;
}

/** How one value is stored. */
export interface SetOptions extends CallOptions {
  /** How long the value is there, in milliseconds; for good unless said. */
  ttl?: number | undefined;
}

/** Which keys are gone through, in the order of their bytes. */
export interface Range {
  /** What they begin with. */
  prefix?: Key | undefined;
  /** How many at most. */
  limit?: number | undefined;
}

/** A range whose keys are given as bytes, for keys that are no text. */
export interface BytesRange extends Range {
  /** Says so. */
  as: "bytes";
}

/** What `batch` gathers. */
export interface Batch<T> {
  /** Stores a value. */
  set(key: Key, value: T): void;
  /** Removes a key. */
  delete(key: Key): void;
}

/** A change that some tab made. */
export interface WatchEvent {
  /** What happened; `resync` says that changes may have been missed, so that what was read before is to be read again. */
  type: "set" | "delete" | "clear" | "resync";
  /** The key, unless all keys are concerned. */
  key: string | undefined;
}
