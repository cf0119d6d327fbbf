/**
 * What the harness asks of a peer: the one interface behind which they all stand.
 *
 * An answer may be plain or a promise: inside a worker some peers are synchronous, and awaiting them would be measured.
 */

export type Bytes = Uint8Array<ArrayBuffer>;
export type Maybe<T> = T | Promise<T>;
export type Entry = readonly [key: string, value: Bytes];

/** Where the measured code runs: on the page's main thread, or inside a dedicated worker. */
export type Lane = "main" | "worker";
export type Durability = "relaxed" | "strict";

export interface Store {
  set(key: string, value: Bytes): Maybe<void>;
  get(key: string): Maybe<Bytes | undefined>;
  /** In one transaction where the peer has such a thing. */
  setMany(entries: Entry[]): Maybe<void>;
  getMany(keys: string[]): Maybe<(Bytes | undefined)[]>;
  /** Every key with its value, in the order that costs the peer least. */
  scan(): Maybe<Entry[]>;
  /** Left out by a peer that can only read whole values. */
  range?(key: string, offset: number, length: number): Maybe<Bytes>;
  /** On stable storage, where that is not so when `set` has resolved. */
  flush?(): Maybe<void>;
  /** Gives the space of overwritten values back. */
  compact?(): Maybe<void>;
  close(): Maybe<void>;
}

export interface OpenOptions {
  name: string;
  lane: Lane;
  durability: Durability;
}

/** What each module in `peers/` exports. */
export type Open = (options: OpenOptions) => Promise<Store>;
