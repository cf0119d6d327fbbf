/** What the headless command takes from here: the plan, the catalogue, and what is made of the samples. */

export { PEERS, peerOf } from "./catalogue.ts";
export { runPeer, shuffled } from "./plan.ts";
export { draw } from "./plot.ts";
export { addSamples, emptyResults } from "./results.ts";
export { table } from "./text.ts";
export { SCALES } from "./workloads.ts";
