/** An empty webpack project, without a configuration. */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { serve } from "../../www/serve.mjs";
import { freshProject, run, tool } from "./stranger.mjs";
import { visit } from "./visitor.mjs";

const WEBPACK = tool("webpack-cli/bin/cli.js");

test("webpack build", async (t) => {
  const folder = await freshProject("webpack");
  // Sizes have their own test; webpack warns of wasm from 244 KiB on, unpacked.
  const args = [WEBPACK, "build", "--mode", "production", "--no-performance"];
  const printed = await run(process.execPath, args, { cwd: folder });
  assert.doesNotMatch(printed, /warning/i);
  const built = await readdir(join(folder, "dist"));
  assert.equal(built.filter((name) => name.endsWith(".wasm")).length, 1, `${built}`);
  assert(built.length > 2, `no worker among ${built}`);
  const { url, stop } = await serve({ folder });
  t.after(stop);
  await visit(url);
});
