/**
 * The benchmark without a person: `node headless.mjs [--rounds N] [--quick | --tiny] [--peers a,b] [--lanes main,worker]
 * [--json FILE] [--svg FILE]`, on the built page.
 *
 * Every peer gets a fresh profile and a fresh browser in each round and lane, in an order of chance.
 */

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launch, newProfile, removeFolder } from "../../tests/browser/harness.mjs";
import { PEERS, SCALES, addSamples, draw, emptyResults, peerOf, runPeer, shuffled, table } from "../pkg/bench/headless.js";
import { serve } from "../serve.mjs";

const { values: asked } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    quick: { type: "boolean", default: false },
    tiny: { type: "boolean", default: false },
    peers: { type: "string" },
    lanes: { type: "string", default: "main,worker" },
    json: { type: "string" },
    svg: { type: "string" },
  },
});
const scale = SCALES[asked.tiny ? "tiny" : asked.quick ? "quick" : "full"];
const lanes = asked.lanes.split(",");
const peers = asked.peers === undefined ? PEERS : asked.peers.split(",").map(peerOf);
const { versions, wire } = JSON.parse(await readFile(fileURLToPath(new URL("../pkg/bench/about.json", import.meta.url)), "utf8"));
const site = await serve({ folder: fileURLToPath(new URL("../", import.meta.url)) });
const results = emptyResults({
  scale: scale.name,
  machine: { cores: cpus().length, cpu: cpus()[0]?.model.trim() ?? "", memoryBytes: totalmem() },
  versions,
  wire,
});
let complaints = 0;
for (const file of [asked.json, asked.svg]) if (file !== undefined) await mkdir(dirname(file), { recursive: true });

try {
  for (let round = 1; round <= Number(asked.rounds); round++) {
    const runs = peers.flatMap((peer) => peer.lanes.filter((lane) => lanes.includes(lane)).map((lane) => ({ peer, lane })));
    for (const { peer, lane } of shuffled(runs)) {
      const start = performance.now();
      await runOnce(peer, lane, round === 1);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.error(`round ${round}: ${peer.title}, ${lane} (${seconds} s)`);
    }
    // After every round: a long run that is interrupted has something to show.
    if (asked.json !== undefined) await writeFile(asked.json, `${JSON.stringify(results, undefined, 1)}\n`);
  }
} finally {
  await site.stop();
}
console.log(table(results));
if (asked.svg !== undefined) await writeFile(asked.svg, draw(results));
assert.equal(complaints, 0, "errors on the page's console");

/** One peer in one lane, in a browser of its own. */
async function runOnce(peer, lane, isFirstRound) {
  const profile = await newProfile();
  const context = await launch(profile);
  results.browser = `Chromium ${context.browser()?.version() ?? ""}`.trim();
  const newStage = async () => {
    const page = await context.newPage();
    watch(page, peer, lane);
    await page.goto(`${site.url}bench/stage.html`);
    await page.waitForFunction(() => globalThis.stage !== undefined);
    return {
      run: (lane, step) => page.evaluate(([lane, step]) => stage.run(lane, step), [lane, step]),
      usage: () => page.evaluate(() => stage.usage()),
      wipe: () => page.evaluate(() => stage.wipe()),
      close: () => page.close(),
    };
  };
  try {
    addSamples(results, peer, lane, await runPeer(peer, lane, scale, isFirstRound, newStage));
  } catch (error) {
    // The others go on; what is missing is seen in the table.
    complaints += 1;
    console.error(`${peer.title}, ${lane}: ${error}`);
  } finally {
    await context.close();
    await removeFolder(profile);
  }
}

function watch(page, peer, lane) {
  const complain = (text) => {
    complaints += 1;
    console.error(`${peer.title}, ${lane}: ${text}`);
  };
  page.on("pageerror", (error) => complain(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complain(message.text());
  });
}
