/** The package in a page: what a stranger's code can rely on. */

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { blankPage, closeQuietly } from "./harness.mjs";
import { inBrowser } from "./suite.mjs";

describe("a store in a page", () => {
  const browser = inBrowser();
  let page;

  beforeEach(async () => {
    page = await blankPage(browser.context, browser.site.url);
    await page.evaluate(() => tailstone.destroy("t"));
  });

  test("what is set is there, what is deleted is not", async () => {
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      await db.set("a", bytesOf("1"));
      await db.set("a", bytesOf("2"));
      await db.set("b", bytesOf("3").buffer);
      const seen = {
        a: textOf(await db.get("a")),
        b: textOf(await db.get("b")),
        size: await db.size("b"),
        has: [await db.has("a"), await db.has("c")],
        missing: await db.get("c"),
        deleted: [await db.delete("a"), await db.delete("a"), await db.delete("c")],
        after: await db.get("a"),
        backend: [db.backend, db.durable],
        stats: await db.stats(),
      };
      await db.close();
      return seen;
    });
    assert.equal(seen.a, "2");
    assert.equal(seen.b, "3");
    assert.equal(seen.size, 1);
    assert.deepEqual(seen.has, [true, false]);
    assert.equal(seen.missing, undefined);
    assert.deepEqual(seen.deleted, [true, false, false]);
    assert.equal(seen.after, undefined);
    assert.deepEqual(seen.backend, ["opfs", true]);
    assert.equal(seen.stats.liveKeys, 1);
    // a at 0, a at 64, b at 128, a's tombstone: 149 bytes and 21.
    assert.equal(seen.stats.fileBytes, 170);
    await closeQuietly(page);
  });

  test("values of every length come back", async () => {
    const wrong = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      // 1 MiB and around 16 KiB, 64 KiB: where bytes change the way they travel.
      const lengths = [1, 2, 63, 64, 65, 16383, 16384, 16385, 65535, 65536, 65537, 1 << 20, 5 << 20];
      const value = (length) => Uint8Array.from({ length }, (_, at) => (at * 31 + length) % 251 | 1);
      await Promise.all(lengths.map((length) => db.set(`v${length}`, value(length))));
      const wrong = [];
      const values = await Promise.all(lengths.map((length) => db.get(`v${length}`)));
      lengths.forEach((length, at) => {
        const expected = value(length);
        const got = values[at];
        if (got?.length !== length || got.some((byte, at) => byte !== expected[at])) wrong.push(length);
        if (got?.buffer.byteLength !== length) wrong.push(`buffer of ${length}`);
      });
      await db.close();
      return wrong;
    });
    assert.deepEqual(wrong, []);
    await closeQuietly(page);
  });

  test("calls of one turn are carried out in their order", async () => {
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      const bytes = bytesOf("first");
      const set = db.set("k", bytes);
      bytes.fill(0);
      const results = await Promise.all([
        set, db.get("k"), db.set("k", bytesOf("second")), db.set("l", bytesOf("l")), db.get("k"), db.delete("k"), db.get("k"), db.get("l"),
      ]);
      await db.close();
      return results.map((result) => (result instanceof Uint8Array ? textOf(result) : result));
    });
    assert.deepEqual(seen, [undefined, "first", undefined, undefined, "second", true, undefined, "l"]);
    await closeQuietly(page);
  });

  test("keys are any text and any bytes", async () => {
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      const keys = ["", "schlüssel", "键", "🗝️ emoji", "a/b/../c", "\u0000", "x".repeat(70_000), new Uint8Array([0xff, 0xfe])];
      await Promise.all(keys.map((key, at) => db.set(key, bytesOf(`value ${at}`))));
      const values = await Promise.all(keys.map(async (key) => textOf(await db.get(key))));
      const same = textOf(await db.get(bytesOf("schlüssel")));
      await db.close();
      return { values, same };
    });
    assert.deepEqual(seen.values, seen.values.map((_, at) => `value ${at}`));
    assert.equal(seen.same, "value 1");
    await closeQuietly(page);
  });

  test("what a plain entry cannot hold is refused, and only that", async () => {
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      const codes = await Promise.all([
        codeOf(() => db.set("before", bytesOf("x"))),
        codeOf(() => db.set("empty", new Uint8Array(0))),
        codeOf(() => db.set("zero", new Uint8Array(1))),
        codeOf(() => db.set("two zeros", new Uint8Array(2))),
        codeOf(() => db.set("zeros streamed", new Blob([new Uint8Array(1000)]))),
        codeOf(() => db.getRange("before", -1, 1)),
        codeOf(() => db.getRange("before", 0, 0.5)),
        codeOf(() => db.set("behind", bytesOf("y"))),
      ]);
      const there = await Promise.all(["before", "empty", "zero", "two zeros", "zeros streamed", "behind"].map((key) => db.has(key)));
      await db.close();
      return { codes, there };
    });
    assert.deepEqual(seen.codes, ["none", "invalid", "invalid", "none", "invalid", "invalid", "invalid", "none"]);
    assert.deepEqual(seen.there, [true, false, false, true, false, true]);
    await closeQuietly(page);
  });

  test("ranges read what they say", async () => {
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      await db.set("k", Uint8Array.from({ length: 100_000 }, (_, at) => at % 256));
      const range = async (offset, length) => Array.from((await db.getRange("k", offset, length)) ?? ["none"]);
      const seen = [
        await range(0, 3), await range(99_998, 10), await range(100_000, 10), await range(2 ** 52, 10), await range(5, 0),
        (await range(1, 50_000)).length,
        await db.getRange("missing", 0, 1),
      ];
      await db.close();
      return seen;
    });
    assert.deepEqual(seen, [[0, 1, 2], [99_998 % 256, 99_999 % 256], [], [], [], 50_000, undefined]);
    await closeQuietly(page);
  });

  test("a blob is streamed", async () => {
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      const bytes = crypto.getRandomValues(new Uint8Array(65_536));
      const blob = new Blob(Array.from({ length: 300 }, () => bytes));
      await db.set("blob", blob);
      const got = await db.get("blob");
      const again = new Uint8Array(await blob.arrayBuffer());
      const same = got.length === again.length && got.every((byte, at) => byte === again[at]);
      await db.close();
      return { same, length: got.length };
    });
    assert.deepEqual(seen, { same: true, length: 300 * 65_536 });
    await closeQuietly(page);
  });

  test("a reload keeps data, and the report says that the store was whole", async () => {
    await page.evaluate(async () => {
      const db = await tailstone.open("t");
      await db.set("kept", bytesOf("yes"));
      await db.flush();
    });
    // Not closed: the old page's worker goes away with it, at some moment after the new one begins.
    await page.reload();
    const seen = await page.evaluate(async () => {
      const { open } = await import("./pkg/tailstone/index.js");
      const db = await open("t");
      const value = new TextDecoder().decode(await db.get("kept"));
      const { recovery } = db;
      await db.close();
      return { value, recovery };
    });
    assert.equal(seen.value, "yes");
    assert.equal(seen.recovery.outcome, "Clean");
    assert.equal(seen.recovery.cutBytes, 0);
    await closeQuietly(page);
  });

  test("a second tab is told that the store is locked, and has it after the first", async () => {
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("t");
      await db.set("k", bytesOf("from the first"));
    });
    const second = await blankPage(browser.context, browser.site.url);
    const opened = () => second.evaluate(() => codeOf(async () => (globalThis.db = await tailstone.open("t", { patience: 100 }))));
    assert.equal(await opened(), "locked");
    assert.equal(await second.evaluate(() => codeOf(() => tailstone.destroy("t"))), "locked");
    await page.evaluate(() => db.close());
    assert.equal(await opened(), "none");
    assert.equal(await second.evaluate(async () => textOf(await db.get("k"))), "from the first");
    await second.evaluate(() => db.close());
    await closeQuietly(second);
    await closeQuietly(page);
  });

  test("after close every call says so", async () => {
    const codes = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      await db.close();
      await db.close();
      return Promise.all([codeOf(() => db.set("k", bytesOf("v"))), codeOf(() => db.get("k")), codeOf(() => db.flush())]);
    });
    assert.deepEqual(codes, ["closed", "closed", "closed"]);
    await closeQuietly(page);
  });

  test("names that no folder can have are refused", async () => {
    const codes = await page.evaluate(() =>
      Promise.all(["", ".", "..", "x".repeat(201)].map((name) => codeOf(() => tailstone.open(name)))),
    );
    assert.deepEqual(codes, ["invalid", "invalid", "invalid", "invalid"]);
    await closeQuietly(page);
  });

  test("an export, imported elsewhere, is the same store", async () => {
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      await Promise.all(Array.from({ length: 500 }, (_, at) => db.set(`k${at}`, bytesOf(`v${at}`))));
      const file = await db.exportFile();
      const { fileBytes } = await db.stats();
      await db.close();
      await tailstone.destroy("u");
      const other = await tailstone.open("u");
      await other.set("gone", bytesOf("with the import"));
      const recovery = await other.importFile(file);
      const values = [await other.get("k0"), await other.get("k499"), await other.get("gone")].map(textOf);
      await other.set("later", bytesOf("written"));
      await other.close();
      const reopened = await tailstone.open("u");
      values.push(...[await reopened.get("k250"), await reopened.get("later")].map(textOf));
      await reopened.close();
      await tailstone.destroy("u");
      return { size: file.size, fileBytes, recovery, values };
    });
    assert.equal(seen.size, seen.fileBytes);
    assert.equal(seen.recovery.fileBytes, seen.size);
    assert.deepEqual(seen.values, ["v0", "v499", undefined, "v250", "written"]);
    await closeQuietly(page);
  });

  test("an import of a cut file recovers it and says so", async () => {
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      await db.set("whole", bytesOf("w".repeat(1000)));
      const { fileBytes } = await db.stats();
      await db.set("cut", bytesOf("c".repeat(1000)));
      const file = await db.exportFile();
      const recovery = await db.importFile(file.slice(0, file.size - 100));
      const there = [await db.has("whole"), await db.has("cut")];
      const verdict = await db.verify();
      await db.close();
      return { recovery, there, fileBytes, size: file.size, verdict };
    });
    assert.equal(seen.recovery.outcome, "TornTail");
    assert.equal(seen.recovery.tail, seen.fileBytes);
    assert.equal(seen.recovery.cutBytes, seen.size - 100 - seen.fileBytes);
    assert.deepEqual(seen.there, [true, false]);
    assert.equal(seen.verdict.sound, true);
    await closeQuietly(page);
  });

  test("a file that is no store, or a damaged one, is refused and nothing changes", async () => {
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("t");
      await db.set("k", bytesOf("kept"));
      await db.set("l", bytesOf("l".repeat(20_000)));
      await db.set("m", bytesOf("m"));
      const before = await db.exportFile();
      const text = new Blob(["This is a text file, long enough to be taken for something.\n".repeat(50)]);
      const bytes = new Uint8Array(await before.arrayBuffer());
      bytes[10_000] ^= 1;
      const codes = [await codeOf(() => db.importFile(text)), await codeOf(() => db.importFile(new Blob([bytes])))];
      const after = await db.exportFile();
      const value = textOf(await db.get("k"));
      await db.set("k", bytesOf("still writes"));
      await db.close();
      const again = await tailstone.open("t");
      const reopened = textOf(await again.get("k"));
      await again.close();
      const same = (await before.text()) === (await after.text());
      return { codes, same, value, reopened };
    });
    assert.deepEqual(seen, { codes: ["not-a-store", "corrupt"], same: true, value: "kept", reopened: "still writes" });
    await closeQuietly(page);
  });
});
