/** What a type checker sees, in each way of resolving modules, without skipping the package's own declarations. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { freshProject, run, tool } from "./stranger.mjs";

const COMMON = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, target: "es2022" };
const NODE = { types: ["node"], typeRoots: [tool("@types")], lib: ["es2022"] };
const PAGE = { types: [], lib: ["es2022", "dom", "dom.iterable"] };

const BUNDLER = { module: "esnext", moduleResolution: "bundler" };
const NODENEXT = { module: "nodenext", moduleResolution: "nodenext" };

let cwd;
before(async () => {
  cwd = await freshProject("types");
});

for (const [name, file, options] of [
  ["a page, bundler", "page.ts", { ...PAGE, ...BUNDLER }],
  ["a page, nodenext", "page.ts", { ...PAGE, ...NODENEXT }],
  ["a worker, bundler", "worker.ts", { types: [], lib: ["es2022", "webworker"], ...BUNDLER }],
  ["node, nodenext", "node.ts", { ...NODE, ...NODENEXT }],
]) {
  test(`types: ${name}`, () => check(file, options));
}

test("types: the package's README", async () => {
  const text = await readFile(join(cwd, "node_modules/tailstone/README.md"), "utf8");
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  assert(blocks.length > 0);
  for (const [at, code] of blocks.entries()) {
    await writeFile(join(cwd, `readme-${at}.ts`), code);
    await check(`readme-${at}.ts`, { ...PAGE, ...BUNDLER });
  }
});

async function check(file, options) {
  const config = { compilerOptions: { ...COMMON, ...options }, files: [file] };
  await writeFile(join(cwd, "tsconfig.json"), JSON.stringify(config));
  await run(process.execPath, [tool("typescript/bin/tsc"), "-p", "."], { cwd });
}
