/** Offsets past 4 GiB, in a sparse file: nothing on the way cuts them to 32 bits. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { blankPage, closeQuietly } from "./harness.mjs";
import { inBrowser } from "./suite.mjs";

const FAR = 5 * 2 ** 30;

describe("a store of more than 4 GiB", () => {
  const browser = inBrowser();

  test("is written and read behind its fifth gibibyte", async (t) => {
    const page = await blankPage(browser.context, browser.site.url);
    const quota = await page.evaluate(async () => (await navigator.storage.estimate()).quota);
    if (quota < 6 * 2 ** 30) {
      t.skip("the browser grants less than 6 GiB here");
      return;
    }
    const { tail, current } = await page.evaluate(async () => {
      const db = await tailstone.open("far");
      await db.set("near", pattern(100_000));
      await db.close();
      const again = await tailstone.open("far");
      const { tail } = again.recovery;
      await again.close();
      const root = await navigator.storage.getDirectory();
      const folder = await (await root.getDirectoryHandle("tailstone")).getDirectoryHandle("far");
      const names = [];
      for await (const name of folder.keys()) if (name.endsWith(".tsl")) names.push(name);
      return { tail, current: names[0] };
    });
    // A plain entry whose value is zeros up to the fifth gibibyte, a hole in the file; and a small one, for opening reads the
    // last one.
    const entries = farEntries(tail);
    await page.evaluate(extend, { current, at: FAR, bytes: [...entries] });
    const seen = await page.evaluate(async (far) => {
      const lengths = [0, 100, 16_384, 16_385, 1 << 20, 3_000_000];
      let db = await tailstone.open("far", { compactAt: false });
      const first = db.recovery.tail;
      expect.sameBytes(await db.get("near"), pattern(100_000));
      await db.setMany(lengths.map((length) => [`k${length}`, pattern(length)]));
      await db.putStream("streamed", new Blob([pattern(9 << 20)]));
      await db.set("k100", pattern(100, 5), { durability: "strict" });
      const check = async () => {
        for (const length of lengths) {
          expect.sameBytes(await db.get(`k${length}`), pattern(length, length === 100 ? 5 : 0), `k${length}`);
        }
        expect.sameBytes(await db.getRange("streamed", 5_000_001, 1000), pattern(9 << 20).subarray(5_000_001, 5_001_001));
        expect.sameBytes(await expect.drained(await db.stream("streamed")), pattern(9 << 20));
        const history = await db.history("k100");
        expect.ok(history.every(({ version }) => version > far), "versions are tails, and these are far");
        expect.sameBytes(await db.getVersion("k100", history[1].version), pattern(100));
        expect.equal((await expect.gathered(db.keys())).length, lengths.length + 2);
        expect.sameBytes(await db.update("near", (old) => old), pattern(100_000));
      };
      await check();
      await db.close();
      db = await tailstone.open("far", { compactAt: false });
      await check();
      const { fileBytes } = await db.stats();
      const { outcome } = db.recovery;
      await db.close();
      await tailstone.destroy("far");
      return { first, fileBytes, outcome };
    }, FAR);
    assert.equal(seen.first, FAR + entries.length);
    assert.ok(seen.fileBytes > FAR + 13_000_000, `the file has ${seen.fileBytes} bytes`);
    assert.equal(seen.outcome, "Clean");
    await closeQuietly(page);
  });
});

/** Writes `bytes` at `at` of a store's file, in a worker of its own. */
async function extend({ current, at, bytes }) {
  const script = async () => {
    const { current, at, bytes } = await new Promise((resolve) => (self.onmessage = ({ data }) => resolve(data)));
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle("tailstone")).getDirectoryHandle("far");
    const handle = await (await folder.getFileHandle(current)).createSyncAccessHandle();
    handle.write(new Uint8Array(bytes), { at });
    handle.flush();
    handle.close();
    // Zeros without their checksum are nothing that was flushed whole: what is known to have been is forgotten.
    const pointer = await (await folder.getFileHandle("current")).createSyncAccessHandle();
    pointer.truncate(1);
    pointer.close();
    postMessage("written");
  };
  const worker = new Worker(URL.createObjectURL(new Blob([`(${script})()`], { type: "text/javascript" })));
  worker.postMessage({ current, at, bytes });
  await new Promise((resolve) => (worker.onmessage = resolve));
  worker.terminate();
}

/** What lies from `FAR` on, when the entry before ends at `tail`: the end of zeros under "key1", and a value under "alice". */
function farEntries(tail) {
  const value = Buffer.from("far away");
  const zeros = Buffer.alloc(20);
  zeros.writeBigUInt64LE(0x384d070cd5d829e2n, 0);
  zeros.writeBigUInt64LE(BigInt(tail), 8);
  const last = Buffer.alloc(20);
  last.writeBigUInt64LE(0x4da10dd61a0116b0n, 0);
  last.writeBigUInt64LE(BigInt(FAR + zeros.length), 8);
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
