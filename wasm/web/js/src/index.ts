/**
 * A key-value store in the browser, in one file of the browser's own file system.
 *
 * The store lives in a dedicated worker; this module is its face on the page. All tabs of an origin use the same store:
 * one of them has it open, the others reach it through that one, and another takes over when it goes.
 *
 * @packageDocumentation
 */

import type { Channel } from "./connection.js";
import { isFolderName } from "./names.js";
import { opener } from "./opener.js";
import { type Salvage, salvager } from "./salvager.js";
import { compile } from "./wasm.js";
import { throughWorker } from "./worker-channel.js";

export * from "./exports.js";
export { destroy } from "./destroy.js";

/** Opens the store called `name`, and creates it when there is none; recovers it after an unfinished write. */
export const open = /* @__PURE__ */ opener(startWorker, isFolderName);

/**
 * Makes the store called `name`, which `open` refuses as `corrupt`, one that opens: every sound entry of it is written to
 * another file, which takes its place once it was checked. What was damaged is lost for good; the result says how much.
 * A store that is sound stays as it is. `locked` while some tab has it open.
 */
export const salvage: Salvage = /* @__PURE__ */ salvager(startWorker, isFolderName);

function startWorker(_name: string, wasm: string | undefined): Channel {
  return throughWorker(new Worker(new URL("./worker.js", import.meta.url), { type: "module" }), compile(wasm));
}
