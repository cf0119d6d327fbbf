/** The package's manifest in the eyes of the two linters for it. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { outcome, pack, tool } from "./stranger.mjs";

const ATTW = "@arethetypeswrong/cli/dist/index.js";

test("publint", async () => {
  const tarball = await readFile(await pack());
  const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
});

test("are the types wrong", async () => {
  // Modules alone, for resolvers that know `exports`; the wasm has no types.
  const args = ["--profile", "esm-only", "--exclude-entrypoints", "./wasm", "--format", "ascii", "--no-color"];
  const { code, stdout } = await outcome(process.execPath, [tool(ATTW), await pack(), ...args]);
  assert.equal(code, 0, stdout);
  for (const entry of ["", "/worker", "/keyval", "/memory", "/inline"]) assert(stdout.includes(`"tailstone${entry}"`), stdout);
});
