/** What is drawn together: one panel a workload, with peers that may be held against each other and no others. */

import type { Durability, Lane } from "./adapter.ts";
import { PEERS, type Peer } from "./catalogue.ts";
import { figureOf, type Figure, type Results } from "./results.ts";
import { WORKLOADS, type Unit, type Workload } from "./workloads.ts";

export interface Row {
  peer: Peer;
  figure: Figure;
}

export interface Panel {
  title: string;
  group: Workload["group"] | "wire";
  workload: string;
  unit: Unit;
  durability?: Durability;
  /** The least first. */
  rows: Row[];
}

/** Every panel of a lane that has something in it. */
export function panelsOf(results: Results, lane: Lane): Panel[] {
  return WORKLOADS.flatMap(({ id, title, group, unit, writes }) => {
    const durabilities: (Durability | undefined)[] = writes ? ["relaxed", "strict"] : [undefined];
    return durabilities.map((durability) => {
      const rows = rowsOf(durability, (peer) => figureOf(results, lane, id, peer.id));
      return { title, group, workload: id, unit, rows, ...(durability === undefined ? {} : { durability }) };
    });
  }).filter(({ rows }) => rows.length > 0);
}

/** What a page loads, JavaScript and WebAssembly together; it does not depend on a lane. */
export function wirePanel(results: Results): Panel {
  const rows = rowsOf(undefined, ({ id }) => {
    const wire = results.wire[id];
    const bytes = wire === undefined ? 0 : wire.js + wire.wasm;
    return bytes === 0 ? undefined : { median: bytes, lowest: bytes, highest: bytes };
  });
  return { title: "JavaScript and wasm on the wire, gzipped", group: "wire", workload: "wire", unit: "bytes", rows };
}

function rowsOf(durability: Durability | undefined, figure: (peer: Peer) => Figure | undefined): Row[] {
  const rows: Row[] = [];
  for (const peer of PEERS) {
    if (durability !== undefined && peer.durability !== durability) continue;
    const found = figure(peer);
    if (found !== undefined) rows.push({ peer, figure: found });
  }
  return rows.sort((one, other) => one.figure.median - other.figure.median);
}
