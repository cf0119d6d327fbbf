/**
 * The browser is killed, and with it, as far as the store can tell, the power goes: of what was not flushed any part may be
 * on the disk. What was acknowledged as strict is there afterwards, and a store that was being replaced is the old one or
 * the new one as a whole.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { askWorker, blankPage, launch, launchKillable, newProfile, removeFolder, serveBuilt, until } from "./harness.mjs";
import { stopping, volatile } from "./patches.mjs";

const ROUNDS = 3;

test(`killed ${ROUNDS} times while it writes, a browser loses nothing that was acknowledged`, async () => {
  const site = await serveBuilt();
  const profile = await newProfile();
  let stored = 0;
  let batches = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const { context, kill } = await launchKillable(profile);
      const page = await blankPage(context, site.url, { patch: volatile(round + 1) });
      const reported = { stored, batches };
      await page.exposeFunction("report", (what, count) => (reported[what] = count));
      await page.evaluate(async ([from, batch]) => {
        globalThis.db = await tailstone.open("killed", { durability: "strict" });
        globalThis.failed = (error) => report("failed", String(error));
        (async () => {
          for (let n = from; ; n += 10) {
            await Promise.all(Array.from({ length: 10 }, (_, at) => db.set(`k${n + at}`, pattern(((n + at) * 7919) % 30_000, n + at))));
            await report("stored", n + 10);
          }
        })().catch(failed);
        (async () => {
          // Ten keys that always have one value, which is the number of the batch.
          for (let n = batch; ; n++) {
            await db.setMany(Array.from({ length: 10 }, (_, at) => [`batch ${at}`, bytesOf(`${n}`)]));
            await report("batches", n);
          }
        })().catch(failed);
        (async () => {
          // Relaxed writes in between, of which nothing is promised.
          for (let n = 0; ; n++) await db.set(`relaxed ${n % 50}`, pattern(5000, n), { durability: "relaxed" });
        })().catch(failed);
      }, [stored, batches]);
      const wanted = stored + 100 + 50 * round;
      await until(() => reported.stored >= wanted || reported.failed);
      assert.equal(reported.failed, undefined);
      await kill();
      ({ stored, batches } = reported);
    }
    const context = await launch(profile);
    const page = await blankPage(context, site.url);
    const seen = await page.evaluate(async ([stored]) => {
      const db = await tailstone.open("killed");
      const wrong = [];
      for (let n = 0; n < stored; n++) {
        try {
          expect.sameBytes(await db.get(`k${n}`), pattern((n * 7919) % 30_000, n), `k${n}`);
        } catch (error) {
          wrong.push(String(error));
        }
      }
      const batch = (await db.getMany(Array.from({ length: 10 }, (_, at) => `batch ${at}`))).map(textOf);
      const { sound, summary } = await db.verify();
      const { recovery } = db;
      await db.close();
      return { wrong, batch, sound, summary, recovery };
    }, [stored]);
    await context.close();
    assert.deepEqual(seen.wrong, [], `of ${stored} acknowledged values`);
    assert.equal(new Set(seen.batch).size, 1, `a batch in part: ${seen.batch}`);
    assert.ok(Number(seen.batch[0]) >= batches, `batch ${seen.batch[0]}, where ${batches} was acknowledged`);
    assert.ok(seen.sound, seen.summary);
  } finally {
    await site.stop();
    await removeFolder(profile);
  }
});

test("power lost between a write and its flush leaves all that was flushed before", async () => {
  const site = await serveBuilt();
  const profile = await newProfile();
  const stop = `${site.url}stopped`;
  const outcomes = [];
  try {
    for (let round = 1; round <= 4; round++) {
      const name = `torn ${round}`;
      const { context, kill } = await launchKillable(profile);
      const page = await blankPage(context, site.url, { patch: volatile(round) + stopping(stop) });
      await page.evaluate(async (name) => {
        globalThis.db = await tailstone.open(name, { durability: "strict" });
        await db.setMany(Array.from({ length: 50 }, (_, at) => [`flushed ${at}`, pattern(5000, at)]));
        await db.set("flushed too", pattern(300_000));
      }, name);
      await askWorker(page, () => (self.stopBefore = "flush"));
      const reached = new Promise((resolve) => page.route(stop, resolve));
      // Every tenth is longer than what opening looks at.
      page.evaluate(() => Promise.all(Array.from({ length: 200 }, (_, at) => db.set(`lost ${at}`, pattern(at % 10 === 0 ? 30_000 : 300 + at * 17, at))))).catch(() => {});
      await reached;
      await kill();
      const next = await launch(profile);
      const found = await blankPage(next, site.url);
      const outcome = found.evaluate(async (name) => {
        const db = await tailstone.open(name);
        for (let at = 0; at < 50; at++) expect.sameBytes(await db.get(`flushed ${at}`), pattern(5000, at), `flushed ${at}`);
        expect.sameBytes(await db.get("flushed too"), pattern(300_000));
        let kept = 0;
        for await (const [key, value] of db.entries({ prefix: "lost " })) {
          const at = Number(key.slice("lost ".length));
          expect.sameBytes(value, pattern(at % 10 === 0 ? 30_000 : 300 + at * 17, at), key);
          kept++;
        }
        const { sound, summary } = await db.verify();
        const { outcome } = db.recovery;
        await db.close();
        return `${outcome}, ${kept} of 200 kept, ${sound ? "sound" : summary}`;
      }, name);
      outcomes.push(await outcome.catch((error) => String(error).split("\n")[0]));
      await next.close();
    }
    console.log(outcomes.join("\n"));
    for (const outcome of outcomes) assert.match(outcome, /, sound$/);
  } finally {
    await site.stop();
    await removeFolder(profile);
  }
});

const CHANGES = {
  compaction: {
    act: () => db.compact(),
    after: ["old"],
  },
  import: {
    act: async () => {
      const other = await tailstone.open("source");
      const file = await other.export();
      await other.close();
      await db.import(file);
    },
    after: ["old", "new"],
  },
};

for (const [name, { act, after }] of Object.entries(CHANGES)) {
  test(`killed at any step of ${name}, a browser has the store as a whole`, async () => {
    const site = await serveBuilt();
    const profile = await newProfile();
    const stop = `${site.url}stopped`;
    const prepare = async (context, seed) => {
      const page = await blankPage(context, site.url, { patch: volatile(seed) + stopping(stop) });
      await page.evaluate(async () => {
        const fill = (value) => Array.from({ length: 30 }, (_, at) => [`k${at}`, pattern(30_000, value)]);
        const source = await tailstone.open("source");
        if ((await source.count()) === 0) await source.setMany([...fill(2), ["which", bytesOf("new")]]);
        await source.close();
        globalThis.db = await tailstone.open("replaced", { compactAt: false, durability: "strict" });
        await db.setMany([...fill(1), ["which", bytesOf("begun")]]);
        await db.setMany([...fill(0), ["which", bytesOf("old")]]);
      });
      return page;
    };
    /** Which of the stores it is, if it is one as a whole. */
    const found = (page) =>
      page.evaluate(async () => {
        const db = await tailstone.open("replaced");
        const which = textOf(await db.get("which"));
        const seed = { old: 0, new: 2 }[which];
        const values = await db.getMany(Array.from({ length: 30 }, (_, at) => `k${at}`));
        values.forEach((value, at) => expect.sameBytes(value, pattern(30_000, seed), `k${at} of ${which}`));
        expect.equal(await db.count(), 31);
        expect.ok((await db.verify()).sound, "sound");
        await db.close();
        return which;
      });
    try {
      // Once to its end, to know the steps.
      let context = await launch(profile);
      let page = await prepare(context, 1);
      await askWorker(page, () => (self.steps.length = 0));
      await page.evaluate(act);
      const steps = await askWorker(page, () => self.steps);
      await page.evaluate(() => db.close());
      assert.equal(await found(page), after.at(-1));
      await context.close();
      const pointer = steps.indexOf("current write");
      assert.ok(pointer >= 0, `no step is the pointer's: ${steps}`);

      const points = new Set([1, Math.floor(pointer / 2), pointer - 1, pointer, pointer + 1, pointer + 2, steps.length - 1]);
      const outcomes = [];
      for (const point of [...points].filter((point) => point >= 0 && point < steps.length)) {
        const { context, kill } = await launchKillable(profile);
        page = await prepare(context, point + 2);
        await askWorker(page, (point) => {
          self.steps.length = 0;
          self.stopBefore = point;
        }, point);
        // Asked for in the middle of that step, and never answered.
        const reached = new Promise((resolve) => page.route(stop, resolve));
        page.evaluate(act).catch(() => {});
        await reached;
        await kill();
        const next = await launch(profile);
        page = await blankPage(next, site.url);
        const which = await found(page).catch((error) => `${error}`.split("\n")[0]);
        await next.close();
        outcomes.push(`before ${steps[point]} (${point} of ${steps.length}): ${which}`);
        assert.ok(after.includes(which), outcomes.join("; "));
      }

      // And once it is through, when nothing that was not flushed may count.
      const { context: last, kill } = await launchKillable(profile);
      page = await prepare(last, 0);
      await page.evaluate(act);
      await kill();
      context = await launch(profile);
      const which = await found(await blankPage(context, site.url)).catch((error) => `${error}`.split("\n")[0]);
      await context.close();
      console.log([...outcomes, `afterwards: ${which}`].join("\n"));
      assert.equal(which, after.at(-1));
    } finally {
      await site.stop();
      await removeFolder(profile);
    }
  });
}
