/** All figures of a run as lines of text, for a terminal: the bars first, then every workload. */

import { verdicts } from "./bars.ts";
import { peerOf } from "./catalogue.ts";
import { panelsOf, wirePanel, type Panel } from "./panels.ts";
import type { Results } from "./results.ts";
import { said, times } from "./words.ts";

export function table(results: Results): string {
  const lines = [`${results.browser}, ${results.machine.cores} cores, ${results.scale}, ${results.date}`, "", "Bars, main thread"];
  for (const { title, ours, theirs, atLeast, figures, met } of verdicts(results)) {
    const against = `${peerOf(ours).title} / ${peerOf(theirs).title}`;
    const verdict = met === undefined ? "not measured" : met ? "met" : "NOT met";
    const measured =
      figures === undefined
        ? ""
        : `${said(figures.ours, "µs")} / ${said(figures.theirs, "µs")}`.padEnd(22) + times(figures.ratio).padStart(7);
    lines.push(`  ${title.padEnd(40)}${against.padEnd(28)}${measured.padEnd(30)}at least ${`${atLeast}×`.padEnd(8)}${verdict}`);
  }
  for (const lane of ["main", "worker"] as const) {
    lines.push("", lane === "main" ? "Main thread" : "Inside a worker");
    for (const panel of panelsOf(results, lane)) lines.push(...linesOf(panel));
  }
  lines.push("", ...linesOf(wirePanel(results)));
  return lines.join("\n");
}

function linesOf({ title, durability, unit, rows }: Panel): string[] {
  const lines = [`  ${title}${durability === undefined ? "" : `, ${durability}`}`];
  for (const { peer, figure } of rows) {
    const spread = `(${said(figure.lowest, unit)} to ${said(figure.highest, unit)})`;
    lines.push(`    ${peer.title.padEnd(18)}${said(figure.median, unit).padStart(10)}  ${spread}`);
  }
  return lines;
}
