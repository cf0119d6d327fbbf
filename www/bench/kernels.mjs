/**
 * Runs a WASI program that only prints, in Node or in a headless browser: `node kernels.mjs FILE [--browser]`.
 *
 * Of WASI there is what such a program asks: a clock, a way to print, and an end.
 */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: asked, positionals } = parseArgs({
  allowPositionals: true,
  // `--bench` is what cargo says to every benchmark.
  options: { browser: { type: "boolean", default: false }, bench: { type: "boolean" } },
});
const [file] = positionals;
console.log(asked.browser ? await inBrowser(file) : await run(await readFile(file)));

/** What the program prints. It is read as text by the browser, so everything it needs is in it. */
async function run(bytes) {
  const module = await WebAssembly.compile(bytes);
  let memory;
  let text = "";
  const end = new Error("the program's end");
  const words = () => new DataView(memory.buffer);
  const known = {
    clock_time_get: (_clock, _precision, at) => (words().setBigUint64(at, BigInt(Math.round(performance.now() * 1e6)), true), 0),
    fd_write: (_file, parts, count, written) => {
      let length = 0;
      for (let part = parts; part < parts + 8 * count; part += 8) {
        const [start, size] = [words().getUint32(part, true), words().getUint32(part + 4, true)];
        text += new TextDecoder().decode(new Uint8Array(memory.buffer, start, size));
        length += size;
      }
      return words().setUint32(written, length, true), 0;
    },
    environ_sizes_get: (count, size) => (words().setUint32(count, 0, true), words().setUint32(size, 0, true), 0),
    args_sizes_get: (count, size) => (words().setUint32(count, 0, true), words().setUint32(size, 0, true), 0),
    environ_get: () => 0,
    args_get: () => 0,
    random_get: (at, length) => (crypto.getRandomValues(new Uint8Array(memory.buffer, at, length)), 0),
    proc_exit: (status) => {
      if (status !== 0) text += `\nstatus ${status}`;
      throw end;
    },
  };
  const NOT_THERE = 52;
  const functions = WebAssembly.Module.imports(module).map(({ name }) => [name, known[name] ?? (() => NOT_THERE)]);
  const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: Object.fromEntries(functions) });
  memory = instance.exports.memory;
  try {
    instance.exports._start();
  } catch (error) {
    if (error !== end) throw error;
  }
  return text;
}

async function inBrowser(file) {
  const { launch, newProfile, removeFolder } = await import("../../tests/browser/harness.mjs");
  const { serve } = await import("../serve.mjs");
  const site = await serve({ folder: fileURLToPath(new URL("../", import.meta.url)) });
  const profile = await newProfile();
  const context = await launch(profile);
  try {
    const page = await context.newPage();
    // Pages that are isolated have a finer clock.
    const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
    await page.route("**/blank.html", (route) => route.fulfill({ headers, contentType: "text/html", body: "<!doctype html>" }));
    await page.route("**/kernels.wasm", (route) => route.fulfill({ contentType: "application/wasm", path: file }));
    await page.goto(`${site.url}blank.html`);
    const text = await page.evaluate(`fetch("kernels.wasm").then((response) => response.arrayBuffer()).then(${run})`);
    return `${text}\nChromium ${context.browser()?.version() ?? ""}`;
  } finally {
    await context.close();
    await removeFolder(profile);
    await site.stop();
  }
}
