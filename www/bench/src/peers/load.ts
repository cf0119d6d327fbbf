/** Loads a peer's code, which no page holds before it is asked for: loading is part of what opening costs. */

import type { Open } from "../adapter.ts";

const MODULES: Record<string, () => Promise<{ open: Open }>> = {
  tailstone: () => import("./tailstone.ts"),
  "tailstone-strict": () => import("./tailstone.ts"),
  "idb-keyval": () => import("./idb-keyval.ts"),
  indexeddb: () => import("./indexeddb.ts"),
  "indexeddb-strict": () => import("./indexeddb.ts"),
  dexie: () => import("./dexie.ts"),
  localforage: () => import("./localforage.ts"),
  sqlite: () => import("./sqlite.ts"),
  "sqlite-wal": () => import("./sqlite.ts"),
  "wa-sqlite": () => import("./wa-sqlite.ts"),
};

export async function load(peer: string): Promise<Open> {
  const found = MODULES[peer];
  if (found === undefined) throw new Error(`no code for the peer ${peer}`);
  return (await found()).open;
}
