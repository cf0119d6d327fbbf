/** What is asked of the browser's file and of its messages, counted: it does not depend on the machine. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { askWorker, blankPage, closeQuietly } from "./harness.mjs";
import { COUNTING, NO_TIMERS } from "./patches.mjs";
import { inBrowser } from "./suite.mjs";

/** Counts messages of the page to its workers, and those that come back. */
const COUNT_MESSAGES = `
  globalThis.messages = { sent: 0, received: 0 };
  for (const kind of [Worker, MessagePort]) {
    const { postMessage } = kind.prototype;
    kind.prototype.postMessage = function (...args) {
      messages.sent++;
      return postMessage.apply(this, args);
    };
    const { addEventListener } = kind.prototype;
    const counted = new WeakSet();
    const count = (target) => {
      if (counted.has(target)) return;
      counted.add(target);
      addEventListener.call(target, "message", () => messages.received++);
    };
    kind.prototype.addEventListener = function (...args) {
      if (args[0] === "message") count(this);
      return addEventListener.apply(this, args);
    };
    const { set, get } = Object.getOwnPropertyDescriptor(kind.prototype, "onmessage") ?? {};
    if (set !== undefined) {
      Object.defineProperty(kind.prototype, "onmessage", {
        get,
        set(listener) {
          count(this);
          set.call(this, listener);
        },
      });
    }
  }
`;

describe("what is asked of the browser", () => {
  const browser = inBrowser();
  let page;

  before(async () => {
    page = await blankPage(browser.context, browser.site.url, { patch: NO_TIMERS + COUNTING, prepare: COUNT_MESSAGES });
  });
  after(() => closeQuietly(page));

  const takeCalls = () => askWorker(page, () => self.takeCalls());
  /** The calls that `action` leads to. */
  const during = async (action, argument) => {
    await takeCalls();
    await page.evaluate(action, argument);
    return takeCalls();
  };
  /** Opens a store of this name anew, with nothing of it in the cache. */
  const reopen = (name) =>
    page.evaluate(async (name) => {
      await globalThis.db?.close();
      globalThis.db = await tailstone.open(name);
    }, name);

  test("5,000 puts of 100 bytes and a flush are two writes at most, and one flush", async () => {
    await reopen("puts");
    const calls = await during(async () => {
      const value = pattern(100);
      await Promise.all([...Array.from({ length: 5000 }, (_, at) => db.set(`k${at}`, value)), db.flush()]);
    });
    console.log(`5,000 puts: ${JSON.stringify(calls)}`);
    assert.ok(calls.write <= 2, `${calls.write} writes`);
    assert.equal(calls.flush, 1);
    assert.equal(calls.read, undefined, "and no read");
    // Space is reserved ahead, 1 MiB at a time at first, so that a full disk refuses the put and not the flush.
    assert.ok((calls.truncate ?? 0) <= Math.ceil(calls.writeBytes / (1 << 20)), `${calls.truncate} times space was reserved`);
    assert.equal(await page.evaluate(() => db.count()), 5000);
  });

  test("a relaxed put is one write behind its answer, and a get of it asks nothing of the file", async () => {
    await reopen("buffered");
    await page.evaluate(() => db.set("first", pattern(100)));
    await page.evaluate(() => expect.pause(20));
    const put = await during(async () => {
      await db.set("k1", pattern(100, 1));
      await expect.pause(20);
    });
    assert.deepEqual([put.write, Object.keys(put).sort()], [1, ["write", "writeBytes"]]);
    const read = await during(async () => {
      expect.sameBytes(await db.get("k1"), pattern(100, 1));
      await Promise.all([db.has("k1"), db.size("k1"), db.get("missing"), db.delete("missing")]);
      await expect.pause(20);
    });
    assert.deepEqual(read, {});
  });

  test("relaxed puts one after the other are a write every five milliseconds", async () => {
    await reopen("burst");
    const calls = await during(async () => {
      const start = performance.now();
      for (let at = 0; at < 300; at++) await db.set(`k${at}`, pattern(100, at));
      await expect.pause(20);
      globalThis.milliseconds = performance.now() - start;
    });
    const milliseconds = await page.evaluate(() => globalThis.milliseconds);
    assert.ok(calls.write <= 2 + milliseconds / 5, `${calls.write} writes in ${milliseconds} ms`);
    assert.equal(calls.flush, undefined);
    assert.ok(calls.writeBytes > 300 * 100, `${calls.writeBytes} bytes`);
  });

  test("a stored value is read once, a small one in two reads at most and never again", async () => {
    await reopen("stored");
    await page.evaluate(async () => {
      await db.setMany(Array.from({ length: 1000 }, (_, at) => [`k${at}`, pattern(100, at)]));
      await db.set("large", pattern(1 << 20));
    });
    await reopen("stored");
    await page.evaluate(() => db.get("k1"));
    const small = await during(async () => expect.sameBytes(await db.get("k500"), pattern(100, 500)));
    assert.ok((small.read ?? 0) <= 2, `${small.read} reads`);
    assert.deepEqual(await during(async () => expect.sameBytes(await db.get("k500"), pattern(100, 500))), {});
    assert.deepEqual(await during(() => db.has("k500")), {});
    assert.deepEqual(await during(() => db.has("missing")), {});
    // What lies behind a value says whose it is; from then on a large value is one read of just its bytes.
    await page.evaluate(() => db.size("large"));
    const large = await during(async () => expect.sameBytes(await db.get("large"), pattern(1 << 20)));
    assert.deepEqual(large, { read: 1, readBytes: 1 << 20 });
    const range = await during(async () => expect.sameBytes(await db.getRange("large", 500_000, 100_000), pattern(1 << 20).subarray(500_000, 600_000)));
    assert.deepEqual(range, { read: 1, readBytes: 100_000 });
  });

  test("twenty strict puts at once share a flush", async () => {
    await reopen("strict");
    await page.evaluate(() => db.set("first", pattern(100), { durability: "strict" }));
    const calls = await during(() =>
      Promise.all(Array.from({ length: 20 }, (_, at) => db.set(`k${at}`, pattern(100), { durability: "strict" }))),
    );
    assert.equal(calls.flush, 1);
    assert.equal(calls.write, 1);
    const one = await during(() => db.set("one", pattern(100), { durability: "strict" }));
    assert.equal(one.flush, 1);
    assert.equal(one.write, 1);
    assert.deepEqual(await during(() => db.flush()), {}, "there is nothing to flush");
  });

  test("2,000 gets at once are one message each way", async () => {
    await reopen("messages");
    await page.evaluate(() => db.setMany(Array.from({ length: 2000 }, (_, at) => [`k${at}`, pattern(100, at)])));
    const seen = await page.evaluate(async () => {
      // An answer to something earlier may still be on its way.
      await db.has("k0");
      const { sent, received } = messages;
      const values = await Promise.all(Array.from({ length: 2000 }, (_, at) => db.get(`k${at}`)));
      values.forEach((value, at) => expect.sameBytes(value, pattern(100, at)));
      return [messages.sent - sent, messages.received - received];
    });
    assert.deepEqual(seen, [1, 1]);
  });

  test("2,000 puts at once, with deletes and gets in between, are one message each way", async () => {
    await reopen("messages");
    const seen = await page.evaluate(async () => {
      await db.has("k0");
      const { sent, received } = messages;
      await Promise.all(Array.from({ length: 2000 }, (_, at) => [db.set(`l${at}`, pattern(100)), db.delete(`k${at}`), db.get(`l${at}`)]).flat());
      return [messages.sent - sent, messages.received - received];
    });
    assert.deepEqual(seen, [1, 1]);
  });

  test("a stream reads no further than it is asked to, with some pieces in advance", async () => {
    await reopen("backpressure");
    await page.evaluate(async () => {
      await db.putStream("k", new Blob(Array.from({ length: 64 }, () => pattern(1 << 20))));
      await db.flush();
    });
    const calls = await during(async () => {
      const reader = (await db.stream("k")).getReader();
      await reader.read();
      await expect.pause(200);
      globalThis.reader = reader;
    });
    assert.ok(calls.readBytes <= 16 << 20, `${calls.readBytes} bytes were read for the first piece`);
    await page.evaluate(() => reader.cancel());
  });

  test("a source is asked for no more than what has been written, with some pieces in advance", async () => {
    await reopen("backpressure in");
    await page.evaluate(() => {
      globalThis.given = 0;
      globalThis.put = db.putStream("k", new ReadableStream({
        pull(controller) {
          if (given === 64) controller.close();
          else controller.enqueue(pattern(1 << 20, given++));
        },
      }));
    });
    // The worker stands still: whoever goes on pulling now only fills memory.
    const standing = askWorker(page, () => {
      const end = Date.now() + 1500;
      while (Date.now() < end);
    });
    const given = await page.evaluate(async () => {
      await expect.pause(1000);
      return given;
    });
    await standing;
    await page.evaluate(() => put);
    console.log(`of 64 pieces, ${given} were taken while the worker stood still`);
    assert.equal(await page.evaluate(() => db.size("k")), 64 << 20);
    assert.ok(given < 48, `${given} MiB of 64 were taken while nothing was written`);
  });
});

