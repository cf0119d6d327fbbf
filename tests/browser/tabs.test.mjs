/** Several tabs and one store: who holds it, what goes through it, and what becomes of it when its holder goes. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { askWorker, blankPage, closeQuietly, crash, until } from "./harness.mjs";
import { COUNTING } from "./patches.mjs";
import { inBrowser } from "./suite.mjs";

describe("tabs", () => {
  const browser = inBrowser();
  const tab = (options) => blankPage(browser.context, browser.site.url, options);
  const openIn = (page, name, options) =>
    page.evaluate(async ([name, options]) => {
      globalThis.db = await tailstone.open(name, options);
    }, [name, options]);

  test("one holds the file, the others read and write through it", async () => {
    const tabs = [await tab({ patch: COUNTING }), await tab({ patch: COUNTING }), await tab({ patch: COUNTING })];
    for (const page of tabs) await openIn(page, "shared");
    for (const [at, page] of tabs.entries()) {
      const seen = await page.evaluate(async (at) => {
        await db.set(`of ${at}`, bytesOf(`tab ${at}`));
        await db.set(`large of ${at}`, pattern(3 << 20, at), { durability: "strict" });
        return [db.backend, db.durable];
      }, at);
      assert.deepEqual(seen, ["opfs", true]);
    }
    for (const page of tabs) {
      await page.evaluate(async () => {
        for (let at = 0; at < 3; at++) {
          expect.equal(textOf(await db.get(`of ${at}`)), `tab ${at}`);
          expect.sameBytes(await db.get(`large of ${at}`), pattern(3 << 20, at));
        }
      });
    }
    const calls = await Promise.all(tabs.map((page) => askWorker(page, () => self.takeCalls())));
    assert.ok(calls[0].write > 0);
    assert.deepEqual(calls.slice(1), [{}, {}], "calls of those that do not hold it");
    assert.deepEqual(await Promise.all(tabs.map((page) => page.evaluate(() => codeOf(() => tailstone.destroy("shared"))))), ["locked", "locked", "locked"]);
    for (const page of tabs) {
      await page.evaluate(() => db.close());
      await closeQuietly(page);
    }
  });

  test("updates of all tabs at once are each applied once", async () => {
    const tabs = [await tab(), await tab(), await tab()];
    for (const page of tabs) await openIn(page, "counted", { codec: "json" });
    await Promise.all(
      tabs.map((page) => page.evaluate(() => Promise.all(Array.from({ length: 40 }, () => db.update("n", (old) => (old ?? 0) + 1))))),
    );
    for (const page of tabs) assert.equal(await page.evaluate(() => db.get("n")), 120);
    for (const page of tabs) await closeQuietly(page);
  });

  test("every tab hears of the changes of all", async () => {
    const tabs = [await tab(), await tab(), await tab()];
    for (const [at, page] of tabs.entries()) {
      await openIn(page, "watched");
      await page.evaluate((at) => {
        globalThis.heard = [];
        db.watch(at === 2 ? "of 1" : "", ({ type, key }) => heard.push(`${type} ${key}`));
      }, at);
    }
    for (const [at, page] of tabs.entries()) {
      await page.evaluate(async (at) => {
        await db.setMany([[`of ${at}`, bytesOf("v")], [`of ${at} too`, bytesOf("w")]]);
        await db.delete(`of ${at}`);
      }, at);
    }
    const all = [0, 1, 2].flatMap((at) => [`set of ${at}`, `set of ${at} too`, `delete of ${at}`]);
    for (const page of tabs) await page.evaluate((last) => expect.until(() => heard.includes(last)), "delete of 1");
    for (const page of tabs.slice(0, 2)) await page.evaluate((last) => expect.until(() => heard.includes(last)), "delete of 2");
    const heard = await Promise.all(tabs.map((page) => page.evaluate(() => heard)));
    assert.deepEqual(heard, [all, all, all.slice(3, 6)]);

    // The holder goes. Who listens goes on listening; what it may have missed it is told of as `resync`.
    await tabs[0].close();
    await tabs[2].evaluate(() => db.set("of 1 again", bytesOf("x")));
    for (const page of tabs.slice(1)) await page.evaluate(() => expect.until(() => heard.at(-1) === "set of 1 again"));
    const after = await Promise.all(tabs.slice(1).map((page) => page.evaluate(() => heard)));
    assert.deepEqual(after.map((list, at) => list.slice([9, 3][at]).filter((event) => !event.startsWith("resync"))), [["set of 1 again"], ["set of 1 again"]]);
    for (const page of tabs.slice(1)) await closeQuietly(page);
  });

  test("whoever closes the store leaves it to the next, and comes back as one of the others", async () => {
    const [one, two] = [await tab({ patch: COUNTING }), await tab({ patch: COUNTING })];
    await openIn(one, "handed on");
    await openIn(two, "handed on");
    await one.evaluate(() => db.set("k", bytesOf("relaxed, of the first")));
    const answer = two.evaluate(async () => {
      const answers = [];
      for (let at = 0; at < 200; at++) answers.push(textOf(await db.get("k")));
      return answers;
    });
    await one.evaluate(() => db.close());
    assert.deepEqual(new Set(await answer), new Set(["relaxed, of the first"]));
    await openIn(one, "handed on");
    await askWorker(one, () => self.takeCalls());
    await one.evaluate(async () => {
      expect.equal(textOf(await db.get("k")), "relaxed, of the first");
      await db.set("k", bytesOf("again"), { durability: "strict" });
    });
    assert.equal(await two.evaluate(async () => textOf(await db.get("k"))), "again");
    assert.ok((await askWorker(two, () => self.takeCalls())).write > 0, "the second holds it now");
    await closeQuietly(one);
    await closeQuietly(two);
  });

  test("holders that go, closed or killed, take nothing with them that was acknowledged", async (t) => {
    const pages = [];
    const acknowledged = new Map();
    for (let at = 0; at < 4; at++) {
      const page = await tab();
      pages.push(page);
      acknowledged.set(page, 0);
      await page.exposeFunction("acknowledge", (count) => acknowledged.set(page, count));
      await openIn(page, "orphaned");
    }
    for (const [at, page] of pages.entries()) {
      await page.evaluate((at) => {
        globalThis.failed = [];
        globalThis.writing = true;
        globalThis.settled = (async () => {
          for (let n = 0; writing; n++) {
            const size = n % 10 === 9 ? 100_000 : 200;
            try {
              await db.set(`${at}:${n}`, pattern(size, n), { durability: "strict" });
              // Waited for, so that reports do not pile up.
              await acknowledge(n + 1);
            } catch (error) {
              failed.push([n, error.code ?? String(error)]);
            }
          }
        })();
      }, at);
    }
    const progress = (page, by) => {
      const from = acknowledged.get(page);
      return until(() => acknowledged.get(page) >= from + by);
    };
    for (const page of pages) await progress(page, 20);
    for (const [at, leave] of [(page) => page.close(), crash, (page) => page.goto("about:blank")].entries()) {
      const survivor = pages[at + 1];
      await leave(pages[at]);
      const start = performance.now();
      await progress(survivor, 2);
      t.diagnostic(`the next tab goes on after ${Math.round(performance.now() - start)} ms`);
      await Promise.all(pages.slice(at + 1).map((page) => progress(page, 20)));
    }
    const last = pages[3];
    await last.evaluate(async () => {
      writing = false;
      await settled;
    });
    const counts = pages.map((page) => acknowledged.get(page));
    const failed = await last.evaluate(() => failed);
    const wrong = await last.evaluate(async ([counts, failed]) => {
      const excused = new Set(failed.map(([n]) => `3:${n}`));
      const wrong = [];
      for (const [at, count] of counts.entries()) {
        for (let n = 0; n < count; n++) {
          const key = `${at}:${n}`;
          if (excused.has(key)) continue;
          const value = await db.get(key);
          try {
            expect.sameBytes(value, pattern(n % 10 === 9 ? 100_000 : 200, n), key);
          } catch (error) {
            wrong.push(String(error));
          }
        }
      }
      if (!(await db.verify()).sound) wrong.push("not sound");
      return wrong;
    }, [counts, failed]);
    assert.deepEqual(wrong, [], `of ${counts} acknowledged values`);
    assert.deepEqual(failed, [], "a plain put can be sent again, so none fails");
    await last.evaluate(() => db.close());
    for (const page of pages.filter((page) => !page.isClosed())) await page.close();
  });

  test("relaxed writes that wait when the holder is killed are sent again", async () => {
    const [holder, other] = [await tab(), await tab()];
    await openIn(holder, "retried");
    await openIn(other, "retried");
    await other.evaluate(async () => {
      await db.set("before", bytesOf("flushed"));
      await db.flush();
    });
    // The holder's worker stands still, so that what is sent now is not answered.
    const standing = askWorker(holder, () => { for (;;); }).catch(() => {});
    const waiting = other.evaluate(async () => {
      const results = await Promise.allSettled([
        ...Array.from({ length: 50 }, (_, at) => db.set(`k${at}`, pattern(1000, at))),
        db.get("before"),
        db.setMany([["m1", bytesOf("m")], ["m2", bytesOf("m")]]),
        db.delete("before"),
        db.count(),
      ]);
      await db.flush();
      return results.map(({ status, reason }) => reason?.message ?? status);
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await crash(holder);
    assert.deepEqual(await waiting, Array(54).fill("fulfilled"));
    await standing;
    const seen = await other.evaluate(async () => {
      for (let at = 0; at < 50; at++) expect.sameBytes(await db.get(`k${at}`), pattern(1000, at));
      return [await db.has("before"), textOf(await db.get("m2")), await db.count()];
    });
    assert.deepEqual(seen, [false, "m", 52]);
    await closeQuietly(other);
    await holder.close();
  });

  test("an update whose answer is lost with the holder is applied once, or refused", async () => {
    const [holder, other] = [
      await tab({
        patch: `
          self.answersLeft = Infinity;
          const { postMessage } = BroadcastChannel.prototype;
          BroadcastChannel.prototype.postMessage = function (message) {
            if (self.answersLeft-- > 0) postMessage.call(this, message);
          };`,
      }),
      await tab(),
    ];
    await openIn(holder, "once", { codec: "json" });
    await openIn(other, "once", { codec: "json" });
    await other.evaluate(() => db.update("list", () => ["first"], { durability: "strict" }));
    // The answer to its read goes out, the one to its change does not.
    await askWorker(holder, () => (self.answersLeft = 1));
    const outcome = other.evaluate(async () => {
      let calls = 0;
      const result = await db
        .update("list", (old) => {
          calls++;
          return [...old, "second"];
        }, { durability: "strict" })
        .then(() => "done", (error) => `${error.code}: ${error.message}`);
      return { calls, result };
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await crash(holder);
    const { calls, result } = await outcome;
    const list = await other.evaluate(() => db.get("list"));
    console.log(`the update: ${result}; the list: ${list}; ${calls} calls of the function`);
    assert.deepEqual(list, ["first", "second"]);
    if (result !== "done") assert.match(result, /^(closed|io|locked):/);
    await other.evaluate(() => db.update("list", (old) => [...old, "third"]));
    assert.deepEqual(await other.evaluate(() => db.get("list")), [...list, "third"]);
    await closeQuietly(other);
    await holder.close();
  });

  test("a storm of updates while holders are killed: each once, or refused", async () => {
    const pages = [];
    const done = [];
    for (let at = 0; at < 3; at++) {
      const page = await tab();
      await page.exposeFunction("report", (id) => done.push(id));
      await openIn(page, "storm", { codec: "json" });
      pages.push(page);
    }
    for (const [at, page] of pages.entries()) {
      await page.evaluate((at) => {
        globalThis.writing = true;
        globalThis.refused = [];
        globalThis.settled = (async () => {
          for (let n = 0; writing; n++) {
            const id = `${at}:${n}`;
            try {
              await db.update("list", (old) => [...(old ?? []), id], { durability: "strict" });
              await report(id);
            } catch (error) {
              refused.push(`${id} ${error.code ?? error}`);
            }
          }
        })();
      }, at);
    }
    for (let at = 0; at < 2; at++) {
      const from = done.length;
      await until(() => done.length >= from + 60);
      await crash(pages[at]);
    }
    const from = done.length;
    await until(() => done.length >= from + 30);
    const { list, refused } = await pages[2].evaluate(async () => {
      writing = false;
      await settled;
      return { list: await db.get("list"), refused };
    });
    const times = new Map();
    for (const id of list) times.set(id, (times.get(id) ?? 0) + 1);
    assert.deepEqual([...times].filter(([, count]) => count > 1), [], "applied more than once");
    assert.deepEqual(done.filter((id) => !times.has(id)), [], `lost of ${done.length}`);
    console.log(`${done.length} updates, refused: ${refused}`);
    await closeQuietly(pages[2]);
    for (const page of pages.slice(0, 2)) await page.close();
  });
});
