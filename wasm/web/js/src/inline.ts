/**
 * The same as the package's main entry, with the worker and the wasm inside of this one file: for bundlers that do not
 * follow `new URL(…, import.meta.url)`, and for pages without any. Pages with a content security policy must allow
 * workers from `blob:`.
 *
 * @packageDocumentation
 */

import wasm from "../generated/tailstone.wasm";
import script from "../generated/worker.txt";
import { isFolderName } from "./names.js";
import { opener } from "./opener.js";
import { compile } from "./wasm.js";
import { throughWorker } from "./worker-channel.js";

export { destroy } from "./destroy.js";
export * from "./exports.js";

/** Opens the store called `name`, and creates it when there is none; recovers it after an unfinished write. */
export const open = /* @__PURE__ */ opener((_name, address) => {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return throughWorker(new Worker(url, { type: "module" }), address === undefined ? WebAssembly.compile(wasm) : compile(address));
}, isFolderName);
