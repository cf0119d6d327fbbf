/**
 * The same store in the memory of this thread, gone with it: for tests, for servers, and for where nothing may be kept.
 *
 * @packageDocumentation
 */

import { inThisThread } from "./local-channel.js";
import { opener } from "./opener.js";
import { MemoryPlace } from "./place.js";
import { compile } from "./wasm.js";

export * from "./exports.js";

/** Opens a store in memory. Those of one name are one store, until the last of them is closed. */
export const open = /* @__PURE__ */ opener(
  (_name, wasm) => inThisThread(compile(wasm), () => new MemoryPlace()),
  () => true,
);
