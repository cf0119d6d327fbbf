/** The browser is killed in the middle of writing; what was acknowledged and flushed is there afterwards. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { blankPage, launch, launchKillable, newProfile, removeFolder, serveBuilt, until } from "./harness.mjs";

const ROUNDS = 3;

/** Values are told by their number: its length, and every byte of it. */
const VALUE = `(n) => new Uint8Array(1 + (n * 7919) % 30_000).fill(1 + (n % 255))`;

test(`killed ${ROUNDS} times while it writes, a browser loses nothing that was flushed`, async () => {
  const site = await serveBuilt();
  const profile = await newProfile();
  let flushed = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const { context, kill } = await launchKillable(profile);
      const page = await blankPage(context, site.url);
      let reported = flushed;
      await page.exposeFunction("report", (count) => (reported = count));
      await page.evaluate(
        async ([from, value]) => {
          const make = eval(value);
          const db = await tailstone.open("killed");
          globalThis.writing = (async () => {
            for (let n = from; ; n += 10) {
              const sets = Array.from({ length: 10 }, (_, at) => db.set(`k${n + at}`, make(n + at)));
              await Promise.all([...sets, db.flush()]);
              globalThis.report(n + 10);
            }
          })();
        },
        [flushed, VALUE],
      );
      const wanted = flushed + 100 + 50 * round;
      await until(() => reported >= wanted);
      await kill();
      flushed = reported;
    }
    const context = await launch(profile);
    const page = await blankPage(context, site.url);
    const seen = await page.evaluate(
      async ([count, value]) => {
        const make = eval(value);
        const db = await tailstone.open("killed");
        const wrong = [];
        for (let n = 0; n < count; n++) {
          const got = await db.get(`k${n}`);
          const expected = make(n);
          if (got?.length !== expected.length || got.some((byte) => byte !== expected[0])) wrong.push(n);
        }
        const { sound } = await db.verify();
        const { recovery } = db;
        await db.close();
        return { wrong, sound, recovery };
      },
      [flushed, VALUE],
    );
    await context.close();
    assert.deepEqual(seen.wrong, [], `of ${flushed} flushed values`);
    assert.ok(seen.sound, "and every entry is sound");
    assert.match(seen.recovery.outcome, /^(Clean|TornTail|UnusedSpace)$/);
  } finally {
    await site.stop();
    await removeFolder(profile);
  }
});
