/**
 * The page on which one peer is measured: nothing is on it, and nothing of the peer is loaded, before a step asks.
 *
 * Whoever drives it, the page of results from a frame or a script from outside, calls `stage`.
 */

import type { Lane } from "./adapter.ts";
import { carryOut, type Figures, type Step } from "./measure.ts";

export interface Stage {
  run(lane: Lane, step: Step): Promise<Figures>;
  /** Bytes that this site keeps in files and databases. */
  usage(): Promise<number>;
  /** Removes what benchmarks have left. */
  wipe(): Promise<void>;
}

declare global {
  var stage: Stage;
}

const MINE = "bench-";

let worker: Worker | undefined;

globalThis.stage = {
  run: (lane, step) => (lane === "main" ? carryOut(step) : inWorker(step)),

  async usage() {
    const estimate: StorageEstimate & { usageDetails?: Record<string, number> } = await navigator.storage.estimate();
    // Only some browsers say what their databases take; there the files can be asked for more exactly.
    if (estimate.usageDetails === undefined) return estimate.usage ?? 0;
    return (await bytesBelow(await navigator.storage.getDirectory())) + (estimate.usageDetails["indexedDB"] ?? 0);
  },

  async wipe() {
    for (const { name } of await indexedDB.databases()) {
      if (name?.startsWith(MINE)) await answer(indexedDB.deleteDatabase(name));
    }
    await wipeFolder(await navigator.storage.getDirectory());
  },
};

function inWorker(step: Step): Promise<Figures> {
  worker ??= new Worker(new URL("./stage-worker.js", import.meta.url), { type: "module" });
  const at = worker;
  return new Promise((resolve, reject) => {
    at.onmessage = ({ data }: MessageEvent<{ figures?: Figures; error?: string }>) => {
      if (data.figures !== undefined) resolve(data.figures);
      else reject(new Error(data.error));
    };
    at.onerror = (event) => reject(new Error(event.message));
    at.postMessage(step);
  });
}

async function bytesBelow(folder: FileSystemDirectoryHandle): Promise<number> {
  let bytes = 0;
  for await (const handle of folder.values()) {
    bytes += handle.kind === "file" ? (await handle.getFile()).size : await bytesBelow(handle);
  }
  return bytes;
}

/** Folders of the benchmark's stores, beside others or in the folder that tailstone keeps its stores in. */
async function wipeFolder(folder: FileSystemDirectoryHandle): Promise<void> {
  for await (const [name, handle] of folder.entries()) {
    if (name.startsWith(MINE)) await folder.removeEntry(name, { recursive: true });
    else if (name === "tailstone" && handle.kind === "directory") await wipeFolder(handle);
  }
}

function answer(request: IDBOpenDBRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
