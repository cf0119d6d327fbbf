/**
 * Who is measured, and what its durability means; the order is that of tables and plots.
 *
 * Relaxed and strict peers are never held against each other where something is written. A variant that differs from its
 * sibling only in how it writes takes part in the workloads that write.
 */

import type { Durability, Lane } from "./adapter.ts";

export interface Peer {
  id: string;
  title: string;
  /** The npm package whose version is reported; none for what the browser has built in. */
  npm?: string;
  durability: Durability;
  /** What a resolved `set` promises. */
  meaning: string;
  lanes: readonly Lane[];
  /** Whether only the workloads that write are run. */
  writesOnly?: true;
  /** Why a second tab cannot use an open store. */
  oneTab?: string;
  /** The largest store that it is asked to fill; one without batches takes too long over more. */
  keysMax?: number;
}

const BOTH: readonly Lane[] = ["main", "worker"];
const MAIN: readonly Lane[] = ["main"];
const POOL = "its pool of files is one worker's; an app must hand calls from tab to tab itself";

export const PEERS: readonly Peer[] = [
  {
    id: "tailstone",
    title: "tailstone",
    durability: "relaxed",
    meaning: "accepted; on stable storage at most 100 ms later",
    lanes: BOTH,
  },
  {
    id: "idb-keyval",
    title: "idb-keyval",
    npm: "idb-keyval",
    durability: "relaxed",
    meaning: "handed to the system, with the browser's default durability; no flush",
    lanes: BOTH,
  },
  {
    id: "indexeddb",
    title: "IndexedDB",
    durability: "relaxed",
    meaning: "handed to the system, relaxed durability; no flush",
    lanes: BOTH,
  },
  {
    id: "dexie",
    title: "dexie",
    npm: "dexie",
    durability: "relaxed",
    meaning: "handed to the system, relaxed durability; no flush",
    lanes: MAIN,
  },
  {
    id: "localforage",
    title: "localforage",
    npm: "localforage",
    durability: "relaxed",
    meaning: "handed to the system, with the browser's default durability; no flush",
    lanes: MAIN,
    keysMax: 10_000,
  },
  {
    id: "sqlite-wal",
    title: "sqlite WAL",
    npm: "@sqlite.org/sqlite-wasm",
    durability: "relaxed",
    meaning: "in the write-ahead log, synchronous=NORMAL: flushed at the next checkpoint",
    lanes: BOTH,
    oneTab: POOL,
  },
  {
    id: "tailstone-strict",
    title: "tailstone strict",
    durability: "strict",
    meaning: "flushed",
    lanes: BOTH,
    writesOnly: true,
  },
  {
    id: "indexeddb-strict",
    title: "IndexedDB strict",
    durability: "strict",
    meaning: "flushed, strict durability",
    lanes: BOTH,
    writesOnly: true,
  },
  {
    id: "sqlite",
    title: "sqlite",
    npm: "@sqlite.org/sqlite-wasm",
    durability: "strict",
    meaning: "flushed: rollback journal, synchronous=FULL (the default)",
    lanes: BOTH,
    oneTab: POOL,
  },
  {
    id: "wa-sqlite",
    title: "wa-sqlite",
    npm: "wa-sqlite",
    durability: "strict",
    meaning: "flushed: rollback journal, synchronous=FULL (the default)",
    lanes: BOTH,
    oneTab: POOL,
  },
];

export function peerOf(id: string): Peer {
  const found = PEERS.find((peer) => peer.id === id);
  if (found === undefined) throw new Error(`no peer is called ${id}`);
  return found;
}
