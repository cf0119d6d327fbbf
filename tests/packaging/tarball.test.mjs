/** What is in the tarball, and nothing else; that maps lead somewhere, declarations and entries exist, sizes keep to limits. */

import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { sizes } from "../../wasm/web/js/sizes.mjs";
import { freshProject } from "./stranger.mjs";

const { javascriptGzippedBytesMax, wasmGzippedBytesMax, unpackedBytesMax } = JSON.parse(
  await readFile(new URL("limits.json", import.meta.url), "utf8"),
);

const EXPECTED = [
  /^(index|worker|sync|keyval|memory|inline|node|node-keyval|node-memory|chunk-\w+)\.js(\.map)?$/,
  /^[\w-]+\.d\.ts$/,
  /^tailstone\.wasm$/,
  /^(README\.md|LICENSE-MIT|LICENSE-APACHE|package\.json)$/,
];

let folder;
before(async () => {
  folder = join(await freshProject("node"), "node_modules/tailstone");
});

test("what the tarball holds", async () => {
  const names = await readdir(folder);
  assert.deepEqual(names.filter((name) => !EXPECTED.some((pattern) => pattern.test(name))), []);
  for (const name of ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "worker.js"]) assert(names.includes(name), `no ${name}`);
  const { dependencies, exports, files } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  assert.equal(dependencies, undefined);
  assert(files.length > 0);
  for (const [subpath, target] of Object.entries(exports)) {
    const targets = typeof target === "string" ? [target] : Object.values(target);
    for (const target of targets) assert(names.includes(target.slice("./".length)), `${subpath}: no ${target}`);
    if (typeof target !== "string") assert.equal(Object.keys(target)[0], "types", `${subpath}: types come first`);
  }
});

test("every module and declaration that is named is there", async () => {
  const names = await readdir(folder);
  for (const name of names.filter((name) => /\.(js|d\.ts)$/.test(name))) {
    const text = await readFile(join(folder, name), "utf8");
    const named = [...text.matchAll(/(?:from|import|import\()\s*["']\.\/([\w.-]+\.js)["']/g)].map(([, next]) => next);
    const found = name.endsWith(".d.ts") ? named.map((next) => next.replace(/\.js$/, ".d.ts")) : named;
    for (const next of found) assert(names.includes(next), `${name} names ${next}`);
  }
  for (const entry of ["index.js", "inline.js"]) {
    const text = await readFile(join(folder, entry), "utf8");
    const literal = 'new Worker(new URL("./worker.js",import.meta.url),{type:"module"})';
    assert.equal(text.includes(literal), entry === "index.js", `${entry}: ${literal}`);
  }
});

test("source maps lead to sources", async () => {
  const modules = (await readdir(folder)).filter((name) => name.endsWith(".js"));
  for (const name of modules) {
    const text = await readFile(join(folder, name), "utf8");
    const [, map] = text.match(/\n\/\/# sourceMappingURL=(\S+)\s*$/) ?? [];
    assert.equal(map, `${name}.map`);
    const { sources, sourcesContent, mappings } = JSON.parse(await readFile(join(folder, map), "utf8"));
    assert(mappings.length > 0 || sources.length === 0, name);
    assert.equal(sourcesContent?.length ?? 0, sources.length, `${map} brings its sources`);
    for (const source of sources) assert.match(source, /^\.\.\/js\/(src|generated)\/[\w.-]+$/, map);
  }
});

test("sizes", async () => {
  const { files, javascriptGzippedBytes, wasmGzippedBytes } = await sizes(folder);
  const listing = JSON.stringify(files, undefined, 2);
  for (const name of ["index.js", "worker.js", "tailstone.wasm"]) assert(name in files, `${name} is not in ${listing}`);
  assert(javascriptGzippedBytes <= javascriptGzippedBytesMax, `JavaScript: ${javascriptGzippedBytes}\n${listing}`);
  assert(wasmGzippedBytes <= wasmGzippedBytesMax, `wasm: ${wasmGzippedBytes}\n${listing}`);
  let unpacked = 0;
  for (const name of await readdir(folder)) unpacked += (await stat(join(folder, name))).size;
  assert(unpacked <= unpackedBytesMax, `unpacked: ${unpacked}`);
});