describe("what a page that goes away leaves", () => {
  const browser = inBrowser();

  for (const [event, dispatch] of Object.entries({
    pagehide: () => dispatchEvent(new PageTransitionEvent("pagehide")),
    freeze: () => document.dispatchEvent(new Event("freeze")),
    visibilitychange: () => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
      document.dispatchEvent(new Event("visibilitychange"));
    },
  })) {
    test(`${event} flushes`, async () => {
      const page = await blankPage(browser.context, browser.site.url, { patch: NO_TIMERS + COUNTING });
      await page.evaluate(async (name) => {
        globalThis.db = await tailstone.open(name);
        await db.set("k", bytesOf("relaxed"));
        await expect.pause(20);
      }, event);
      assert.equal((await askWorker(page, () => self.takeCalls())).flush ?? 0, 0, "not before");
      await page.evaluate(dispatch);
      await page.evaluate(() => db.has("k"));
      const calls = await askWorker(page, () => self.takeCalls());
      assert.deepEqual([calls.flush, calls.write], [1, undefined]);
      await page.evaluate(() => db.close());
      await closeQuietly(page);
    });
  }

  for (const [way, leave] of Object.entries({
    "goes to another address": (page) => page.goto("about:blank"),
    "is reloaded": (page) => page.reload(),
    "is closed": (page) => page.close({ runBeforeUnload: false }),
  })) {
    test(`a page that ${way} has written what it was told is stored`, async () => {
      const page = await blankPage(browser.context, browser.site.url, { patch: NO_TIMERS });
      await page.evaluate(async (name) => {
        globalThis.db = await tailstone.open(name);
        await db.set("k", bytesOf("relaxed"));
      }, way);
      await leave(page);
      if (!page.isClosed()) await page.close();
      const next = await blankPage(browser.context, browser.site.url);
      const found = await next.evaluate(async (name) => {
        const db = await tailstone.open(name);
        const value = textOf(await db.get("k"));
        await db.close();
        return value;
      }, way);
      assert.equal(found, "relaxed");
      await closeQuietly(next);
    });
  }
});
