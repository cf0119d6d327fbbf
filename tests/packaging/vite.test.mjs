/** An empty Vite project: built and previewed, and in its development server. */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { freePort, freshProject, run, serving, tool } from "./stranger.mjs";
import { visit } from "./visitor.mjs";

const VITE = tool("vite/bin/vite.js");

test("vite build, vite preview", async (t) => {
  const cwd = await freshProject("vite");
  await run(process.execPath, [VITE, "build"], { cwd });
  const assets = await readdir(join(cwd, "dist/assets"));
  assert(assets.some((name) => /^worker-.*\.js$/.test(name)), `no worker among ${assets}`);
  assert(assets.some((name) => /^tailstone-.*\.wasm$/.test(name)), `no wasm among ${assets}`);
  await visit(t, await served(t, cwd, ["preview"]));
});

test("vite dev", async (t) => {
  const cwd = await freshProject("vite");
  await visit(t, await served(t, cwd, []));
});

async function served(t, cwd, command) {
  const port = await freePort();
  const args = [VITE, ...command, "--host", "127.0.0.1", "--port", `${port}`, "--strictPort"];
  await serving(t, process.execPath, args, { cwd, ready: /Local:/ });
  return `http://127.0.0.1:${port}/`;
}
