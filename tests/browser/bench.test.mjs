/** The benchmark's page: a run with tiny counts takes every store to its end, is drawn, and can be saved and read again. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { inBrowser } from "./suite.mjs";

const WRITES = ["put-100", "put-1m", "put-concurrent", "put-batch", "overwrite", "size-after"];
const READS = ["open", "reopen-10k", "get-100", "get-1m", "get-concurrent", "get-many", "range", "scan"];
const BOTH_LANES = ["tailstone", "tailstone-strict", "idb-keyval", "indexeddb", "indexeddb-strict", "sqlite", "sqlite-wal", "wa-sqlite"];
const ALL = [...BOTH_LANES, "dexie", "localforage"];
const ONE_TAB = ["sqlite", "sqlite-wal", "wa-sqlite"];

describe("the benchmark's page", () => {
  const browser = inBrowser();

  test("runs every store to its end, draws what it measured, and gives it as JSON", async () => {
    const page = await browser.context.newPage();
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(`${browser.site.url}bench.html?tiny`);
    await page.waitForSelector("html[data-ready]");
    await page.click("#start");
    await page.waitForSelector("html[data-running]");
    await page.waitForSelector("html:not([data-running])", { timeout: 300_000 });
    // Every value is compared on the way; one that differs ends its store's run and is said here.
    assert.equal(await page.textContent("#status"), "Done.");

    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
    const file = join(browser.profile, "results.json");
    await download.saveAs(file);
    const { samples, versions } = JSON.parse(await readFile(file, "utf8"));
    const sorted = (peers) => [...peers].sort();
    const measured = (lane, workload) => sorted(Object.keys(samples[lane][workload] ?? {}));
    const readers = (peers) => sorted(peers.filter((peer) => !peer.endsWith("-strict")));
    for (const workload of WRITES) {
      assert.deepEqual(measured("main", workload), sorted(ALL), workload);
      assert.deepEqual(measured("worker", workload), sorted(BOTH_LANES), workload);
    }
    for (const workload of READS) {
      assert.deepEqual(measured("main", workload), readers(ALL), workload);
      assert.deepEqual(measured("worker", workload), readers(BOTH_LANES), workload);
    }
    assert.deepEqual(measured("main", "tab-put"), sorted(ALL.filter((peer) => !ONE_TAB.includes(peer))));
    assert.ok(samples.main["put-100"].tailstone[0] > 0);
    assert.match(versions["idb-keyval"], /^\d/);

    // Relaxed and strict writes are drawn apart.
    const labels = await page.locator("#plots svg").evaluateAll((plots) => plots.map((plot) => plot.getAttribute("aria-label")));
    const [relaxed, strict] = ["relaxed", "strict"].map((kind) => labels.find((label) => label.startsWith(`put 100 B, awaited, ${kind}:`)));
    assert.match(relaxed, /tailstone .*idb-keyval|idb-keyval .*tailstone/);
    assert.doesNotMatch(relaxed, /strict|sqlite \d/);
    assert.match(strict, /tailstone strict/);
    assert.doesNotMatch(strict, /idb-keyval/);
    assert.equal(await page.locator("#bars tr").count(), 10);

    // What it leaves is nothing: the databases and the folders of the stores are gone.
    const left = await page.evaluate(async () => {
      const names = [];
      const list = async (folder) => {
        for await (const [name, handle] of folder.entries()) {
          names.push(name);
          if (handle.kind === "directory") await list(handle);
        }
      };
      await list(await navigator.storage.getDirectory());
      return [...names, ...(await indexedDB.databases()).map(({ name }) => name)].filter((name) => name.startsWith("bench-"));
    });
    assert.deepEqual(left, []);

    await page.reload();
    await page.waitForSelector("html[data-ready]");
    await page.setInputFiles("#file", file);
    await page.waitForFunction(() => document.querySelector("#from").textContent === "From results.json.");
    assert.deepEqual(
      await page.locator("#plots svg").evaluateAll((plots) => plots.map((plot) => plot.getAttribute("aria-label"))),
      labels,
    );
    await page.check("input[name=lane][value=worker]");
    assert.ok((await page.locator("#plots svg").count()) > 20);
    await page.setInputFiles("#file", { name: "other.json", mimeType: "application/json", buffer: Buffer.from("{}") });
    await page.waitForFunction(() => document.querySelector("#status").textContent.includes("not a file of results"));
    assert.deepEqual(complaints, [], "errors on the page's console");
    await page.close();
  });
});
