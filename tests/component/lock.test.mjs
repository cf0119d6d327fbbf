/** One writer at a time, the lock file of one who was killed, and the torn end that may be left with it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { bytes, drop, freshFolder, noise, refusal, start, text } from "./harness.mjs";

const WRITER = fileURLToPath(new URL("writer.mjs", import.meta.url));
const LOCKED = refusal("locked", /a\.tsl is open for writing.*remove a\.tsl\.lock/);

test("a second instance meets the lock of the first, until that closes", async () => {
  const folder = await freshFolder();
  const [first, second] = [await start(folder), await start(folder)];
  const store = first.open("a.tsl");
  store.put(bytes("k"), bytes("v"));
  for (const access of ["read", "write", "create"]) assert.throws(() => second.open("a.tsl", access), LOCKED, access);
  for (const { open } of [second.draft, second.draft2]) assert.throws(() => open("a.tsl"), refusal("other", /a\.tsl\.lock/));
  assert.match(readFileSync(join(folder, "a.tsl.lock"), "utf8"), /open for writing/);
  drop(second.open("another.tsl"));
  first.close(store);

  const taken = second.open("a.tsl", "write");
  assert.equal(text(taken.get(bytes("k"))), "v");
  assert.throws(() => first.open("a.tsl", "write"), LOCKED);
  drop(taken);
});

test("readers do not keep each other out, and none of them makes a lock", async () => {
  const folder = await freshFolder();
  const instance = await start(folder);
  instance.close(instance.open("a.tsl"));
  const readers = [];
  for (let count = 0; count < 3; count++) readers.push((await start(folder)).open("a.tsl", "read"));
  assert(!existsSync(join(folder, "a.tsl.lock")));
  readers.forEach(drop);
});

test("in one instance, a store that is open for reading has to be closed before it is written", async () => {
  const folder = await freshFolder();
  const instance = await start(folder);
  instance.close(instance.open("a.tsl"));
  const reader = instance.open("a.tsl", "read");
  assert.throws(() => instance.open("a.tsl", "write"), refusal("locked", /close that handle/));
  drop(reader);
  drop(instance.open("a.tsl", "write"));
});

test("what somebody keeps in a file of the lock's name is left as it is", async () => {
  const folder = await freshFolder();
  const path = join(folder, "a.tsl.lock");
  writeFileSync(path, "mine");
  const { open } = await start(folder);
  for (const access of ["create", "create"]) assert.throws(() => open("a.tsl", access), LOCKED);
  assert.equal(readFileSync(path, "utf8"), "mine");
});

for (const after of [1, 20, 60, 100]) {
  test(`a writer that is killed after batch ${after} leaves its lock and every batch it was answered`, async () => {
    const folder = await freshFolder();
    const answered = await killedAfter(folder, after);
    const { open } = await start(folder);
    for (const access of ["read", "write"]) assert.throws(() => open("a.tsl", access), LOCKED);
    rmSync(join(folder, "a.tsl.lock"));

    const store = open("a.tsl", "write");
    const { keys } = store.scan(bytes("key "), undefined, 100);
    assert.equal(keys.length, 20);
    const batches = new Set(keys.map((key) => Number(text(store.get(key)))));
    assert.equal(batches.size, 1, `a part of a batch: ${[...batches]}`);
    const [last] = batches;
    assert(last === answered || last === answered + 1, `batch ${last} is the last one, ${answered} was answered`);
    store.compact();
    store.put(bytes("key 0"), bytes("next"));
    drop(store);
    assert.equal(text(open("a.tsl", "read").get(bytes("key 0"))), "next");
  });
}

test("a torn end is left out by a reader and cut by a writer", async () => {
  const folder = await freshFolder();
  const path = join(folder, "a.tsl");
  const { open, close } = await start(folder);
  const store = open("a.tsl");
  store.put(bytes("k"), bytes("v"));
  const { tail, storeBytes } = store.info();
  store.put(bytes("torn"), noise(100_000, 1));
  close(store);
  truncateSync(path, statSync(path).size - 5);
  const torn = statSync(path).size;

  const reader = open("a.tsl", "read");
  const seen = reader.info();
  assert.equal(seen.tail, tail);
  assert.equal(seen.cutBytes, BigInt(torn) - storeBytes);
  assert.match(seen.recovery, /\d+ bytes/);
  assert.equal(text(reader.get(bytes("k"))), "v");
  assert.equal(reader.get(bytes("torn")), undefined);
  drop(reader);
  assert.equal(statSync(path).size, torn, "a reader changed the file");

  const writer = open("a.tsl", "write");
  assert.equal(writer.info().cutBytes, BigInt(torn) - storeBytes);
  writer.put(bytes("l"), bytes("w"));
  close(writer);
  const next = open("a.tsl", "read");
  assert.equal(next.info().cutBytes, 0n);
  assert.deepEqual(["k", "l", "torn"].map((key) => text(next.get(bytes(key)))), ["v", "w", undefined]);
  assert.equal(BigInt(statSync(path).size), next.info().storeBytes);
});

/** Kills a writer once so many of its batches are answered; how many were in the end. */
async function killedAfter(folder, batches) {
  const child = spawn(process.execPath, [WRITER, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = new Promise((resolve) => child.once("close", (_, signal) => resolve(signal)));
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (part) => {
    printed += part;
    if (printed.split("\n").length > batches) child.kill("SIGKILL");
  });
  assert.equal(await gone, "SIGKILL");
  // A line that was not printed to its end counts as none.
  return printed.split("\n").length - 1;
}
