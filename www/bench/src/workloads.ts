/** What is measured, by name: the order and the words of tables and plots, and how much of it each scale runs. */

export type Unit = "µs" | "bytes";

export interface Workload {
  id: string;
  title: string;
  unit: Unit;
  /** Whether durability takes part in it: then relaxed and strict are shown apart. */
  writes: boolean;
  group: "open" | "write" | "read" | "rewrite" | "tabs";
}

type Row = [id: string, title: string, group: Workload["group"], writes: boolean, unit?: Unit];

const ROWS: Row[] = [
  ["open", "open an empty store, first answer", "open", false],
  ["reopen-10k", "reopen 10,000 keys, first get", "open", false],
  ["reopen-100k", "reopen 100,000 keys, first get", "open", false],
  ["reopen-1m", "reopen 1,000,000 keys, first get", "open", false],
  ["put-100", "put 100 B, awaited", "write", true],
  ["put-10k", "put 10 KB, awaited", "write", true],
  ["put-1m", "put 1 MiB, awaited", "write", true],
  ["put-16m", "put 16 MiB, awaited", "write", true],
  ["put-concurrent", "put 100 B, 2,000 at once", "write", true],
  ["put-batch", "put 100 B, batches of 1,000", "write", true],
  ["get-100", "get 100 B, awaited", "read", false],
  ["get-10k", "get 10 KB, awaited", "read", false],
  ["get-1m", "get 1 MiB, awaited", "read", false],
  ["get-16m", "get 16 MiB, awaited", "read", false],
  ["get-concurrent", "get 100 B, 2,000 at once", "read", false],
  ["get-many", "get 100 B, 1,000 in one call", "read", false],
  ["range", "64 KiB out of 16 MiB, awaited", "read", false],
  ["scan", "all keys with values, 100 B each", "read", false],
  ["overwrite", "overwrite 10,000 keys in batches", "rewrite", true],
  ["compact", "compact after that", "rewrite", true],
  ["size-before", "size on disk before compacting", "rewrite", true, "bytes"],
  ["size-after", "size on disk in the end", "rewrite", true, "bytes"],
  ["tab-put", "put 100 B from a second tab", "tabs", true],
  ["tab-get", "get 100 B from a second tab", "tabs", false],
];

export const WORKLOADS: readonly Workload[] = ROWS.map(([id, title, group, writes, unit = "µs"]) => ({
  id,
  title,
  group,
  writes,
  unit,
}));

/** How many operations, keys and repetitions a run takes. */
export interface Scale {
  name: "full" | "quick" | "tiny";
  /** Keys of 100 B that gets and scans find. */
  keys: number;
  /** Single operations on 100 B. */
  single: number;
  concurrent: number;
  batch: number;
  batches: number;
  of10k: number;
  of1m: number;
  of16m: number;
  ranges: number;
  /** How often every key is overwritten. */
  rewrites: number;
  reopen: Record<string, number>;
  /** How often each filled store is opened. */
  reopens: number;
  /** What a peer is given to end its work in the background before the next workload. */
  restMs: number;
}

const FULL: Scale = {
  name: "full",
  keys: 10_000,
  single: 1000,
  concurrent: 2000,
  batch: 1000,
  batches: 10,
  of10k: 300,
  of1m: 20,
  of16m: 3,
  ranges: 100,
  rewrites: 10,
  reopen: { "reopen-10k": 10_000, "reopen-100k": 100_000, "reopen-1m": 1_000_000 },
  reopens: 3,
  restMs: 150,
};

export const SCALES: Record<Scale["name"], Scale> = {
  full: FULL,
  quick: {
    ...FULL,
    name: "quick",
    single: 300,
    batches: 5,
    of10k: 50,
    of1m: 8,
    of16m: 1,
    ranges: 20,
    rewrites: 3,
    reopen: { "reopen-10k": 10_000, "reopen-100k": 100_000 },
    reopens: 2,
  },
  tiny: {
    name: "tiny",
    keys: 50,
    single: 5,
    concurrent: 20,
    batch: 10,
    batches: 2,
    of10k: 2,
    of1m: 1,
    of16m: 1,
    ranges: 2,
    rewrites: 2,
    reopen: { "reopen-10k": 50 },
    reopens: 1,
    restMs: 0,
  },
};
