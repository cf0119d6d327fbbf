/** The page for everyone: by keyboard alone, on a phone, in the dark, and where the browser refuses its file system. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { closeQuietly, openPage, patchWorkers, until } from "./harness.mjs";
import { REFUSED } from "./patches.mjs";
import { inBrowser } from "./suite.mjs";

const PHONE = { width: 390, height: 844 };

describe("the page for everyone", () => {
  const browser = inBrowser();
  const page = (query) => openPage(browser.context, browser.site.url, query);
  const focused = (page) =>
    page.evaluate(() => {
      const { activeElement } = document;
      return activeElement.id || activeElement.closest(".row")?.dataset.name || activeElement.className;
    });

  async function put(page, texts) {
    await page.evaluate(async (texts) => {
      const entries = Object.entries(texts).map(([name, text]) => [name, new TextEncoder().encode(text)]);
      await library.files.setMany(entries);
      await library.changed(entries.map(([name]) => name));
    }, texts);
  }

  test("everything that can be done is reached by keyboard, in the order it is seen, with a visible focus", async () => {
    const here = await page("?store=keys");
    await put(here, { "a.txt": "a", "b.txt": "b", "c.txt": "c" });
    await here.keyboard.press("Tab");
    assert.equal(await focused(here), "skip");
    const met = [];
    for (let step = 0; step < 40; step += 1) {
      await here.keyboard.press("Tab");
      const at = await focused(here);
      if (at === "" || met.at(-1) === "verify") break;
      const outline = await here.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(outline, "none", `${at} does not show that it has the focus`);
      if (met.at(-1) !== at) met.push(at);
    }
    for (const id of ["theme", "pick-files", "search", "order", "view-tiles", "a.txt", "c.txt", "export", "import", "verify"]) {
      assert.ok(met.includes(id), `${id} is not among ${met}`);
    }
    const tops = await here.evaluate(
      (ids) => ids.map((id) => document.getElementById(id).getBoundingClientRect()).map(({ top }) => top),
      ["theme", "search", "export"],
    );
    assert.deepEqual(tops, [...tops].sort((a, b) => a - b));
    await closeQuietly(here);
  });

  test("the list and the dialog by keyboard", async () => {
    const here = await page("?store=list");
    await put(here, { "a.txt": "a", "b.txt": "b", "c.txt": "c" });
    await here.selectOption("#order", "name");
    await here.locator("#view-rows").focus();
    await here.keyboard.press("/");
    assert.equal(await focused(here), "search");
    await here.locator(".open").first().focus();
    await here.keyboard.press("ArrowDown");
    assert.equal(await focused(here), "b.txt");
    await here.keyboard.press("Enter");
    await here.waitForSelector("#viewer[open]");
    assert.ok(await here.evaluate(() => document.querySelector("#viewer").contains(document.activeElement)));
    await here.keyboard.press("Escape");
    assert.equal(await focused(here), "b.txt", "the focus after the dialog");
    await here.keyboard.press("Delete");
    await until(async () => (await here.locator(".row").count()) === 2);
    assert.equal(await focused(here), "c.txt", "the focus after the row that had it went");
    await here.keyboard.press("Home");
    assert.equal(await focused(here), "a.txt");
    // A change from elsewhere takes the focus nowhere.
    await put(here, { "0.txt": "before all", "a.txt": "longer than it was" });
    await until(async () => (await here.locator(".row").count()) === 3);
    assert.equal(await focused(here), "a.txt");
    await closeQuietly(here);
  });

  test("every control has a name, and every colour enough contrast in both themes", async () => {
    const here = await page("?store=keys");
    const nameless = await here.$$eval("button:not(#offer, #confirm-yes), input, select, meter, progress, canvas, dialog", (controls) =>
      controls
        .filter((control) => !(control.ariaLabel || control.textContent.trim() || control.getAttribute("aria-labelledby")))
        .map((control) => control.outerHTML),
    );
    assert.deepEqual(nameless, []);
    for (const theme of ["light", "dark"]) {
      const ratios = await here.evaluate((theme) => {
        document.documentElement.dataset.theme = theme;
        const style = getComputedStyle(document.documentElement);
        const luminance = (name) => {
          const hex = style.getPropertyValue(name).trim().slice(1);
          const parts = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
          const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const pairs = [
          ...["--paper", "--sheet", "--wash"].flatMap((ground) => ["--ink", "--soft"].map((ink) => [ink, ground, 4.5])),
          ["--accent-ink", "--accent", 4.5],
          ["--warn", "--sheet", 4.5],
          ["--paper", "--ink", 4.5],
          ["--edge", "--sheet", 3],
          ["--accent", "--sheet", 3],
          ["--accent", "--paper", 3],
        ];
        return pairs.map(([a, b, least]) => {
          const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
          return [`${a} on ${b}`, (light + 0.05) / (dark + 0.05), least];
        });
      }, theme);
      for (const [pair, ratio, least] of ratios) assert.ok(ratio >= least, `${theme}: ${pair} has ${ratio.toFixed(2)}`);
    }
    await closeQuietly(here);
  });

  test("a chosen theme stays, in the next visit and in other tabs", async () => {
    const first = await page("?store=theme");
    const theme = (page) => page.evaluate(() => document.documentElement.dataset.theme);
    const start = await theme(first);
    const second = await page("?store=theme");
    await first.click("#theme");
    const chosen = await theme(first);
    assert.notEqual(chosen, start);
    await until(async () => (await theme(second)) === chosen);
    await closeQuietly(second);
    await first.reload();
    await first.waitForSelector("html[data-ready]");
    assert.equal(await theme(first), chosen);
    await closeQuietly(first);
  });

  test("a phone scrolls in one direction only, whatever the names, and can do the same", async () => {
    const here = await page("?store=phone");
    await here.setViewportSize(PHONE);
    const long = "a name without any space that somebody once gave to a report about everything".replaceAll(" ", "_");
    await put(here, { [`${long}${long}/${long}.txt`]: "long", "short.txt": "short", [`other ${long}/x.rs`]: "fn main() {}" });
    const sideways = () => here.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    for (const view of ["tiles", "rows"]) {
      await here.click(`#view-${view}`);
      assert.equal(await sideways(), 0, `${view} are too wide`);
    }
    await here.locator(".open", { hasText: long }).first().click();
    await here.waitForSelector("#viewer[open]");
    assert.equal(await sideways(), 0, "the dialog is too wide");
    for (const id of ["viewer-close", "viewer-download", "viewer-remove"]) {
      const box = await here.locator(`#${id}`).boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= PHONE.width && box.y + box.height <= PHONE.height, `${id} is out of sight`);
      assert.ok(box.height >= 40, `${id} is too low for a finger`);
    }
    await here.keyboard.press("Escape");
    await closeQuietly(here);
  });

  test("where the browser refuses its file system, the page says that the shelf is in memory, and works", async () => {
    const here = await browser.context.newPage();
    await patchWorkers(here, REFUSED);
    await here.goto(`${browser.site.url}index.html?store=refused`);
    await here.waitForSelector("html[data-ready=open]");
    assert.match(await here.textContent("#backend"), /in memory/);
    assert.match(await here.textContent("#banner"), /gone when this page is closed/);
    await put(here, { "volatile.txt": "for now" });
    await until(async () => (await here.locator(".row").count()) === 1);
    await here.close();
  });
});
