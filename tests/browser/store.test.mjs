/** The shared cases in pages: alone, behind another tab, and without OPFS; and what only a page can do. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { testInPage } from "./cases.mjs";
import { blankPage, closeQuietly, exported, loadPackage } from "./harness.mjs";
import { REFUSED } from "./patches.mjs";
import { inBrowser } from "./suite.mjs";

describe("a store in a page", () => {
  const browser = inBrowser();
  let page;
  before(async () => (page = await blankPage(browser.context, browser.site.url)));
  after(() => closeQuietly(page));
  testInPage(() => page, { backend: "opfs", keeps: true });
});

describe("a store that another tab holds", () => {
  const browser = inBrowser();
  let holder;
  let page;
  before(async () => {
    holder = await blankPage(browser.context, browser.site.url);
    await holder.evaluate(() => (globalThis.held = new Map()));
    page = await blankPage(browser.context, browser.site.url);
    await page.exposeFunction("openElsewhere", (name) =>
      holder.evaluate(async (name) => {
        if (!held.has(name)) held.set(name, tailstone.open(name));
        await held.get(name);
      }, name),
    );
    await page.exposeFunction("closeElsewhere", (name) =>
      holder.evaluate(async (name) => {
        await (await held.get(name))?.close();
        held.delete(name);
      }, name),
    );
  });
  after(async () => {
    await closeQuietly(page);
    await closeQuietly(holder);
  });
  testInPage(() => page, { backend: "opfs", keeps: true, behind: true });
});

describe("a store in a page that is refused OPFS", () => {
  const browser = inBrowser();
  let page;
  before(async () => (page = await blankPage(browser.context, browser.site.url, { patch: REFUSED, prepare: REFUSED })));
  after(() => closeQuietly(page));
  testInPage(() => page, { backend: "memory", keeps: false });

  test("it says so, once, and why", async () => {
    const seen = await page.evaluate(async () => {
      const reasons = [];
      const onDegraded = (reason) => reasons.push([reason instanceof tailstone.TailstoneError, reason.code, reason.cause?.name]);
      const db = await tailstone.open("degraded", { onDegraded });
      await db.set("k", bytesOf("v"));
      await db.import(await db.export());
      const seen = { reasons, backend: db.backend, durable: db.durable, k: textOf(await db.get("k")) };
      await db.close();
      return seen;
    });
    assert.deepEqual(seen, { reasons: [[true, "io", "SecurityError"]], backend: "memory", durable: false, k: "v" });
  });
});

describe("a page and its stores", () => {
  const browser = inBrowser();

  test("a reload keeps data, closed or not, and the report says that the store was whole", async () => {
    const page = await blankPage(browser.context, browser.site.url);
    await page.evaluate(async () => {
      const db = await tailstone.open("reloaded");
      await db.set("flushed", bytesOf("yes"));
      await db.flush();
      const closed = await tailstone.open("closed");
      await closed.set("relaxed", bytesOf("yes"));
      await closed.close();
    });
    // The first one was not closed: the old page's worker goes away with it, at some moment after the new one begins.
    await page.reload();
    await page.evaluate(loadPackage, exported("."));
    const seen = await page.evaluate(async () => {
      const [db, closed] = await Promise.all([tailstone.open("reloaded"), tailstone.open("closed")]);
      const seen = [textOf(await db.get("flushed")), db.recovery.outcome, textOf(await closed.get("relaxed")), closed.recovery.outcome];
      await Promise.all([db.close(), closed.close()]);
      return seen;
    });
    // Space that was reserved ahead may be left behind what was written.
    assert.match(seen[1], /^(Clean|UnusedSpace)$/);
    assert.deepEqual(seen.toSpliced(1, 1), ["yes", "yes", "Clean"]);
    await closeQuietly(page);
  });

  test("names that no folder can have are refused, all others are not", async () => {
    const page = await blankPage(browser.context, browser.site.url);
    const refused = await page.evaluate(() =>
      Promise.all(["", ".", "..", "x".repeat(201), "ü".repeat(40)].map((name) => codeOf(() => tailstone.open(name)))),
    );
    assert.deepEqual(refused, Array(5).fill("invalid"));
    const names = ["a/b", "../up", "C:\\", "größe 键 🗝️", "%2F", "x".repeat(200), "A", "a"];
    const seen = await page.evaluate(async (names) => {
      const stores = await Promise.all(names.map((name) => tailstone.open(name)));
      await Promise.all(stores.map((db, at) => db.set("k", bytesOf(`${at}`))));
      const seen = await Promise.all(stores.map(async (db) => textOf(await db.get("k"))));
      await Promise.all(stores.map((db) => db.close()));
      await Promise.all(names.map((name) => tailstone.destroy(name)));
      return seen;
    }, names);
    assert.deepEqual(seen, names.map((_, at) => `${at}`));
    await closeQuietly(page);
  });

  test("what is left of a store that was not created whole is a store", async () => {
    const page = await blankPage(browser.context, browser.site.url);
    const seen = await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const stores = await root.getDirectoryHandle("tailstone", { create: true });
      const folder = await stores.getDirectoryHandle("begun", { create: true });
      await folder.getFileHandle("current", { create: true });
      const db = await tailstone.open("begun");
      await db.set("k", bytesOf("v"));
      await db.close();
      const again = await tailstone.open("begun");
      const value = textOf(await again.get("k"));
      await again.close();
      return value;
    });
    assert.equal(seen, "v");
    await closeQuietly(page);
  });

  test("the package in one file does the same", async () => {
    const page = await blankPage(browser.context, browser.site.url, { entry: exported("./inline") });
    const requests = [];
    page.on("request", (request) => requests.push(request.url()));
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("inline");
      await db.set("k", bytesOf("v"), { durability: "strict" });
      const seen = [textOf(await db.get("k")), db.backend];
      await db.close();
      return seen;
    });
    assert.deepEqual(seen, ["v", "opfs"]);
    assert.deepEqual(requests.filter((url) => url.startsWith("http")), [], "nothing else is loaded");
    await closeQuietly(page);
  });
});
