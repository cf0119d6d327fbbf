/**
 * One file goes round: begun by the command line, continued by the component in its sandbox, then by the page, by Node, and
 * read by the command line again. Each face reads all that was there before it changes anything.
 *
 * The package keeps to buckets, where the command line follows it; the component writes plain entries, which the package must
 * carry along untouched.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { blankPage, closeQuietly } from "./harness.mjs";
import { inBrowser } from "./suite.mjs";

const skip = process.env.TAILSTONE_BIN === undefined ? "TAILSTONE_BIN is not set: no file went round" : false;

/** The bucket that a page has unless it names another. */
const BUCKET = "default";

describe("a file that goes round", { skip }, () => {
  const browser = inBrowser();

  test("every face reads what the others wrote", async () => {
    const path = join(browser.profile, "round.tsl");
    const cli = commandLine(path);
    const faces = [cli.bucket, cli.plain];
    /** What the file holds by now, each face's part of it: the value of a key, or nothing where it was deleted. */
    const expected = new Map(faces.map((face) => [face, new Map()]));
    const write = (face, key, value, by = face) => {
      by.write(key, value);
      expected.get(face).set(key, value);
    };
    const compare = (face, by = face) => {
      for (const [key, value] of expected.get(face)) {
        const got = by.read(key);
        if (value === undefined) assert.equal(got, undefined, `found ${key}, which was deleted`);
        else assert.ok(got?.equals(value), `another value of ${key}`);
      }
    };

    write(cli.bucket, "text", Buffer.from("from the command line\n"));
    write(cli.bucket, "größe 键", Buffer.from([0, 255, 0, 10, 13, 0]));
    write(cli.bucket, "large", bytes(1_500_000, 1));
    write(cli.bucket, "empty", Buffer.alloc(0));
    write(cli.bucket, "overwritten by the page", bytes(65, 2));
    write(cli.bucket, "deleted by the page", bytes(100, 3));
    write(cli.plain, "plain", bytes(20_000, 4));
    write(cli.plain, "text", Buffer.from("a plain entry of the same name"));
    compare(cli.bucket);

    if (process.env.TAILSTONE_HOST !== undefined) {
      const host = inSandbox(path);
      compare(cli.bucket, host);
      write(cli.bucket, "large", bytes(70_000, 5), host);
      write(cli.bucket, "zeros", Buffer.alloc(64), host);
      compare(cli.bucket);
    }

    const page = await blankPage(browser.context, browser.site.url);
    const changes = {
      set: { "from the page": "any text", "overwritten by the page": "newer" },
      remove: "deleted by the page",
    };
    const { read, exported } = await page.evaluate(continueInPage, {
      file: (await readFile(path)).toString("base64"),
      ...changes,
    });
    await closeQuietly(page);
    const inBucket = expected.get(cli.bucket);
    assert.deepEqual(Object.keys(read).sort(), [...inBucket.keys()].sort());
    for (const [key, value] of inBucket) {
      assert.ok(Buffer.from(read[key], "base64").equals(value), `the page read another value of ${key}`);
    }
    for (const [key, value] of Object.entries(changes.set)) inBucket.set(key, Buffer.from(value));
    inBucket.set(changes.remove, undefined);

    await writeFile(path, Buffer.from(exported, "base64"));
    faces.forEach((face) => compare(face));
    cli.run("verify");

    const { open } = await import("../../www/pkg/tailstone/node.js");
    const db = await open(path);
    for (const [key, value] of inBucket) {
      const got = await db.get(key);
      assert.ok(value === undefined ? got === undefined : value.equals(got), `Node read another value of ${key}`);
    }
    await db.set("from Node", bytes(300_000, 6));
    await db.compact();
    await db.close();
    inBucket.set("from Node", bytes(300_000, 6));
    faces.forEach((face) => compare(face));
    cli.run("verify");
    // And it still grows where it began.
    write(cli.bucket, "text", Buffer.from("newest\n"));
    write(cli.plain, "text", Buffer.from("newest plain\n"));
    faces.forEach((face) => compare(face));
  });
});

/** Imports a file, reads every key there is, changes something, and gives the file as it is then; bytes as base64. */
async function continueInPage({ file, set, remove }) {
  const toBase64 = (blob) =>
    new Promise((done, failed) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
      reader.onerror = () => failed(reader.error);
      reader.readAsDataURL(blob);
    });
  const db = await tailstone.open("round");
  await db.import(await (await fetch(`data:;base64,${file}`)).blob());
  const read = {};
  for await (const [key, value] of db.entries()) read[key] = await toBase64(new Blob([value]));
  for (const [key, value] of Object.entries(set)) await db.set(key, bytesOf(value));
  await db.delete(remove);
  await db.compact();
  const exported = await toBase64(await db.export());
  await db.close();
  return { read, exported };
}

/** The command line on the store at `path`: on the page's bucket, and on the plain entries. */
function commandLine(path) {
  const run = program(process.env.TAILSTONE_BIN, [path]);
  const part = (...options) => {
    const within = (command, key, input) => run(command, key, input, options);
    return { read: found(within, "read"), write: (key, value) => within("write", key, value) };
  };
  return { run, bucket: part("--bucket", BUCKET), plain: part() };
}

/** The component's host on the store at `path`; it finds the component where it was built, or by TAILSTONE_COMPONENT. */
function inSandbox(path) {
  const run = program(process.env.TAILSTONE_HOST, ["store", path, "--bucket", BUCKET]);
  return { read: found(run, "get"), write: (key, value) => run("put", key, value) };
}

function program(binary, first) {
  // What they say on standard error is part of the failure, if there is one.
  const settings = { stdio: "pipe", maxBuffer: 64 << 20 };
  return (command, key, input = "", options = []) =>
    execFileSync(binary, [...first, command, ...(key === undefined ? [] : [key]), ...options], { ...settings, input });
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
