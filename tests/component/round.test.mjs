/**
 * One file goes round: the component in Node, the native command line and, where it has been built, the component in its own
 * host write it by turns. Each of them reads all that is there before it changes anything.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { bytes, drop, freshFolder, noise, same, start } from "./harness.mjs";

const { TAILSTONE_BIN, TAILSTONE_HOST } = process.env;
const skip = TAILSTONE_BIN === undefined && "TAILSTONE_BIN is not set: no file went round";

/** The bucket of `wasi:keyvalue`, and the one that the host's command opens. */
const BUCKET = "default";

describe("a file that goes round", { skip }, () => {
  test("begun by the component", async () => {
    const path = join(await freshFolder(), "round.tsl");
    await round(path, [inNode(path), native(path), inNode(path), native(path), inNode(path)]);
  });

  test("begun by the command line", async () => {
    const path = join(await freshFolder(), "round.tsl");
    await round(path, [native(path), inNode(path), native(path), inNode(path)]);
  });

  const noHost = TAILSTONE_HOST === undefined && "TAILSTONE_HOST is not set: the component's own host had no turn";
  test("with the component in its own host", { skip: noHost }, async () => {
    const path = join(await freshFolder(), "round.tsl");
    await round(path, [inNode(path), inHost(path), inNode(path), native(path), inHost(path), inNode(path)]);
  });

  test("a bucket of another name, and keys and values of all kinds", async () => {
    const folder = await freshFolder();
    const path = join(folder, "round.tsl");
    const { open, close } = await start(folder);
    const store = open("round.tsl", "create", "größe 键");
    const values = new Map([["empty", noise(0, 0)], ["ключ", noise(1, 1)], ["zeros", new Uint8Array(4096)], ["long", noise(5 << 20, 2)]]);
    for (const [key, value] of values) store.put(bytes(key), value);
    store.put(bytes("deleted"), bytes("v"));
    store.delete(bytes("deleted"));
    close(store);
    const other = native(path, "größe 键");
    for (const [key, value] of values) same(other.read(key), value, key);
    assert.equal(other.read("deleted"), undefined);
    assert.equal(native(path).read("long"), undefined);
    other.run("verify");
  });

  test("what the one compacted and what the other deleted", async () => {
    const folder = await freshFolder();
    const path = join(folder, "round.tsl");
    const { open, close } = await start(folder);
    const cli = native(path);
    for (const seed of [1, 2, 3]) cli.write("k", noise(10_000, seed));
    cli.write("l", noise(10, 4));
    const store = open("round.tsl", "write");
    same(store.get(bytes("k")), noise(10_000, 3));
    store.compact();
    store.delete(bytes("l"));
    close(store);
    cli.run("verify");
    same(cli.read("k"), noise(10_000, 3));
    assert.equal(cli.read("l"), undefined);
    cli.run("compact");
    const next = open("round.tsl", "read");
    same(next.get(bytes("k")), noise(10_000, 3));
    assert.equal(next.get(bytes("l")), undefined);
    assert.equal(next.info().keys, 1n);
    drop(next);
  });
});

/** Each face reads what is there, replaces a value and adds one; in the end the file is sound and nothing lies beside it. */
async function round(path, faces) {
  const expected = new Map();
  for (const [turn, face] of faces.entries()) {
    for (const [key, value] of expected) same(await face.read(key), value, `${key}, in turn ${turn},`);
    const changes = { "of all": noise(1000 + turn, turn), [`of turn ${turn}`]: noise(200_000, turn + 100) };
    for (const [key, value] of Object.entries(changes)) {
      await face.write(key, value);
      expected.set(key, value);
    }
  }
  const last = native(path);
  for (const [key, value] of expected) same(last.read(key), value, key);
  last.run("verify");
  assert.deepEqual(readdirSync(join(path, "..")), ["round.tsl"]);
}

/** The component in Node, a new instance for each turn: what one has in memory does not help the next. */
function inNode(path) {
  const folder = join(path, "..");
  let instance;
  const started = () => (instance ??= start(folder));
  return {
    read: async (key) => {
      const store = (await started()).open("round.tsl", "read", BUCKET);
      const value = store.get(bytes(key));
      drop(store);
      return value;
    },
    write: async (key, value) => {
      const bucket = (await started()).draft2.open("round.tsl");
      bucket.set(key, value);
      drop(bucket);
    },
  };
}

const native = (path, bucket = BUCKET) => {
  const run = program(TAILSTONE_BIN, [path]);
  const options = ["--bucket", bucket];
  return { run, read: found((key) => run("read", key, options)), write: (key, value) => run("write", key, options, value) };
};

const inHost = (path) => {
  const run = program(TAILSTONE_HOST, ["store", path, "--bucket", BUCKET]);
  return { read: found((key) => run("get", key)), write: (key, value) => run("put", key, [], value) };
};

function program(binary, first) {
  // What they say on standard error is part of the failure, if there is one.
  const settings = { stdio: "pipe", maxBuffer: 64 << 20 };
  return (command, key, options = [], input = "") =>
    execFileSync(binary, [...first, command, ...(key === undefined ? [] : [key]), ...options], { ...settings, input });
}

/** Reads a value; status 1 is how both programs say that there is none. */
function found(read) {
  return (key) => {
    try {
      return read(key);
    } catch (error) {
      if (error.status === 1) return undefined;
      throw error;
    }
  };
}
