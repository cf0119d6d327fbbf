/** The browser grants no more space: what is refused is refused as `quota`, and nothing else changes. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { askWorker, blankPage, closeQuietly, debug } from "./harness.mjs";
import { inBrowser } from "./suite.mjs";

describe("a quota", () => {
  const browser = inBrowser();
  const tab = (options) => blankPage(browser.context, browser.site.url, options);

  /** Leaves the page `more` bytes above what it uses now, for as long as `action` takes. */
  async function limited(page, more, action) {
    const session = await debug(page);
    const origin = new URL(browser.site.url).origin;
    const { usage } = await page.evaluate(() => navigator.storage.estimate());
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: usage + more });
    try {
      return await action();
    } finally {
      await session.send("Storage.overrideQuotaForOrigin", { origin });
    }
  }

  for (const durability of ["strict", "relaxed"]) {
    test(`what does not fit is refused, the rest is there: ${durability}`, async () => {
      const page = await tab();
      await page.evaluate(async (durability) => {
        globalThis.db = await tailstone.open(`full ${durability}`, { durability });
        globalThis.acknowledged = [];
        globalThis.fill = async (from, to) => {
          for (let at = from; at < to; at++) {
            try {
              await db.set(`k${at}`, pattern(100_000, at));
              acknowledged.push(at);
            } catch (error) {
              return error;
            }
          }
        };
        globalThis.check = async () => {
          for (const at of acknowledged) expect.sameBytes(await db.get(`k${at}`), pattern(100_000, at), `k${at}`);
          expect.equal(await db.count(), acknowledged.length);
        };
        await fill(0, 10);
        await db.flush();
      }, durability);
      const { refused, codes } = await limited(page, 2_000_000, async () => ({
        refused: await page.evaluate(async () => {
          const error = await fill(10, 200);
          await check();
          return { typed: error instanceof tailstone.TailstoneError, code: error?.code, cause: error?.cause?.name, stored: acknowledged.length };
        }),
        // Full it stays readable, and what is refused changes nothing.
        codes: await page.evaluate(async () => {
          const large = pattern(3 << 20);
          const codes = await Promise.all([
            codeOf(() => db.set("large", large)),
            codeOf(() => db.setMany([["one", pattern(10)], ["large", large]])),
            codeOf(() => db.putStream("large", new Blob([large]))),
          ]);
          await check();
          expect.ok((await db.verify()).sound, "sound");
          await db.flush();
          return codes;
        }),
      }));
      console.log(`${durability}: ${refused.stored} values of 100 kB, 10 of them before 2 MB were left; cause ${refused.cause}`);
      assert.deepEqual([refused.typed, refused.code], [true, "quota"]);
      assert.ok(refused.stored >= 10 && refused.stored < 40, `${refused.stored} were stored`);
      assert.deepEqual(codes, ["quota", "quota", "quota"]);
      const seen = await page.evaluate(async (durability) => {
        const error = await fill(300, 320);
        await check();
        await db.close();
        globalThis.db = await tailstone.open(`full ${durability}`);
        await check();
        const { sound } = await db.verify();
        const { outcome } = db.recovery;
        await db.close();
        return { error: error?.message, sound, outcome };
      }, durability);
      assert.deepEqual(seen, { error: undefined, sound: true, outcome: "Clean" });
      await closeQuietly(page);
    });
  }

  for (const [what, put] of Object.entries({
    "a large value": () => db.set("new", pattern(6_000_000)),
    "a strict one": () => db.set("new", pattern(6_000_000), { durability: "strict" }),
    "a batch": () => db.setMany(Array.from({ length: 200 }, (_, at) => [at === 0 ? "new" : `new ${at}`, pattern(at === 0 ? 6_000_000 : 100)])),
    "a blob": () => db.putStream("new", new Blob([pattern(6_000_000)])),
  })) {
    test(`compaction makes room for ${what}`, async () => {
      const page = await tab();
      await page.evaluate(async (what) => {
        // Under the 4 MiB from which a store compacts itself; nearly all of it is dead.
        globalThis.db = await tailstone.open(`dead: ${what}`);
        for (let at = 0; at < 35; at++) await db.set("k", pattern(100_000, at));
        await db.flush();
      }, what);
      const codes = await limited(page, 1_500_000, async () => [await page.evaluate(`codeOf(${put})`), await page.evaluate(() => codeOf(() => db.flush()))]);
      assert.deepEqual(codes, ["none", "none"]);
      await page.evaluate(async () => {
        expect.sameBytes(await db.get("k"), pattern(100_000, 34));
        expect.sameBytes(await db.get("new"), pattern(6_000_000));
        expect.ok((await db.stats()).fileBytes < 6_500_000, "the file is smaller");
        await db.close();
      });
      await closeQuietly(page);
    });
  }

  test("an import and a compaction that do not fit leave the store as it is", async () => {
    const page = await tab();
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("no room beside", { compactAt: false });
      await db.setMany(Array.from({ length: 30 }, (_, at) => [`k${at}`, pattern(100_000, at)]));
      await db.flush();
    });
    const file = await page.evaluateHandle(() => db.export());
    const codes = await limited(page, 500_000, () =>
      page.evaluate(async (file) => {
        const codes = [await codeOf(() => db.import(file)), await codeOf(() => db.compact())];
        for (let at = 0; at < 30; at++) expect.sameBytes(await db.get(`k${at}`), pattern(100_000, at));
        codes.push(await codeOf(() => db.set("small", bytesOf("fits"))));
        return codes;
      }, file),
    );
    assert.deepEqual(codes, ["quota", "quota", "none"]);
    await page.evaluate(async () => {
      await db.compact();
      for (let at = 0; at < 30; at++) expect.sameBytes(await db.get(`k${at}`), pattern(100_000, at));
      await db.close();
    });
    await closeQuietly(page);
  });

  test("a file that takes a part of a write and no more is full, and harmed by nothing", async () => {
    const page = await tab({
      patch: `
        self.full = false;
        const { write, truncate } = FileSystemSyncAccessHandle.prototype;
        FileSystemSyncAccessHandle.prototype.write = function (from, options) {
          return self.full ? write.call(this, from.subarray(0, 10), options) && 0 : write.call(this, from, options);
        };
        FileSystemSyncAccessHandle.prototype.truncate = function (size) {
          if (self.full && size > this.getSize()) throw new DOMException("no more", "QuotaExceededError");
          return truncate.call(this, size);
        };`,
    });
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("short of space", { durability: "strict" });
      await db.set("before", bytesOf("before"));
    });
    await askWorker(page, () => (self.full = true));
    const codes = await page.evaluate(() =>
      Promise.all([
        codeOf(() => db.set("large", pattern(8 << 20))),
        codeOf(() => db.putStream("streamed", new Blob([pattern(8 << 20)]))),
        codeOf(async () => db.import(await db.export())),
        codeOf(() => db.compact()),
      ]),
    );
    assert.deepEqual(codes, ["quota", "quota", "quota", "quota"]);
    assert.equal(await page.evaluate(async () => textOf(await db.get("before"))), "before");
    await askWorker(page, () => (self.full = false));
    const seen = await page.evaluate(async () => {
      await db.set("after", bytesOf("after"));
      const seen = [await db.has("large"), await db.has("streamed"), textOf(await db.get("before")), textOf(await db.get("after"))];
      await db.close();
      const again = await tailstone.open("short of space");
      seen.push(again.recovery.outcome, (await again.verify()).sound);
      await again.close();
      return seen;
    });
    assert.deepEqual(seen, [false, false, "before", "after", "Clean", true]);
    await closeQuietly(page);
  });
});
