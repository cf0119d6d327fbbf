/**
 * One file goes round: begun by the command line, continued by the component in its sandbox, then by the page, and read
 * by the command line again. Each face reads all that was there before it changes anything.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { blankPage, closeQuietly } from "./harness.mjs";
import { inBrowser } from "./suite.mjs";

const missing = ["TAILSTONE_BIN", "TAILSTONE_HOST"].filter((name) => process.env[name] === undefined);
const skip = missing.length > 0 ? `${missing.join(" and ")} not set: no file went round` : false;

describe("a file that goes round", { skip }, () => {
  const browser = inBrowser();

  test("every face reads what the others wrote", async () => {
    const path = join(browser.profile, "round.tsl");
    const faces = { tailstone: natively(path), "tailstone-host": inSandbox(path) };
    /** What the file holds by now: the value of a key, or nothing where it was deleted. */
    const expected = new Map();
    const write = (face, key, value) => {
      faces[face].write(key, value);
      expected.set(key, value);
    };
    const compare = (face) => {
      for (const [key, value] of expected) {
        const got = faces[face].read(key);
        if (value === undefined) assert.equal(got, undefined, `${face} found ${key}, which was deleted`);
        else assert.ok(got?.equals(value), `${face} read another value of ${key}`);
      }
    };

    write("tailstone", "text", Buffer.from("from the command line\n"));
    write("tailstone", "größe 键", Buffer.from([0, 255, 0, 10, 13, 0]));
    write("tailstone", "large", bytes(1_500_000, 1));
    write("tailstone", "overwritten by the component", bytes(100, 2));
    write("tailstone", "deleted by the page", bytes(100, 3));
    compare("tailstone");

    compare("tailstone-host");
    write("tailstone-host", "overwritten by the component", bytes(70_000, 4));
    write("tailstone-host", "overwritten by the page", bytes(65, 5));
    write("tailstone-host", "zeros", Buffer.alloc(64));
    compare("tailstone-host");

    const page = await blankPage(browser.context, browser.site.url);
    const { read, exported } = await page.evaluate(continueInPage, {
      file: (await readFile(path)).toString("base64"),
      keys: [...expected.keys()],
      set: { "from the page": "any text", "overwritten by the page": "newer" },
      remove: "deleted by the page",
    });
    for (const [key, value] of expected) {
      assert.ok(Buffer.from(read[key], "base64").equals(value), `the page read another value of ${key}`);
    }
    expected.set("from the page", Buffer.from("any text"));
    expected.set("overwritten by the page", Buffer.from("newer"));
    expected.set("deleted by the page", undefined);
    await closeQuietly(page);

    await writeFile(path, Buffer.from(exported, "base64"));
    compare("tailstone");
    faces.tailstone.run("verify");
    compare("tailstone-host");
    // And it still grows where it began.
    write("tailstone", "text", Buffer.from("newest\n"));
    compare("tailstone");
    compare("tailstone-host");
  });
});

/** Imports a file, reads `keys`, changes something, and gives the file as it is then; bytes as base64. */
async function continueInPage({ file, keys, set, remove }) {
  const bytesFrom = async (base64) => (await fetch(`data:;base64,${base64}`)).blob();
  const toBase64 = (blob) =>
    new Promise((done, failed) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
      reader.onerror = () => failed(reader.error);
      reader.readAsDataURL(blob);
    });
  const db = await tailstone.open("round");
  await db.importFile(await bytesFrom(file));
  const read = {};
  for (const key of keys) read[key] = await toBase64(new Blob([(await db.get(key)) ?? "nothing"]));
  for (const [key, value] of Object.entries(set)) await db.set(key, bytesOf(value));
  await db.delete(remove);
  const exported = await toBase64(await db.exportFile());
  await db.close();
  return { read, exported };
}

/** The command line on the store at `path`. */
function natively(path) {
  const run = program(process.env.TAILSTONE_BIN, [path]);
  return { run, read: found(run, "read"), write: (key, value) => run("write", key, value) };
}

/** The component's host on the store at `path`; it finds the component where it was built, or by TAILSTONE_COMPONENT. */
function inSandbox(path) {
  const run = program(process.env.TAILSTONE_HOST, ["store", path]);
  return { run, read: found(run, "get"), write: (key, value) => run("put", key, value) };
}

function program(binary, first) {
  // What they say on standard error is part of the failure, if there is one.
  const options = { stdio: "pipe", maxBuffer: 64 << 20 };
  return (command, ...[key, input = ""]) =>
    execFileSync(binary, [...first, command, ...(key === undefined ? [] : [key])], { ...options, input });
}

/** Reads a value; status 1 is how both programs say that there is none. */
function found(run, command) {
  return (key) => {
    try {
      return run(command, key);
    } catch (error) {
      if (error.status === 1) return undefined;
      throw error;
    }
  };
}

/** Bytes that differ with their seed and nowhere repeat soon. */
function bytes(length, seed) {
  let state = seed;
  return Buffer.alloc(length).map(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}
