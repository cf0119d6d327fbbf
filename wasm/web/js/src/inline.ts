/**
 * The same as the package's main entry, with the worker and the wasm inside of this one file: for bundlers that do not
 * follow `new URL(…, import.meta.url)`, and for pages without any. Pages with a content security policy must allow
 * workers from `blob:`.
 *
 * @packageDocumentation
 */

import wasm from "../generated/tailstone.wasm";
import script from "../generated/worker.txt";
import type { Channel } from "./connection.js";
import { isFolderName } from "./names.js";
import { opener } from "./opener.js";
import { type Salvage, salvager } from "./salvager.js";
import { compile } from "./wasm.js";
import { throughWorker } from "./worker-channel.js";

export { destroy } from "./destroy.js";
export * from "./exports.js";

/** Opens the store called `name`, and creates it when there is none; recovers it after an unfinished write. */
export const open = /* @__PURE__ */ opener(startWorker, isFolderName);

/**
 * Makes the store called `name`, which `open` refuses as `corrupt`, one that opens: every sound entry of it is written to
 * another file, which takes its place once it was checked. What was damaged is lost for good; the result says how much.
 * A store that is sound stays as it is. `locked` while some tab has it open.
 */
export const salvage: Salvage = /* @__PURE__ */ salvager(startWorker, isFolderName);

function startWorker(_name: string, address: string | undefined): Channel {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return throughWorker(new Worker(url, { type: "module" }), address === undefined ? WebAssembly.compile(wasm) : compile(address));
}
