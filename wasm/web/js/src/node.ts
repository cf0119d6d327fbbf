/**
 * The same store in Node, Deno and Bun, over the runtime's positioned file calls: the name of a store is the path of its
 * file. It lives in the calling thread; a call takes microseconds, a strict one as long as the disk.
 *
 * @packageDocumentation
 */

import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { inThisThread } from "./local-channel.js";
import { opener } from "./opener.js";
import { FilePlace } from "./place-file.js";
import { type Salvage, salvager } from "./salvager.js";
import { compile } from "./wasm-file.js";

export * from "./exports.js";

const openAt = /* @__PURE__ */ opener(
  (path, wasm) => inThisThread(compile(wasm), () => FilePlace.take(path)),
  (path) => path !== "",
);

/** Opens the store at the path `name`, and creates it when there is none; recovers it after an unfinished write. */
export const open: typeof openAt = ((name: string, options: object) => openAt(name === "" ? name : resolve(name), options)) as typeof openAt;

/**
 * Makes the store at the path `name`, which `open` refuses as `corrupt`, one that opens: every sound entry of it is written to
 * another file, which takes its place once it was checked. What was damaged is lost for good; the result says how much.
 * A store that is sound stays as it is. `locked` while some process has it open.
 */
export const salvage: Salvage = (name, options) => salvageAt(resolve(name), options);

const salvageAt = /* @__PURE__ */ salvager(
  (path, wasm) => inThisThread(compile(wasm), () => FilePlace.take(path)),
  (path) => path !== "",
);

/** Removes the store at the path `name`. `locked` while some process has it open. */
export async function destroy(name: string): Promise<void> {
  const path = resolve(name);
  const place = FilePlace.take(path);
  try {
    rmSync(path, { force: true });
  } finally {
    place.release();
  }
}
