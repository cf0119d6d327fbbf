/**
 * A page that leaves as soon as a change was accepted: a form is sent, a link followed, a tab closed, a process dies. What was
 * accepted is there for the next page, with the relaxed durability too, as it is with IndexedDB's.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { blankPage, closeQuietly, crash, exported } from "./harness.mjs";
import { inBrowser } from "./suite.mjs";

const VISITS = 25;

/** Counts the visits in a store, and goes on to the next one without waiting for anything but the answer. */
const HOPPING = `<!doctype html><title>hopping</title><link rel=icon href=data:,>
<script type="module">
  import { open } from "${exported(".")}";
  const visit = Number(new URLSearchParams(location.search).get("visit"));
  const db = await open("hopping", { codec: "json" });
  const before = (await db.get("visits")) ?? 0;
  if (before !== visit) document.documentElement.dataset.end = \`visit \${visit} found \${before}\`;
  else if (visit === ${VISITS}) document.documentElement.dataset.end = "all counted";
  else {
    // The last is one of a burst.
    for (let count = 0; count <= 5; count++) await db.set(count < 5 ? \`burst \${count}\` : "visits", visit + 1);
    location.replace(\`?visit=\${visit + 1}\`);
  }
</script>`;

describe("a page that leaves at once", () => {
  const browser = inBrowser();

  test(`${VISITS} times to the next page`, async () => {
    const page = await browser.context.newPage();
    await page.route("**/hopping.html*", (route) => route.fulfill({ contentType: "text/html", body: HOPPING }));
    await page.goto(`${browser.site.url}hopping.html?visit=0`);
    await page.waitForSelector("html[data-end]", { state: "attached" });
    assert.equal(await page.evaluate(() => document.documentElement.dataset.end), "all counted");
    await page.close();
  });

  test("by the death of its process", async () => {
    for (let round = 0; round < 5; round++) {
      const page = await blankPage(browser.context, browser.site.url);
      await page.evaluate(async (round) => {
        const db = await tailstone.open("dying", { codec: "json" });
        await db.set(`round ${round}`, round);
        await db.setMany([[`many ${round}`, "x".repeat(2000)], [`large ${round}`, "y".repeat(3 << 20)]]);
      }, round);
      // A few milliseconds are promised, and fewer than the hundred after which all is flushed.
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 40)));
      await crash(page);
      await page.close();
      const next = await blankPage(browser.context, browser.site.url);
      const found = await next.evaluate(async (round) => {
        const db = await tailstone.open("dying", { codec: "json" });
        const values = await db.getMany([`round ${round}`, `many ${round}`, `large ${round}`]);
        const { sound } = await db.verify();
        await db.close();
        return [values[0], values[1]?.length, values[2]?.length, sound];
      }, round);
      assert.deepEqual(found, [round, 2000, 3 << 20, true]);
      await closeQuietly(next);
    }
  });
});
