/** An empty Vite project: built and previewed, and in its development server. */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { freePort, freshProject, outcome, serving, tool } from "./stranger.mjs";
import { visit } from "./visitor.mjs";

const VITE = tool("vite/bin/vite.js");

let cwd;
before(async () => {
  cwd = await freshProject("vite");
});

test("vite build, vite preview", async (t) => {
  const { code, stdout, stderr } = await outcome(process.execPath, [VITE, "build"], { cwd });
  assert.equal(code, 0, stderr);
  // On a slow machine it also says there how long its plugins took.
  assert.doesNotMatch(stderr, /resolve|externalized|could not|couldn't|missing|unknown/i);
  assert.match(stdout, /built in/);
  const assets = await readdir(join(cwd, "dist/assets"));
  assert(assets.some((name) => /^worker-.*\.js$/.test(name)), `no worker among ${assets}`);
  assert(assets.some((name) => /^tailstone-.*\.wasm$/.test(name)), `no wasm among ${assets}`);
  await visit(await served(t, ["preview"]));
});

test("vite dev", async (t) => {
  await visit(await served(t, []));
});

async function served(t, command) {
  const port = await freePort();
  const args = [VITE, ...command, "--host", "127.0.0.1", "--port", `${port}`, "--strictPort"];
  await serving(t, process.execPath, args, { cwd, ready: /Local:/ });
  return `http://127.0.0.1:${port}/`;
}
