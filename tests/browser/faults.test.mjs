/** A file that fails: what is told, what is kept, and what goes on. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { askWorker, blankPage, closeQuietly } from "./harness.mjs";
import { FAILING, NO_TIMERS, SHORT } from "./patches.mjs";
import { inBrowser } from "./suite.mjs";

describe("a file that fails", () => {
  const browser = inBrowser();
  const tab = (patch) => blankPage(browser.context, browser.site.url, { patch });

  test("short writes and short reads are completed", async () => {
    const page = await tab(SHORT);
    await page.evaluate(async () => {
      let db = await tailstone.open("short");
      await db.setMany(Array.from({ length: 500 }, (_, at) => [`k${at}`, pattern(700, at)]));
      await db.set("large", pattern(3_000_001));
      await db.putStream("streamed", new Blob([pattern(5_000_001)]));
      await db.import(await db.export());
      await db.compact();
      await db.close();
      db = await tailstone.open("short");
      for (let at = 0; at < 500; at++) expect.sameBytes(await db.get(`k${at}`), pattern(700, at));
      expect.sameBytes(await db.get("large"), pattern(3_000_001));
      expect.sameBytes(await expect.drained(await db.stream("streamed")), pattern(5_000_001));
      expect.ok((await db.verify()).sound, "sound");
      await db.close();
    });
    await closeQuietly(page);
  });

  test("a flush that fails is an error, and the store takes no more writes", async () => {
    const page = await tab(NO_TIMERS + FAILING);
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("unflushed");
      await db.set("flushed", bytesOf("v"), { durability: "strict" });
      await db.set("k", bytesOf("v"));
    });
    await askWorker(page, () => (self.failing = ["flush"]));
    const seen = await page.evaluate(async () => {
      const error = await db.flush().catch((error) => error);
      const seen = [error instanceof tailstone.TailstoneError, error.code, error.cause?.name, error.cause?.message];
      seen.push(await codeOf(() => db.set("l", bytesOf("w"))), textOf(await db.get("flushed")));
      return seen;
    });
    assert.deepEqual(seen, [true, "io", "UnknownError", "the disk is gone", "io", "v"]);
    // Nobody knows what is on the disk now, so it stays that way until the store is opened again.
    await askWorker(page, () => (self.failing = []));
    const after = await page.evaluate(async () => {
      const seen = [await codeOf(() => db.set("l", bytesOf("w"), { durability: "strict" }))];
      await db.close().catch(() => {});
      const again = await tailstone.open("unflushed");
      seen.push(textOf(await again.get("flushed")));
      await again.set("l", bytesOf("w"), { durability: "strict" });
      seen.push((await again.verify()).sound);
      await again.close();
      return seen;
    });
    assert.deepEqual(after, ["io", "v", true]);
    await closeQuietly(page);
  });

  test("all strict writes of one flush that fails are refused", async () => {
    const page = await tab(NO_TIMERS + FAILING);
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("all refused");
      await db.set("before", bytesOf("v"), { durability: "strict" });
    });
    await askWorker(page, () => (self.failing = ["flush"]));
    const codes = await page.evaluate(() =>
      Promise.all(Array.from({ length: 5 }, (_, at) => codeOf(() => db.set(`k${at}`, bytesOf("v"), { durability: "strict" })))),
    );
    assert.deepEqual(codes, Array(5).fill("io"));
    await page.evaluate(() => db.close().catch(() => {}));
    await closeQuietly(page);
  });

  test("a write that fails is tried again with the next flush, and nothing is lost", async () => {
    const page = await tab(NO_TIMERS + FAILING);
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("unwritten");
      await db.set("before", bytesOf("v"), { durability: "strict" });
    });
    await askWorker(page, () => (self.failing = ["write"]));
    const seen = await page.evaluate(async () => {
      await db.set("relaxed", bytesOf("kept"));
      const seen = [await codeOf(() => db.flush()), await codeOf(() => db.set("strict", bytesOf("w"), { durability: "strict" }))];
      // What was accepted goes on being read.
      seen.push(textOf(await db.get("relaxed")), textOf(await db.get("before")));
      return seen;
    });
    assert.deepEqual(seen, ["io", "io", "kept", "v"]);
    await askWorker(page, () => (self.failing = []));
    const after = await page.evaluate(async () => {
      await db.flush();
      await db.set("after", bytesOf("x"), { durability: "strict" });
      await db.close();
      const again = await tailstone.open("unwritten");
      const seen = [textOf(await again.get("relaxed")), textOf(await again.get("after")), again.recovery.outcome, (await again.verify()).sound];
      await again.close();
      return seen;
    });
    assert.deepEqual(after, ["kept", "x", "Clean", true]);
    await closeQuietly(page);
  });

  test("a read that fails is that call's error, and the next one's answer", async () => {
    const page = await tab(FAILING);
    await page.evaluate(async () => {
      const db = await tailstone.open("unread");
      await db.set("large", pattern(1 << 20));
      await db.set("small", bytesOf("s"));
      await db.close();
      globalThis.db = await tailstone.open("unread");
    });
    await askWorker(page, () => (self.failing = ["read"]));
    const codes = await page.evaluate(() =>
      Promise.all([codeOf(() => db.get("large")), codeOf(async () => expect.drained(await db.stream("large"))), codeOf(() => db.getMany(["large"]))]),
    );
    assert.deepEqual(codes, ["io", "io", "io"]);
    await askWorker(page, () => (self.failing = []));
    await page.evaluate(async () => {
      expect.sameBytes(await db.get("large"), pattern(1 << 20));
      expect.equal(textOf(await db.get("small")), "s");
      await db.set("after", bytesOf("x"), { durability: "strict" });
      await db.close();
    });
    await closeQuietly(page);
  });

  test("an import and a compaction on a disk that fails leave the store as it is", async () => {
    const page = await tab(FAILING);
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("not replaced", { compactAt: false });
      for (let at = 0; at < 3; at++) await db.set("k", pattern(100_000, at));
      await db.flush();
      globalThis.file = await db.export();
      await db.set("after", bytesOf("x"));
      await db.flush();
    });
    for (const method of ["write", "flush", "truncate"]) {
      await askWorker(page, (method) => (self.failing = [method]), method);
      const codes = await page.evaluate(async () => [await codeOf(() => db.import(file)), await codeOf(() => db.compact())]);
      await askWorker(page, () => (self.failing = []));
      if (method !== "truncate") assert.deepEqual(codes, ["io", "io"], method);
      else assert.ok(codes.every((code) => ["io", "none"].includes(code)), `${method}: ${codes}`);
      await page.evaluate(async () => expect.sameBytes(await db.get("k"), pattern(100_000, 2)));
    }
    await page.evaluate(async () => {
      await db.import(file);
      expect.equal(await db.has("after"), false);
      await db.compact();
      expect.sameBytes(await db.get("k"), pattern(100_000, 2));
      await db.set("after", bytesOf("y"), { durability: "strict" });
      await db.close();
    });
    await closeQuietly(page);
  });

  test("a worker that cannot be loaded is an error, and so is a module that is none", async () => {
    const page = await tab();
    await page.route("**/tailstone.wasm", (route) => route.fulfill({ status: 404, body: "not found" }));
    assert.match(await page.evaluate(() => codeOf(() => tailstone.open("no module"))), /^(io|invalid)$/);
    await page.unroute("**/tailstone.wasm");
    assert.equal(await page.evaluate(() => codeOf(async () => (await tailstone.open("no module")).close())), "none");
    await page.route("**/worker.js", (route) => route.fulfill({ status: 404, body: "not found" }));
    assert.equal(await page.evaluate(() => codeOf(() => tailstone.open("no worker"))), "io");
    await page.close();
  });
});
