/** What the package asks of the browser's file, and what it makes of a file that fails. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { blankPage, closeQuietly, COUNTING, counts } from "./harness.mjs";
import { inBrowser } from "./suite.mjs";

describe("what is asked of the browser's file", () => {
  const browser = inBrowser();

  test("few calls, counted", async () => {
    const page = await blankPage(browser.context, browser.site.url, COUNTING);
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("counted");
    });
    await counts(page);
    const after = async (action) => {
      await page.evaluate(action);
      return counts(page);
    };
    const small = await after(() => db.set("k", new Uint8Array(100).fill(1)));
    assert.deepEqual(small, { write: 1 });
    const large = await after(() => db.set("large", new Uint8Array(1 << 20).fill(1)));
    assert.ok(large.write <= 3, `a value of 1 MiB took ${large.write} writes`);
    const batch = await after(async () => {
      const sets = Array.from({ length: 5000 }, (_, at) => db.set(`k${at}`, new Uint8Array(100).fill(1)));
      await Promise.all([...sets, db.flush()]);
    });
    assert.ok(batch.write <= 2, `5,000 values took ${batch.write} writes`);
    assert.equal(batch.flush, 1);
    assert.equal(batch.read, undefined, "and no read");
    // A small value comes with the page that holds its metadata, and is in the cache from then on.
    assert.deepEqual(await after(() => db.get("k77")), { read: 1 });
    assert.deepEqual(await after(() => db.get("k77")), {});
    // A large one is read once, straight into the buffer that the page gets.
    assert.deepEqual(await after(() => db.get("large")), { read: 1 });
    assert.deepEqual(await after(() => db.has("k77")), {});
    assert.deepEqual(await after(() => db.has("missing")), {});
    assert.deepEqual(await after(() => db.delete("missing")), {});
    assert.deepEqual(await after(() => db.delete("k77")), { write: 1 });
    assert.deepEqual(await after(() => db.flush()), { flush: 1 });
    await page.evaluate(() => db.close());
    await closeQuietly(page);
  });

  test("short writes and short reads are completed", async () => {
    const page = await blankPage(
      browser.context,
      browser.site.url,
      `const { read, write } = FileSystemSyncAccessHandle.prototype;
       FileSystemSyncAccessHandle.prototype.write = function (from, options) {
         return write.call(this, from.subarray(0, Math.ceil(from.length / 2)), options);
       };
       FileSystemSyncAccessHandle.prototype.read = function (into, options) {
         return read.call(this, into.subarray(0, Math.ceil(into.length / 2)), options);
       };`,
    );
    const seen = await page.evaluate(async () => {
      const db = await tailstone.open("short");
      const value = Uint8Array.from({ length: 300_000 }, (_, at) => (at % 255) + 1);
      await db.set("k", value);
      await db.importFile(await db.exportFile());
      const got = await db.get("k");
      const verdict = await db.verify();
      await db.close();
      return { same: got.length === value.length && got.every((byte, at) => byte === value[at]), sound: verdict.sound };
    });
    assert.deepEqual(seen, { same: true, sound: true });
    await closeQuietly(page);
  });

  test("a full disk refuses one write and harms nothing", async () => {
    const page = await blankPage(
      browser.context,
      browser.site.url,
      `const { write } = FileSystemSyncAccessHandle.prototype;
       self.full = false;
       FileSystemSyncAccessHandle.prototype.write = function (from, options) {
         return self.full ? write.call(this, from.subarray(0, 10), options) && 0 : write.call(this, from, options);
       };`,
    );
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("full");
      await db.set("before", bytesOf("before"));
    });
    const [worker] = page.workers();
    await worker.evaluate(() => (self.full = true));
    const codes = await page.evaluate(() =>
      Promise.all([codeOf(() => db.set("a", bytesOf("a"))), codeOf(() => db.set("b", bytesOf("b"))), codeOf(() => db.delete("before"))]),
    );
    assert.deepEqual(codes, ["quota", "quota", "quota"]);
    assert.equal(await page.evaluate(() => codeOf(async () => db.importFile(await db.exportFile()))), "quota");
    await worker.evaluate(() => (self.full = false));
    const seen = await page.evaluate(async () => {
      await db.set("after", bytesOf("after"));
      const seen = [await db.has("a"), await db.has("b"), textOf(await db.get("before")), textOf(await db.get("after"))];
      await db.close();
      const again = await tailstone.open("full");
      seen.push(again.recovery.outcome, (await again.verify()).sound);
      await again.close();
      return seen;
    });
    assert.deepEqual(seen, [false, false, "before", "after", "Clean", true]);
    await closeQuietly(page);
  });

  test("a flush that fails is an error, and the store takes no more writes", async () => {
    const page = await blankPage(
      browser.context,
      browser.site.url,
      `self.failing = false;
       const { flush } = FileSystemSyncAccessHandle.prototype;
       FileSystemSyncAccessHandle.prototype.flush = function () {
         if (self.failing) throw new DOMException("the disk is gone", "UnknownError");
         return flush.call(this);
       };`,
    );
    await page.evaluate(async () => {
      globalThis.db = await tailstone.open("unflushed");
      await db.set("k", bytesOf("v"));
    });
    await page.workers()[0].evaluate(() => (self.failing = true));
    const seen = await page.evaluate(async () => {
      const error = await db.flush().catch((error) => error);
      const seen = [error.code, error.cause?.name, error.cause?.message];
      seen.push(await codeOf(() => db.set("l", bytesOf("w"))), textOf(await db.get("k")));
      return seen;
    });
    assert.deepEqual(seen, ["io", "UnknownError", "the disk is gone", "io", "v"]);
    await closeQuietly(page);
  });

  test("without OPFS the store lives in memory, and says so", async () => {
    const page = await blankPage(
      browser.context,
      browser.site.url,
      `navigator.storage.getDirectory = () => Promise.reject(new DOMException("not here", "SecurityError"));`,
    );
    const seen = await page.evaluate(async () => {
      const reasons = [];
      const db = await tailstone.open("refused", { onDegraded: (reason) => reasons.push([reason.code, reason.cause.name]) });
      const value = crypto.getRandomValues(new Uint8Array(65_536));
      await Promise.all(Array.from({ length: 50 }, (_, at) => db.set(`k${at}`, value)));
      await db.delete("k3");
      await db.importFile(await db.exportFile());
      const got = await db.get("k49");
      const seen = {
        reasons,
        backend: [db.backend, db.durable],
        same: got.every((byte, at) => byte === value[at]),
        gone: await db.has("k3"),
        sound: (await db.verify()).sound,
      };
      await db.close();
      return seen;
    });
    assert.deepEqual(seen, {
      reasons: [["io", "SecurityError"]],
      backend: ["memory", false],
      same: true,
      gone: false,
      sound: true,
    });
    await closeQuietly(page);
  });

  test("offsets go past 4 GiB", async (t) => {
    const page = await blankPage(browser.context, browser.site.url, COUNTING);
    const quota = await page.evaluate(async () => (await navigator.storage.estimate()).quota);
    if (quota < 6 * 2 ** 30) {
      t.skip("the browser grants less than 6 GiB here");
      return;
    }
    // Three entries, byte by byte as in the format's description: a first one, one of 5 GiB of zeros, which is a hole in
    // the file and which opening does not read, and one behind it.
    const far = 5 * 2 ** 30;
    const first = Buffer.from("776f726c6421fddc625c55e855950000000000000000e8988471", "hex");
    const entries = farEntries(first.length, far, Buffer.from("far away"));
    const worker = async () => {
      const [pieces] = await new Promise((resolve) => (self.onmessage = ({ data }) => resolve(data)));
      const root = await navigator.storage.getDirectory();
      const stores = await root.getDirectoryHandle("tailstone", { create: true });
      const folder = await stores.getDirectoryHandle("far", { create: true });
      const handle = await (await folder.getFileHandle("0.tsl", { create: true })).createSyncAccessHandle();
      for (const [at, bytes] of pieces) handle.write(new Uint8Array(bytes), { at });
      handle.close();
      postMessage("written");
    };
    const seen = await page.evaluate(
      async ([script, far, pieces]) => {
        const worker = new Worker(URL.createObjectURL(new Blob([`(${script})()`], { type: "text/javascript" })), { type: "module" });
        worker.postMessage([pieces]);
        await new Promise((resolve) => (worker.onmessage = resolve));
        worker.terminate();
        const db = await tailstone.open("far");
        const seen = [textOf(await db.get("alice")), await db.size("key1")];
        seen.push(...(await db.getRange("key1", far - 64 - 3, 10)));
        await db.set("farther", bytesOf("written behind it"));
        await db.set("large", new Uint8Array(100_000).fill(7));
        await db.close();
        const again = await tailstone.open("far");
        seen.push(textOf(await again.get("farther")), (await again.getRange("large", 99_999, 1))[0]);
        seen.push((await again.stats()).fileBytes, again.recovery.outcome);
        await again.close();
        await tailstone.destroy("far");
        return seen;
      },
      [String(worker), far, [[0, [...first]], [far, [...entries]]]],
    );
    const behind = far + 64 + 8 + 20;
    const farther = align(behind) + "written behind it".length + 20;
    const end = align(farther) + 100_000 + 20;
    assert.deepEqual(seen, ["far away", far - 64, 0, 0, 0, "written behind it", 7, end, "Clean"]);
    await closeQuietly(page);
  });
});

const align = (offset) => Math.ceil(offset / 64) * 64;

/** What lies from `far` on, behind a first entry that ends at `tail`: the end of zeros under "key1"; `value` under "alice". */
function farEntries(tail, far, value) {
  const zeros = Buffer.alloc(20);
  zeros.writeBigUInt64LE(0x384d070cd5d829e2n, 0);
  zeros.writeBigUInt64LE(BigInt(tail), 8);
  const last = Buffer.alloc(20);
  last.writeBigUInt64LE(0x4da10dd61a0116b0n, 0);
  last.writeBigUInt64LE(BigInt(far + 20), 8);
  last.writeUInt32LE(crc32(value), 16);
  return Buffer.concat([zeros, Buffer.alloc(44), value, last]);
}

function crc32(bytes) {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  return ~crc >>> 0;
}
