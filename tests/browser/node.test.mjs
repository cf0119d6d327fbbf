/** The shared cases in Node, on files and in memory; and a process that is killed. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cases } from "./cases.mjs";
import { exported, removeFolder } from "./harness.mjs";

const www = new URL("../../www/", import.meta.url);
const ENTRIES = { file: new URL(exported(".", "node"), www), memory: new URL(exported("./memory", "node"), www) };

for (const [backend, entry] of Object.entries(ENTRIES)) {
  describe(`a store in Node, ${backend === "file" ? "in a file" : "in memory"}`, () => {
    let folder;
    let tailstone;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "tailstone-node-"));
      tailstone = await import(entry);
    });
    after(async () => {
      // A store leaves nothing but itself, and `destroy` leaves nothing.
      const left = await readdir(folder);
      await removeFolder(folder);
      assert.deepEqual(left, [], "files that were left");
    });

    for (const { name, title, run } of cases) {
      test(title, async () => {
        const names = [];
        const fresh = () => {
          names.push(join(folder, `${name} ${names.length}.tsl`));
          return names.at(-1);
        };
        const stores = [];
        const open = async (...given) => {
          stores.push(await tailstone.open(...given));
          return stores.at(-1);
        };
        try {
          await run({ ...tailstone, open, fresh, backend, keeps: backend === "file" });
        } finally {
          for (const db of stores) await db.close();
        }
        for (const name of names) await tailstone.destroy?.(name);
      });
    }
  });
}

test("a damaged file is refused, and rescued when that is asked for", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tailstone-node-"));
  const path = join(folder, "damaged.tsl");
  try {
    const { open, salvage, TailstoneError } = await import(ENTRIES.file);
    const value = (at) => new Uint8Array(100).fill(at);
    const db = await open(path);
    await Promise.all(Array.from({ length: 100 }, (_, at) => db.set(`k${at}`, value(at + 1))));
    await db.close();
    assert.equal((await salvage(path)).outcome, "Clean", "a sound store is left as it is");

    const bytes = await readFile(path);
    bytes.fill(0, bytes.length / 2, bytes.length / 2 + 500);
    await writeFile(path, bytes);
    const damaged = (error) => error instanceof TailstoneError && error.code === "corrupt";
    await assert.rejects(open(path), damaged);
    assert.deepEqual(await readFile(path), bytes, "it was left as it is");

    const { outcome, cutBytes } = await salvage(path);
    assert.equal(outcome, "Salvaged");
    assert.ok(cutBytes > 0 && cutBytes < 2000, `${cutBytes} bytes`);
    const rescued = await open(path);
    const there = await rescued.getMany(Array.from({ length: 100 }, (_, at) => `k${at}`));
    const kept = there.flatMap((found, at) => (found === undefined ? [] : [at]));
    for (const at of kept) assert.deepEqual(there[at], value(at + 1), `k${at}`);
    assert.ok(kept.length >= 92 && kept.length < 100 && kept.at(0) === 0 && kept.at(-1) === 99, `${kept.length} are there`);
    assert.ok((await rescued.verify()).sound);
    await assert.rejects(salvage(path), (error) => error.code === "locked");
    await rescued.close();
    assert.deepEqual(await readdir(folder), ["damaged.tsl"]);

    await writeFile(path, "no entry is in here");
    await assert.rejects(salvage(path), damaged);
    assert.equal(await readFile(path, "utf8"), "no entry is in here");
  } finally {
    await removeFolder(folder);
  }
});

describe("a process that is killed", () => {
  const WRITER = `
    const [entry, path, from] = process.argv.slice(1);
    const { open } = await import(entry);
    const db = await open(path, { durability: "strict" });
    for (let n = Number(from); ; n += 5) {
      await Promise.all(Array.from({ length: 5 }, (_, at) => db.set("k" + (n + at), new Uint8Array(1 + ((n + at) * 7919) % 30000).fill(1 + (n + at) % 255))));
      process.stdout.write((n + 5) + "\\n");
    }`;

  test("leaves all that it was told is stored", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tailstone-node-"));
    const path = join(folder, "killed.tsl");
    let stored = 0;
    try {
      for (let round = 1; round <= 3; round++) {
        const child = spawn(process.execPath, ["--input-type=module", "--eval", WRITER, String(ENTRIES.file), path, String(stored)], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        const gone = new Promise((resolve) => child.once("exit", resolve));
        const wanted = stored + 50 * round;
        let text = "";
        for await (const piece of child.stdout) {
          text += piece;
          const told = text.slice(0, text.lastIndexOf("\n")).split("\n").at(-1);
          stored = Math.max(stored, Number(told));
          if (stored >= wanted) child.kill("SIGKILL");
        }
        await gone;
        assert.ok(stored >= wanted, "the writer ended by itself");
      }
      const { open } = await import(ENTRIES.file);
      const db = await open(path);
      for (let n = 0; n < stored; n++) {
        const value = await db.get(`k${n}`);
        assert.equal(value?.length, 1 + (n * 7919) % 30_000, `length of k${n} of ${stored}`);
        assert.ok(value.every((byte) => byte === 1 + (n % 255)), `bytes of k${n}`);
      }
      assert.ok((await db.verify()).sound);
      await db.close();
      assert.ok(existsSync(path));
    } finally {
      await removeFolder(folder);
    }
  });
});
