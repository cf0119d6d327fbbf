/** `tailstone/worker`: the same store inside of a program's own worker, without a message. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { blankPage, closeQuietly, exported } from "./harness.mjs";
import { COUNTING } from "./patches.mjs";
import { inBrowser } from "./suite.mjs";

/** Runs `script` in a worker of the page, with the package's worker entry as `tailstone`; gives what it returns. */
async function inWorker(page, script, argument) {
  return page.evaluate(async ({ script, argument, entry }) => {
    const from = (path) => JSON.stringify(String(new URL(path, location.href)));
    const source = `
      import * as tailstone from ${from(entry)};
      import * as expect from ${from("./cases/expect.mjs")};
      const { bytesOf, textOf, pattern } = expect;
      self.onmessage = async ({ data }) => {
        try {
          postMessage({ done: await (${script})(data) });
        } catch (error) {
          postMessage({ error: String(error?.stack ?? error) });
        }
      };`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
    const answer = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    });
    worker.postMessage(argument);
    const { done, error } = await answer;
    (globalThis.workers ??= []).push(worker);
    if (error !== undefined) throw new Error(error);
    return done;
  }, { script: String(script), argument, entry: exported("./worker") });
}

describe("a store in a program's own worker", () => {
  const browser = inBrowser();
  const tab = (options) => blankPage(browser.context, browser.site.url, options);

  test("every method answers at once", async () => {
    const page = await tab();
    await inWorker(page, async () => {
      let s = await tailstone.openSync("sync");
      s.set("a", bytesOf("1"));
      s.setMany([["b", bytesOf("2")], ["c", pattern(100_000)], ["empty", new Uint8Array(0)]]);
      s.batch((b) => {
        b.set("d", bytesOf("4"));
        b.delete("a");
      });
      const check = () => {
        expect.equal([s.has("a"), s.has("b"), s.size("c"), s.size("a"), s.count()], [false, true, 100_000, undefined, 4]);
        expect.equal([s.get("a"), textOf(s.get("b")), textOf(s.get("d"))], [undefined, "2", "4"]);
        expect.sameBytes(s.get("c"), pattern(100_000));
        expect.sameBytes(s.get("empty"), new Uint8Array(0));
        expect.sameBytes(s.getRange("c", 50_000, 100), pattern(100_000).subarray(50_000, 50_100));
        expect.equal(s.getMany(["b", "a"]).map((value) => value && textOf(value)), ["2", undefined]);
        expect.equal([...s.keys()], ["b", "c", "d", "empty"]);
        expect.equal([...s.keys({ prefix: "c" })], ["c"]);
        expect.equal([...s.entries({ prefix: "b" })].map(([key, value]) => [key, textOf(value)]), [["b", "2"]]);
      };
      check();
      s.flush();
      expect.equal(s.stats().unflushedBytes, 0);
      expect.ok(s.verify().sound, "sound");
      await s.close();
      s = await tailstone.openSync("sync");
      check();
      expect.equal([s.delete("b"), s.delete("b")], [true, false]);
      expect.equal([s.clear(), s.count()], [3, 0]);
      await s.close();
      let code;
      try {
        s.get("a");
      } catch (error) {
        code = error.code;
      }
      expect.equal(code, "closed");
    });
    await closeQuietly(page);
  });

  test("a view shows the value without a copy, and no longer than it may", async () => {
    const page = await tab();
    await inWorker(page, async () => {
      const s = await tailstone.openSync("views");
      for (const length of [0, 1, 100, 20_000, 3 << 20]) {
        s.set("k", pattern(length));
        const kept = s.withView("k", (view) => {
          expect.sameBytes(view, pattern(length), `a view of ${length}`);
          return view;
        });
        s.set("other", pattern(9 << 20));
        // Whatever became of it, it is not a window on what the engine does now.
        if (kept.length !== 0) expect.sameBytes(kept, pattern(length), `a view of ${length} that was kept`);
        expect.equal(s.withView("k", (view) => view.length), length);
      }
      expect.equal(s.withView("missing", () => "called"), undefined);
      s.set("k", pattern(1000));
      // A store that is used meanwhile, and whose memory grows, must not pull the view away unnoticed.
      const outcome = (() => {
        try {
          return s.withView("k", (view) => {
            s.set("large", pattern(32 << 20));
            expect.sameBytes(view, pattern(1000), "during another write");
            return "same";
          });
        } catch (error) {
          return error.code ?? `${error}`;
        }
      })();
      expect.ok(["same", "invalid"].includes(outcome), `outcome: ${outcome}`);
      expect.sameBytes(s.get("k"), pattern(1000));
      await s.close();
    });
    await closeQuietly(page);
  });

  test("tabs reach the store that a worker holds", async () => {
    const page = await tab();
    await inWorker(page, async () => {
      globalThis.s = await tailstone.openSync("reached");
      s.set("k", bytesOf("of the worker"));
    });
    const other = await tab();
    const seen = await other.evaluate(async () => {
      globalThis.db = await tailstone.open("reached");
      await db.set("l", bytesOf("of the tab"), { durability: "strict" });
      return textOf(await db.get("k"));
    });
    assert.equal(seen, "of the worker");
    await page.evaluate(() => workers.forEach((worker) => worker.terminate()));
    assert.equal(await other.evaluate(async () => textOf(await db.get("l"))), "of the tab");
    await other.evaluate(() => db.close());
    await closeQuietly(other);
    await closeQuietly(page);
  });

  test("a store that a tab holds is locked, after the patience that one has", async () => {
    const page = await tab();
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("held");
      await db.set("k", bytesOf("v"));
    });
    const other = await tab();
    const attempt = () =>
      inWorker(other, async () => {
        try {
          const s = await tailstone.openSync("held", { patience: 50 });
          const value = textOf(s.get("k"));
          await s.close();
          return value;
        } catch (error) {
          return error.code;
        }
      });
    assert.equal(await attempt(), "locked");
    await page.evaluate(() => db.close());
    assert.equal(await attempt(), "v");
    await closeQuietly(other);
    await closeQuietly(page);
  });

  test("relaxed writes of a worker are flushed by themselves", async () => {
    const page = await tab({ patch: COUNTING });
    await inWorker(page, async () => {
      const s = await tailstone.openSync("by itself");
      s.set("k", bytesOf("v"));
      await expect.until(() => s.stats().unflushedBytes === 0);
      await s.close();
    });
    await closeQuietly(page);
  });
});
