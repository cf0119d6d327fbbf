/** Node, and Deno and Bun where their packages brought a program for this machine: modules, `require`, servers. */

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { freshFolder, freshProject, run, tool } from "./stranger.mjs";

const RUNTIMES = [
  ["node", process.execPath, []],
  ["deno", shipped("@deno", "deno"), ["run", "--allow-all", "--no-remote", "--no-lock"]],
  ["bun", shipped("@oven", "bin/bun"), ["run", "--no-install"]],
];

let cwd;
before(async () => {
  cwd = await freshProject("node");
});

for (const [name, program, args] of RUNTIMES) {
  const skip = program === undefined && `${name} has no program for this machine, or its package is not installed`;
  test(`${name}: a store on disk, and one in memory`, { skip }, async () => {
    const env = { DENO_DIR: await freshFolder(), DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1" };
    for (const count of [1, 2, 3]) {
      const printed = await run(program, [...args, "main.mjs", join(cwd, `${name}.tsl`)], { cwd, env });
      assert.equal(printed, `count ${count}\n`);
    }
  });
}

test("node: require works where it can load modules, else says why not", async () => {
  const printed = await run(process.execPath, ["required.cjs"], { cwd });
  assert.equal(printed, process.features.require_module ? "function\n" : "ERR_REQUIRE_ESM\n");
});

test("every entry can be imported on a server", async () => {
  const found = JSON.parse(await run(process.execPath, ["imports.mjs"], { cwd }));
  assert.deepEqual(found.map(([subpath]) => subpath).sort(), [".", "./inline", "./keyval", "./memory", "./worker"]);
  for (const [subpath, names] of found) assert(names > 0, `${subpath} exports nothing`);
});

/** The program in the first of a scope's packages that has it: npm installs only the one for this machine. */
function shipped(scope, path) {
  const folder = tool(scope);
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .flatMap((name) => [join(folder, name, path), join(folder, name, `${path}.exe`)])
    .find(existsSync);
}
