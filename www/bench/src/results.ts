/**
 * The file of results and what is made of it: medians with their spread, and the ratios that count.
 *
 * Samples stay raw in the file, by lane, workload and peer; everything shown is computed from them.
 */

import type { Lane } from "./adapter.ts";
import type { Peer } from "./catalogue.ts";
import type { Sample } from "./plan.ts";
import type { Scale } from "./workloads.ts";

export interface Machine {
  cores: number;
  cpu?: string;
  memoryBytes?: number;
}

/** Gzipped bytes. */
export interface Wire {
  js: number;
  wasm: number;
}

export interface Results {
  format: 1;
  date: string;
  machine: Machine;
  browser: string;
  scale: Scale["name"];
  versions: Record<string, string>;
  wire: Record<string, Wire>;
  /** Microseconds for each operation, or bytes: lane, workload, peer, samples of all rounds. */
  samples: Record<Lane, Record<string, Record<string, number[]>>>;
}

export function emptyResults(known: Pick<Results, "machine" | "scale" | "versions" | "wire">, browser = ""): Results {
  const samples = { main: {}, worker: {} };
  return { format: 1, date: new Date().toISOString(), browser, ...known, samples };
}

export function addSamples(results: Results, peer: Peer, lane: Lane, samples: Sample[]): void {
  for (const [workload, figure] of samples) {
    const byPeer = (results.samples[lane][workload] ??= {});
    // A hundredth of a microsecond is finer than what any of them repeats.
    (byPeer[peer.id] ??= []).push(Math.round(figure * 100) / 100);
  }
}

export interface Figure {
  median: number;
  lowest: number;
  highest: number;
}

export function figureOf(results: Results, lane: Lane, workload: string, peer: string): Figure | undefined {
  const samples = [...(results.samples[lane][workload]?.[peer] ?? [])].sort((one, other) => one - other);
  const middle = samples.length >> 1;
  const [lowest, highest, median] = [samples[0], samples.at(-1), samples[middle]];
  if (lowest === undefined || highest === undefined || median === undefined) return undefined;
  const even = samples.length % 2 === 0 ? ((samples[middle - 1] ?? median) + median) / 2 : median;
  return { median: even, lowest, highest };
}
