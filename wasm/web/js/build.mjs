/**
 * Bundles the package into `../pkg`. One module is there once, however many entries a program imports, so that there is one
 * `TailstoneError`: an entry that needs another imports it, and what is shared besides lies in chunks. The worker, and the
 * entry with everything inside, are one file each.
 *
 * All files lie side by side: `new URL("./worker.js", import.meta.url)` means the same in all of them, and is left as it is
 * written, for that is how bundlers know it.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const ENTRIES = ["index", "keyval", "memory", "sync", "node", "node-memory"];
const GENERATED = new URL("generated/", import.meta.url);
const PKG = new URL("../pkg/", import.meta.url);

const options = {
  absWorkingDir: import.meta.dirname,
  bundle: true,
  format: "esm",
  target: ["chrome108", "firefox111", "safari16.4"],
  minify: true,
  sourcemap: true,
  outdir: "../pkg",
  logLevel: "warning",
};

await mkdir(PKG, { recursive: true });
await writeWorkerText();
await Promise.all([
  copyDeclarations(),
  build({
    ...options,
    entryPoints: ENTRIES.map(source),
    plugins: [entriesStayImports()],
    splitting: true,
    chunkNames: "chunk-[hash]",
    external: ["node:*"],
  }),
  // The same names over the store that Node, Deno and Bun have; its errors are those of that entry.
  build({
    ...options,
    entryPoints: { "node-keyval": source("keyval") },
    plugins: [entriesStayImports({ index: "node", errors: "node" })],
  }),
  build({ ...options, entryPoints: [source("worker")] }),
  build({ ...options, entryPoints: [source("inline")], loader: { ".wasm": "binary", ".txt": "text" } }),
]);

function source(name) {
  return `src/${name}.ts`;
}

/** Leaves imports of entries in place; a module in `instead` is replaced by an entry. */
function entriesStayImports(instead = {}) {
  return {
    name: "entries stay imports",
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/[\w-]+\.js$/ }, ({ path }) => {
        const name = path.slice("./".length, -".js".length);
        const entry = instead[name] ?? name;
        return ENTRIES.includes(entry) ? { path: `./${entry}.js`, external: true } : undefined;
      });
    },
  };
}

/** The worker once more as text, from which the entry that needs no other file starts it. */
async function writeWorkerText() {
  const { outputFiles } = await build({ ...options, entryPoints: [source("worker")], sourcemap: false, write: false });
  await writeFile(new URL("worker.txt", GENERATED), outputFiles[0].contents);
}

/** Of the declarations that the compiler wrote, those that the entries' name: what is inside stays inside. */
async function copyDeclarations() {
  const waiting = [...ENTRIES.filter((name) => !name.startsWith("node")), "inline"];
  for (const name of waiting) {
    const text = await readFile(new URL(`types/${name}.d.ts`, GENERATED), "utf8");
    await writeFile(new URL(`${name}.d.ts`, PKG), text);
    for (const [, next] of text.matchAll(/["']\.\/([^"']+)\.js["']/g)) {
      if (!waiting.includes(next)) waiting.push(next);
    }
  }
}
