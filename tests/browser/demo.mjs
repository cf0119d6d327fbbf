/**
 * The browser's part of the demo: `node demo.mjs FOLDER OUT_DIR`.
 *
 * Feeds all files of a folder to the page through its picker, reads each back and compares every byte in the page,
 * exports the store, its files in bucket `files`, to OUT_DIR/browser.tsl, takes OUT_DIR/browser.png, and prints one line of JSON.
 */

import assert from "node:assert/strict";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { closeQuietly, launch, newProfile, openPage, removeFolder, serveBuilt } from "./harness.mjs";

const [from, to] = process.argv.slice(2);
assert(from !== undefined && to !== undefined, "usage: node demo.mjs FOLDER OUT_DIR");
const folder = resolve(from);
const out = resolve(to);
await mkdir(out, { recursive: true });

const site = await serveBuilt();
const profile = await newProfile();
const context = await launch(profile, { viewport: { width: 1280, height: 900 } });
try {
  const page = await openPage(context, site.url, "?store=demo");
  // The folder picker, so that each file is named by its path, as a person's would be.
  await page.setInputFiles("#folder", folder, { timeout: 300_000 });
  const put = await page.evaluate(
    () =>
      new Promise((done, failed) => {
        const look = () => {
          const text = document.querySelector("#status").textContent;
          if (text.startsWith("Stored")) done(globalThis.lastImport);
          else if (text !== "") failed(new Error(text));
          else setTimeout(look, 20);
        };
        look();
      }),
  );
  // Every byte is compared with what the picker holds; only reading from the store is timed.
  const check = await page.evaluate(async () => {
    let getMs = 0;
    const wrong = [];
    for (const { name, file } of globalThis.lastImport.incoming) {
      const start = performance.now();
      const blob = await globalThis.library.read(name);
      getMs += performance.now() - start;
      const [got, expected] = await Promise.all([blob?.arrayBuffer(), file.arrayBuffer()]);
      const [a, b] = [new Uint8Array(got ?? 0), new Uint8Array(expected)];
      if (got === undefined || a.length !== b.length || a.some((byte, at) => byte !== b[at])) wrong.push(name);
    }
    return { getMs, wrong };
  });
  assert.deepEqual(check.wrong, [], "files that came back otherwise");
  // The thumbnails in sight are made in a moment; the picture does not wait for those of files that cannot be drawn.
  await page.click("#view-tiles");
  await page.waitForTimeout(1000);
  await page.screenshot({ path: join(out, "browser.png") });
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#export")]);
  const exported = join(out, "browser.tsl");
  await download.saveAs(exported);
  await closeQuietly(page);
  const line = {
    files: put.files,
    bytes: put.bytes,
    put_ms: Math.round(put.ms),
    get_ms: Math.round(check.getMs),
    verified: true,
    store_bytes: (await stat(exported)).size,
  };
  assert.equal(line.files, await countFiles(folder), "files stored");
  console.log(JSON.stringify(line));
} finally {
  await context.close();
  await site.stop();
  await removeFolder(profile);
}

async function countFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}
