/** The page, used as a person would: files in by the picker, seen in the list, out again. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { closeQuietly, launch, newProfile, openPage, removeFolder, serveBuilt, until } from "./harness.mjs";

describe("the page", () => {
  let site;
  let profile;
  let context;
  let folder;
  const files = new Map([
    ["notes.txt", Buffer.from("line one\nline two\n")],
    ["größe 键.md", Buffer.from("# not ASCII\n")],
    ["empty.txt", Buffer.alloc(0)],
    ["zero.bin", Buffer.alloc(1)],
    ["zeros.bin", Buffer.alloc(3)],
    ["picture.svg", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle r="20"/></svg>')],
    ["big.bin", Buffer.alloc(9 << 20, "streamed in pieces ")],
    ["big zeros.bin", Buffer.alloc(9 << 20)],
  ]);

  before(async () => {
    site = await serveBuilt();
    profile = await newProfile();
    context = await launch(profile);
    folder = join(profile, "to store");
    await mkdir(folder);
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  });

  after(async () => {
    await context?.close();
    await site?.stop();
    await removeFolder(profile);
  });

  const stored = (page) => page.waitForFunction(() => document.querySelector("#status").textContent.startsWith("Stored"));
  const said = (page, text) => until(async () => (await page.textContent("#status")).includes(text));

  test("files of the picker are listed with their sizes, and read back", async () => {
    const page = await openPage(context, site.url, "?store=picker");
    assert.match(await page.textContent("#empty"), /empty/);
    await page.setInputFiles("#files", [...files.keys()].map((name) => join(folder, name)));
    await stored(page);
    assert.equal(await page.locator("#rows tr").count(), files.size);
    assert.match(await page.locator("#rows tr", { hasText: "notes.txt" }).textContent(), /18 B/);
    assert.match(await page.textContent("#rate"), /8 files, .* per second/);
    for (const [name, bytes] of files) {
      const same = await page.evaluate(
        async ([name, base64]) => {
          const expected = new Uint8Array(await (await fetch(`data:;base64,${base64}`)).arrayBuffer());
          const got = new Uint8Array(await (await library.read(name)).arrayBuffer());
          return got.length === expected.length && got.every((byte, at) => byte === expected[at]);
        },
        [name, bytes.toString("base64")],
      );
      assert.ok(same, `${name} came back otherwise`);
    }
    await closeQuietly(page);
  });

  test("they are there after a reload; preview, download, filter and removal work", async () => {
    const page = await openPage(context, site.url, "?store=picker");
    assert.equal(await page.locator("#rows tr").count(), files.size);
    await page.fill("#filter", "NOTES");
    assert.equal(await page.locator("#rows tr").count(), 1);
    await page.fill("#filter", "");
    await page.locator(".name", { hasText: "notes.txt" }).click();
    await page.waitForSelector("#preview[open]");
    assert.equal(await page.textContent("#preview-body pre"), "line one\nline two\n");
    await page.keyboard.press("Escape");
    await page.locator(".name", { hasText: "picture.svg" }).click();
    await until(() => page.evaluate(() => document.querySelector("#preview-body img")?.naturalWidth === 40));
    await page.keyboard.press("Escape");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download big.bin" }).click(),
    ]);
    assert.ok((await readFile(await download.path())).equals(files.get("big.bin")));
    await page.getByRole("button", { name: "Remove notes.txt" }).click();
    await said(page, "Removed notes.txt");
    assert.equal(await page.locator("#rows tr").count(), files.size - 1);
    assert.equal(await page.evaluate(() => library.db.has("notes.txt")), false);
    await closeQuietly(page);
  });

  test("dropped files are stored", async () => {
    const page = await openPage(context, site.url, "?store=drop");
    const transfer = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
      return transfer;
    });
    await page.dispatchEvent("#drop", "drop", { dataTransfer: transfer });
    await stored(page);
    assert.equal(await page.evaluate(async () => (await library.read("dropped.txt")).text()), "dropped");
    await closeQuietly(page);
  });

  test("a second tab says that the shelf is open elsewhere", async () => {
    const first = await openPage(context, site.url, "?store=picker");
    const second = await openPage(context, site.url, "?store=picker");
    assert.match(await second.textContent("#banner"), /open in another tab/);
    assert.equal(await second.textContent("#backend"), "locked");
    await closeQuietly(second);
    await closeQuietly(first);
  });

  test("an export is a store that the command line reads, and an import asks before it replaces", async (t) => {
    const page = await openPage(context, site.url, "?store=export");
    await page.setInputFiles("#files", [join(folder, "notes.txt"), join(folder, "größe 键.md")]);
    await stored(page);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#export")]);
    const path = join(profile, "export.tsl");
    await download.saveAs(path);
    if (process.env.TAILSTONE_BIN === undefined) t.diagnostic("TAILSTONE_BIN is not set: the export was not read natively");
    else {
      for (const name of ["notes.txt", "größe 键.md"]) {
        const bytes = execFileSync(process.env.TAILSTONE_BIN, [path, "read", name]);
        assert.ok(bytes.equals(files.get(name)), `${name} read natively`);
      }
    }
    await page.setInputFiles("#files", join(folder, "zeros.bin"));
    await until(() => page.evaluate(() => library.items.has("zeros.bin")));
    await until(() => page.evaluate(() => document.querySelector("#progress").hidden));
    await page.setInputFiles("#store-file", path);
    await page.waitForSelector("#confirm[open]");
    await page.click("#confirm-yes");
    await said(page, "Imported 2 files");
    assert.equal(await page.locator("#rows tr").count(), 2);

    // A cut file: what was whole is kept, and the page says what was cut.
    const cut = join(profile, "cut.tsl");
    await writeFile(cut, (await readFile(path)).subarray(0, -5));
    await page.setInputFiles("#store-file", cut);
    await page.click("#confirm-yes");
    await said(page, "unfinished write");
    assert.match(await page.textContent("#recovery"), /unfinished write/);

    // Something else: refused, and nothing changes.
    const before = await page.evaluate(() => library.db.stats());
    await page.setInputFiles("#store-file", join(folder, "notes.txt"));
    await page.waitForSelector("#confirm[open], #status:has-text('not a store')");
    if (await page.locator("#confirm[open]").count()) await page.click("#confirm-yes");
    await said(page, "not a store");
    assert.deepEqual(await page.evaluate(() => library.db.stats()), before);
    await closeQuietly(page);
  });

  test("a store from elsewhere shows its values by key", async () => {
    const page = await openPage(context, site.url, "?store=elsewhere");
    // write("hello", "world!"), byte by byte as in the format's description.
    const hex = "776f726c6421fddc625c55e85595000000000000000" + "0e8988471";
    const path = join(profile, "elsewhere.tsl");
    await writeFile(path, Buffer.from(hex, "hex"));
    await page.setInputFiles("#store-file", path);
    await said(page, "Imported");
    assert.match(await page.textContent("#store-files"), /1 value/);
    await page.click(".lookup summary");
    await page.fill("#key", "hello");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#preview[open]");
    assert.equal(await page.textContent("#preview-body pre"), "world!");
    await closeQuietly(page);
  });
});
