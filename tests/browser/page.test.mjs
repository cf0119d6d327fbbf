/** The page, used as a person would: files in, seen, searched, brought back from their past, out again; in two tabs. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { closeQuietly, openPage, until } from "./harness.mjs";
import { inBrowser } from "./suite.mjs";

/** Pixels along each side of a picture that is too large to be its own thumbnail. */
const PNG_SIDE = 400;

describe("the page", () => {
  const browser = inBrowser();
  let folder;
  const files = new Map([
    ["notes.txt", Buffer.from("line one\nline two\n")],
    ["größe 键.md", Buffer.from("# not ASCII\n")],
    ["empty.txt", Buffer.alloc(0)],
    ["zero.bin", Buffer.alloc(1)],
    ["trip/picture.svg", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle r="20"/></svg>')],
    ["trip/deeper/big.bin", Buffer.alloc(9 << 20, "streamed in pieces ")],
    ["trip/deeper/middle.bin", Buffer.alloc(2 << 20, "streamed too ")],
  ]);

  before(async () => {
    folder = join(browser.profile, "to store");
    await mkdir(join(folder, "trip/deeper"), { recursive: true });
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  });

  const page = (query) => openPage(browser.context, browser.site.url, query);
  const said = (page, text) => until(async () => (await page.textContent("#status")).includes(text));
  const names = (page) => page.$$eval(".row", (rows) => rows.map((row) => row.dataset.name));
  const shows = (page, count) => until(async () => (await page.locator(".row").count()) === count);
  const stored = async (page) => {
    await said(page, "Stored");
    await page.waitForSelector("#progress", { state: "hidden" });
  };
  const textOf = (page, name) => page.evaluate(async (name) => (await library.read(name))?.text(), name);

  /** Drops files with these texts, as a person would with a mouse. */
  async function drop(page, texts) {
    const transfer = await page.evaluateHandle((texts) => {
      const transfer = new DataTransfer();
      for (const [name, text] of Object.entries(texts)) transfer.items.add(new File([text], name));
      return transfer;
    }, texts);
    await page.evaluate(() => (document.querySelector("#status").textContent = ""));
    await page.dispatchEvent("main", "drop", { dataTransfer: transfer });
    await stored(page);
  }

  test("a folder keeps its structure in the names, and every file reads back, in a later visit too", async () => {
    const first = await page("?store=folder");
    assert.match(await first.textContent("#empty"), /empty/);
    await first.setInputFiles("#folder", folder);
    await stored(first);
    await shows(first, files.size);
    assert.match(await first.locator(".row", { hasText: "notes.txt" }).textContent(), /18 B/);
    assert.match(await first.textContent("#last"), /7 files, .* per second/);
    await closeQuietly(first);

    const second = await page("?store=folder");
    assert.deepEqual((await names(second)).sort(), [...files.keys()].map((name) => `to store/${name}`).sort());
    for (const [name, bytes] of files) {
      const hash = await second.evaluate(async (name) => {
        const bytes = await (await library.read(name)).arrayBuffer();
        return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))];
      }, `to store/${name}`);
      const expected = await crypto.subtle.digest("SHA-256", bytes);
      assert.deepEqual(hash, [...new Uint8Array(expected)], `${name} came back otherwise`);
    }
    await closeQuietly(second);
  });

  test("a search is for the beginning of a name or of a part of it; folders are ways to search", async () => {
    const here = await page("?store=folder");
    await here.fill("#search", "NOTES");
    assert.deepEqual(await names(here), ["to store/notes.txt"]);
    await here.fill("#search", "otes");
    assert.deepEqual(await names(here), []);
    assert.ok(await here.isVisible("#no-match"));
    await here.fill("#search", "");
    await here.click(".folder-chip:has-text('trip')");
    assert.equal(await here.inputValue("#search"), "to store/trip/");
    await shows(here, 3);
    await here.click(".folder-chip:has-text('deeper')");
    await shows(here, 2);
    await here.click(".folder-chip.up");
    await shows(here, 3);
    await here.fill("#search", "");
    await here.selectOption("#order", "largest");
    assert.match((await names(here))[0], /big\.bin/);
    await closeQuietly(here);
  });

  test("preview, download and removal with its undo", async () => {
    const here = await page("?store=folder");
    await here.locator(".open", { hasText: "notes.txt" }).click();
    await here.waitForSelector("#viewer[open]");
    assert.equal(await here.textContent("#preview pre"), "line one\nline two\n");
    await here.keyboard.press("Escape");
    await here.locator(".open", { hasText: "picture.svg" }).click();
    await until(() => here.evaluate(() => document.querySelector("#preview img")?.naturalWidth === 40));
    await here.keyboard.press("Escape");
    const [download] = await Promise.all([
      here.waitForEvent("download"),
      here.getByRole("button", { name: "Download to store/trip/deeper/big.bin" }).click(),
    ]);
    assert.ok((await readFile(await download.path())).equals(files.get("trip/deeper/big.bin")));
    await here.getByRole("button", { name: "Remove to store/notes.txt" }).click();
    await said(here, "Removed notes.txt");
    await shows(here, files.size - 1);
    assert.equal(await here.evaluate(() => library.files.has("to store/notes.txt")), false);
    await here.click("#offer");
    await said(here, "is back");
    await shows(here, files.size);
    assert.equal(await textOf(here, "to store/notes.txt"), "line one\nline two\n");
    await closeQuietly(here);
  });

  test("earlier versions are looked at and brought back, of a removed file too, until the store is compacted", async () => {
    const here = await page("?store=past");
    for (const text of ["first", "second, longer", "third"]) await drop(here, { "plan.txt": text });
    await here.locator(".open", { hasText: "plan.txt" }).click();
    await here.waitForSelector(".version >> nth=2");
    assert.equal(await here.textContent("#preview pre"), "third");
    assert.ok(await here.isHidden("#viewer-restore"), "the newest has nothing to be restored");
    await here.click(".version >> nth=1");
    await here.waitForSelector("#preview pre:text-is('second, longer')");
    assert.match(await here.textContent(".version >> nth=1"), /14 B.*\d\d:\d\d:\d\d/);
    await here.click("#viewer-restore");
    await said(here, "Version 2 of plan.txt is the newest again");
    assert.equal(await textOf(here, "plan.txt"), "second, longer");
    assert.equal(await here.locator(".version").count(), 4);
    await here.click("#viewer-remove");
    await shows(here, 0);

    // It is not on the shelf, and its name still leads to it.
    await here.fill("#search", "plan.txt");
    await here.click("#past");
    await here.waitForSelector(".version >> nth=4");
    assert.match(await here.textContent(".version >> nth=0"), /Removed/);
    await here.click(".version >> nth=4");
    await here.waitForSelector("#preview pre:text-is('first')");
    await here.click("#viewer-restore");
    await until(async () => (await textOf(here, "plan.txt")) === "first");
    await here.keyboard.press("Escape");
    await here.fill("#search", "");

    assert.ok((await here.evaluate(() => library.files.stats())).compactionSavings > 0);
    await here.click("#compact");
    await here.click("#confirm-yes");
    await said(here, "Reclaimed");
    await until(() => here.isDisabled("#compact"));
    assert.match(await here.textContent("#dead"), /nothing/);
    assert.equal(await textOf(here, "plan.txt"), "first");
    await closeQuietly(here);
  });

  test("a second tab is in step: files, the open dialog, the rates, and the number of tabs", async () => {
    const first = await page("?store=tabs");
    await drop(first, { "shared.txt": "one" });
    const second = await page("?store=tabs");
    await shows(second, 1);
    for (const tab of [first, second]) await until(async () => (await tab.textContent("#tabs")).startsWith("2 tabs"));
    await second.locator(".open", { hasText: "shared.txt" }).click();
    await second.waitForSelector("#preview pre:text-is('one')");
    await drop(first, { "shared.txt": "two", "more.txt": "more" });
    await shows(second, 2);
    await second.waitForSelector("#preview pre:text-is('two')");
    assert.equal(await second.locator(".version").count(), 2);
    await second.keyboard.press("Escape");
    // What the first does is counted in the second.
    await until(async () => {
      await first.evaluate(() => library.read("shared.txt"));
      return (await second.textContent("#rate-ops")) !== "0";
    });
    // A file without a note beside it, as the command line leaves them.
    await first.evaluate(() => library.files.set("bare.txt", new Uint8Array(5)));
    await shows(second, 3);
    await second.getByRole("button", { name: "Remove bare.txt" }).click();
    await shows(first, 2);
    await second.getByRole("button", { name: "Remove more.txt" }).click();
    await shows(first, 1);
    // The tab that was there first goes; the other goes on.
    await closeQuietly(first);
    await drop(second, { "after.txt": "still here" });
    await shows(second, 2);
    await until(() => second.isHidden("#tabs"));
    await closeQuietly(second);
  });

  test("a picture has a thumbnail, which is kept; what only calls itself one has none", async () => {
    const here = await page("?store=pictures");
    const png = await here.evaluate(async (side) => {
      const paper = new OffscreenCanvas(side, side);
      const pen = paper.getContext("2d");
      const noise = pen.createImageData(side, side);
      for (let at = 0; at < noise.data.length; at += 4) noise.data.set([Math.random() * 256, at % 256, 90, 255], at);
      pen.putImageData(noise, 0, 0);
      return [...new Uint8Array(await (await paper.convertToBlob()).arrayBuffer())];
    }, PNG_SIDE);
    await writeFile(join(folder, "noise.png"), Buffer.from(png));
    await writeFile(join(folder, "broken.png"), Buffer.alloc(30_000, "no picture "));
    await here.setInputFiles("#files", [join(folder, "noise.png"), join(folder, "broken.png")]);
    await stored(here);
    await here.waitForSelector(".row[data-name='noise.png'] .thumb img");
    const kept = await here.evaluate(async () => (await Array.fromAsync(library.thumbs.keys())).length);
    assert.equal(kept, 1);
    assert.equal(await here.locator(".row[data-name='broken.png'] .thumb img").count(), 0);
    await here.locator(".open", { hasText: "broken.png" }).click();
    await here.waitForSelector("#preview pre:has-text('no picture')");
    await here.keyboard.press("Escape");
    await here.click("#view-tiles");
    const width = await here.locator(".row[data-name='noise.png'] .thumb").evaluate((thumb) => thumb.clientWidth);
    assert.ok(width > 100, `a tile's picture is ${width} pixels wide`);
    await closeQuietly(here);
  });

  test("an export is a store that the command line reads, and the other way round; an import asks first", async (t) => {
    const here = await page("?store=export");
    await here.setInputFiles("#files", [join(folder, "notes.txt"), join(folder, "größe 键.md"), join(folder, "empty.txt")]);
    await stored(here);
    const [download] = await Promise.all([here.waitForEvent("download"), here.click("#export")]);
    const path = join(browser.profile, "export.tsl");
    await download.saveAs(path);
    const program = process.env.TAILSTONE_BIN;
    const native = (...args) => execFileSync(program, [path, "--bucket", "files", ...args]);
    if (program === undefined) t.diagnostic("TAILSTONE_BIN is not set: nothing went to the command line and back");
    else {
      for (const name of ["notes.txt", "größe 键.md", "empty.txt"]) {
        assert.ok(native("read", name).equals(files.get(name)), `${name} read natively`);
      }
      // A folder by the command line: no notes and no thumbnails, and the page shows it all the same.
      native("import", join(folder, "trip"));
    }
    await drop(here, { "newer.txt": "not in the file" });
    await here.setInputFiles("#store-file", path);
    await here.waitForSelector("#confirm[open]");
    await here.keyboard.press("Escape");
    // One operation at a time: had it begun, this one would be turned away.
    await here.click("#verify");
    await until(async () => /sound|whole|entr/i.test(await here.textContent("#status")));
    assert.ok((await names(here)).includes("newer.txt"), "an import that was declined");
    await here.setInputFiles("#store-file", path);
    await here.click("#confirm-yes");
    await said(here, "Imported");
    const expected = ["empty.txt", "größe 键.md", "notes.txt"];
    if (program !== undefined) expected.unshift("deeper/big.bin", "deeper/middle.bin");
    if (program !== undefined) expected.push("picture.svg");
    assert.deepEqual((await names(here)).sort(), expected.sort());
    if (program !== undefined) {
      await here.waitForSelector(".row[data-name='picture.svg'] .thumb img");
      assert.equal(await here.textContent(".row[data-name='picture.svg'] .stored"), "", "nobody noted when");
    }

    // A cut file: what was whole is kept, and the page says what was cut.
    const cut = join(browser.profile, "cut.tsl");
    await writeFile(cut, (await readFile(path)).subarray(0, -5));
    await here.setInputFiles("#store-file", cut);
    await here.click("#confirm-yes");
    await until(() => here.evaluate(() => document.querySelector("#recovery").classList.contains("notable")));

    // Something else: refused, and nothing changes.
    const before = await names(here);
    await here.setInputFiles("#store-file", join(folder, "notes.txt"));
    await here.click("#confirm-yes");
    await said(here, "not a store");
    assert.deepEqual(await names(here), before);
    await closeQuietly(here);
  });
});
