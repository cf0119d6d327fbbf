/** The ratios that tailstone must reach, each between two peers of the same durability in one run. */

import { figureOf, type Results } from "./results.ts";

export interface Bar {
  title: string;
  workload: string;
  ours: string;
  theirs: string;
  /** Times faster, at least. */
  atLeast: number;
}

export interface Verdict extends Bar {
  /** Both medians in microseconds and how many times the faster ours is; none where a side was not measured. */
  figures?: { ours: number; theirs: number; ratio: number };
  met: boolean | undefined;
}

const bar = (title: string, workload: string, ours: string, theirs: string, atLeast: number): Bar => ({
  title,
  workload,
  ours,
  theirs,
  atLeast,
});

const STRICT = "tailstone-strict";

/** All in the lane of the main thread. */
export const BARS: readonly Bar[] = [
  bar("put 100 B awaited, relaxed", "put-100", "tailstone", "idb-keyval", 8),
  bar("2,000 concurrent puts, relaxed", "put-concurrent", "tailstone", "idb-keyval", 50),
  bar("put 100 B awaited, strict", "put-100", STRICT, "sqlite", 5),
  bar("get 100 B awaited", "get-100", "tailstone", "idb-keyval", 3),
  bar("2,000 concurrent gets", "get-concurrent", "tailstone", "idb-keyval", 15),
  bar("put 1 MiB, relaxed", "put-1m", "tailstone", "idb-keyval", 2.5),
  bar("get 1 MiB", "get-1m", "tailstone", "idb-keyval", 2.5),
  bar("put 1 MiB, strict", "put-1m", STRICT, "sqlite", 6),
  bar("get 1 MiB, against sqlite", "get-1m", "tailstone", "sqlite", 6),
  bar("reopen 1,000,000 keys to the first get", "reopen-1m", "tailstone", "sqlite", 3),
];

export function verdicts(results: Results): Verdict[] {
  return BARS.map((bar) => {
    const ours = figureOf(results, "main", bar.workload, bar.ours)?.median;
    const theirs = figureOf(results, "main", bar.workload, bar.theirs)?.median;
    if (ours === undefined || theirs === undefined) return { ...bar, met: undefined };
    const ratio = theirs / ours;
    return { ...bar, figures: { ours, theirs, ratio }, met: ratio >= bar.atLeast };
  });
}
