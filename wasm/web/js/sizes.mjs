/**
 * What a page loads that opens a store: `node sizes.mjs FOLDER [FILE]` prints the sizes of a built package, and writes
 * them to a file as JSON. The tests hold the same figures against their limits.
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

/**
 * What `import "./x.js"`, `from "./x.js"` and `new URL("./x.js", import.meta.url)` name in a minified module. What is
 * imported in the middle of a program, `import("./x.js")`, is loaded when it is needed and does not count.
 */
const NAMED = /(?:\b(?:from|import)\s*|new URL\()["']\.\/([^"']+)["']/g;

/** Bytes of each file that `entry` loads, the worker and the wasm with it, and their sums. */
export async function sizes(folder, entry = "index.js") {
  const files = {};
  const waiting = [entry];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name in files) continue;
    const bytes = await readFile(join(folder, name));
    files[name] = { bytes: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length };
    if (!name.endsWith(".js")) continue;
    for (const [, next] of bytes.toString().matchAll(NAMED)) waiting.push(next);
  }
  const sum = (ending) =>
    Object.entries(files)
      .filter(([name]) => name.endsWith(ending))
      .reduce((sum, [, { gzipped }]) => sum + gzipped, 0);
  return { files, javascriptGzippedBytes: sum(".js"), wasmGzippedBytes: sum(".wasm") };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, file] = process.argv.slice(2);
  const found = await sizes(folder);
  for (const [name, { bytes, gzipped }] of Object.entries(found.files)) {
    console.error(`  ${name}: ${bytes} bytes, ${gzipped} gzipped`);
  }
  const { javascriptGzippedBytes, wasmGzippedBytes } = found;
  console.error(`  a page loads, gzipped: ${javascriptGzippedBytes} of JavaScript, ${wasmGzippedBytes} of wasm`);
  if (file !== undefined) await writeFile(file, `${JSON.stringify(found, undefined, 2)}\n`);
}
