/**
 * Builds the benchmark's page into ../pkg/bench, with the peers' modules beside it, and measures what each peer weighs.
 *
 * tailstone is not bundled: the page loads the package as it is laid out in ../pkg/tailstone, like a stranger would.
 */

import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { sizes } from "../../wasm/web/js/sizes.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = join(HERE, "../pkg/bench");
const TAILSTONE = join(HERE, "../../wasm/web/pkg");
const KEPT = join(HERE, "results/reference.json");
const MODULES = join(HERE, "node_modules");
const WASM = {
  "sqlite3.wasm": join(MODULES, "@sqlite.org/sqlite-wasm/dist/sqlite3.wasm"),
  "wa-sqlite.wasm": join(MODULES, "wa-sqlite/dist/wa-sqlite.wasm"),
};

/** What an app imports of each peer. */
const IMPORTS = {
  "idb-keyval": `export { createStore, get, set, setMany, getMany, entries } from "idb-keyval";`,
  dexie: `export { Dexie } from "dexie";`,
  localforage: `export { default } from "localforage";`,
  sqlite: `export { default } from "@sqlite.org/sqlite-wasm";`,
  "wa-sqlite": `
    export { default } from "wa-sqlite/dist/wa-sqlite.mjs";
    export { Factory } from "wa-sqlite";
    export { AccessHandlePoolVFS } from "wa-sqlite/src/examples/AccessHandlePoolVFS.js";`,
};

const options = {
  bundle: true,
  format: "esm",
  minify: true,
  target: ["chrome108", "firefox111", "safari16.4"],
  // For branches of the peers' modules that only Node takes.
  external: ["node:*", "module", "worker_threads", "fs", "path", "url", "vm"],
  logLevel: "warning",
  absWorkingDir: HERE,
};

const manifest = JSON.parse(await readFile(join(TAILSTONE, "package.json"), "utf8"));

/** Leaves the package's entries where they are, and names them by their place. */
const tailstoneBeside = {
  name: "tailstone-beside",
  setup(builder) {
    builder.onResolve({ filter: /^tailstone(\/|$)/ }, ({ path }) => ({
      path: join("../tailstone", entryOf(path.replace("tailstone", "."))),
      external: true,
    }));
  },
};

function entryOf(subpath) {
  const found = manifest.exports[subpath];
  if (found === undefined) throw new Error(`the package has no ${subpath}`);
  return typeof found === "string" ? found : (found.browser ?? found.import ?? found.default);
}

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
await build({
  ...options,
  entryPoints: ["page", "stage", "stage-worker", "peers/sqlite-worker", "peers/wa-sqlite-worker"].map(
    (name) => `src/${name}.ts`,
  ),
  entryNames: "[name]",
  splitting: true,
  sourcemap: true,
  outdir: OUT,
  plugins: [tailstoneBeside],
});
// The same plan and figures for the headless command.
await build({ ...options, minify: false, entryPoints: ["src/headless.ts"], platform: "node", outdir: OUT });
for (const [name, from] of Object.entries(WASM)) await copyFile(from, join(OUT, name));
const about = { versions: await versions(), wire: await wire(), kept: existsSync(KEPT) ? "bench/results/reference.json" : undefined };
await writeFile(join(OUT, "about.json"), JSON.stringify(about, null, 2));

/** Gzipped bytes that a page of an app loads, JavaScript and WebAssembly. */
async function wire() {
  const found = {};
  for (const [peer, contents] of Object.entries(IMPORTS)) {
    const built = await build({ ...options, stdin: { contents, resolveDir: HERE }, write: false });
    const wasm = peer === "sqlite" ? "sqlite3.wasm" : `${peer}.wasm`;
    found[peer] = {
      js: gzipped(built.outputFiles[0].contents),
      wasm: wasm in WASM ? gzipped(await readFile(WASM[wasm])) : 0,
    };
  }
  const { javascriptGzippedBytes, wasmGzippedBytes } = await sizes(TAILSTONE);
  found.tailstone = { js: javascriptGzippedBytes, wasm: wasmGzippedBytes };
  found.indexeddb = { js: 0, wasm: 0 };
  return found;
}

async function versions() {
  const require = createRequire(join(HERE, "package.json"));
  const { devDependencies } = require("./package.json");
  const peers = Object.entries(devDependencies).filter(([name]) => !["esbuild", "typescript"].includes(name));
  return { tailstone: manifest.version, ...Object.fromEntries(peers) };
}

function gzipped(bytes) {
  return gzipSync(bytes, { level: 9 }).length;
}
