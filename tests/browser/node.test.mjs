/** The shared cases in Node, on files and in memory; and a process that is killed. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir } from "node:fs/promises";
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
