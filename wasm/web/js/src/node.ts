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
import { compile } from "./wasm-file.js";

export * from "./exports.js";

const openAt = /* @__PURE__ */ opener(
  (path, wasm) => inThisThread(compile(wasm), () => FilePlace.take(path)),
  (path) => path !== "",
);

/** Opens the store at the path `name`, and creates it when there is none; recovers it after an unfinished write. */
export const open: typeof openAt = ((name: string, options: object) => openAt(resolve(name), options)) as typeof openAt;

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
