/** What the component asks of a host's files and what Node's shim makes of it: how much a call does, what is synced, a full disk. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { bytes, Descriptor, freshFolder, noise, put, refusal, same, start, text, transpiled } from "./harness.mjs";

const { read, sync, syncData, write } = Descriptor.prototype;

test("calls that do less than they were asked are made again for the rest", async (t) => {
  let calls = 0;
  t.mock.method(Descriptor.prototype, "read", function (length, offset) {
    calls += 1;
    return read.call(this, length < 1000n ? length : 1000n, offset);
  });
  t.mock.method(Descriptor.prototype, "write", function (content, offset) {
    calls += 1;
    return write.call(this, content.subarray(0, 700), offset);
  });
  const folder = await freshFolder();
  const { open, close } = await start(folder);
  const store = open("a.tsl");
  const keys = Array.from({ length: 50 }, (_, seed) => [`key ${seed}`, noise(seed * 300, seed)]);
  store.appendBatch(keys.map(([key, value]) => put(key, value)));
  store.put(bytes("long"), noise(300_000, 1));
  close(store);
  const next = (await start(folder)).open("a.tsl", "write");
  next.compact();
  for (const [key, value] of keys) same(next.get(bytes(key)), value, key);
  same(next.get(bytes("long")), noise(300_000, 1));
  same(next.getRange(bytes("long"), 1234n, 5678n), noise(300_000, 1).subarray(1234, 1234 + 5678));
  assert(calls > 1000, `${calls} calls`);
});

test("a write that does nothing is a failure, not a loop", async (t) => {
  const { open } = await start(await freshFolder());
  const store = open("a.tsl");
  const { mock } = t.mock.method(Descriptor.prototype, "write", () => 0n);
  assert.throws(() => store.put(bytes("k"), bytes("v")), refusal("other"));
  mock.restore();
  store.put(bytes("k"), bytes("v"));
});

test("no call asks for more than a mebibyte", async (t) => {
  let most = 0;
  const note = (length) => {
    most = Math.max(most, Number(length));
  };
  t.mock.method(Descriptor.prototype, "read", function (length, offset) {
    note(length);
    return read.call(this, length, offset);
  });
  t.mock.method(Descriptor.prototype, "write", function (content, offset) {
    note(content.length);
    return write.call(this, content, offset);
  });
  const { open } = await start(await freshFolder());
  const store = open("a.tsl");
  store.put(bytes("k"), noise(5 << 20, 1));
  same(store.get(bytes("k")), noise(5 << 20, 1));
  store.compact();
  assert.equal(most, 1 << 20);
});

test("sync, compact and close reach the medium; the folder itself the shim does not sync", async (t) => {
  let synced = 0;
  const folders = [];
  t.mock.method(Descriptor.prototype, "syncData", function () {
    synced += 1;
    return syncData.call(this);
  });
  t.mock.method(Descriptor.prototype, "sync", function () {
    try {
      sync.call(this);
      folders.push("synced");
    } catch (error) {
      folders.push(error);
      throw error;
    }
  });
  const { open, close } = await start(await freshFolder());
  const store = open("a.tsl");
  const syncs = (call) => {
    const before = synced;
    call();
    return synced - before;
  };
  assert.equal(syncs(() => store.put(bytes("k"), noise(1000, 1))), 0);
  assert(syncs(() => store.sync()) > 0);
  store.put(bytes("k"), bytes("v"));
  assert(syncs(() => store.compact()) > 0);
  // After a power cut the file's name may still be the one of before: an older store, and a whole one. When the shim can do
  // better, this says so.
  assert.deepEqual(folders, ["invalid"]);
  store.put(bytes("l"), bytes("w"));
  assert(syncs(() => close(store)) > 0);
});

const FULL_DISK = [
  ["a full disk ends the instance, as the shim throws what is no code of the interface", [], { large: "EFBIG", small: "RuntimeError" }],
  ["a full disk is a refusal, once a code is put in the place of that", ["repaired"], { large: "other", small: "done" }],
];

for (const [name, args, expected] of FULL_DISK) {
  const skip = process.platform === "win32" && "Windows has no limit of a file's length that could be set";
  test(name, { skip }, async () => {
    await transpiled();
    const folder = await freshFolder();
    const script = fileURLToPath(new URL("full_disk.mjs", import.meta.url));
    // One or two megabytes, as the shell has it.
    const limited = ["-c", 'ulimit -f 2000; exec "$@"', "sh", process.execPath, script, folder, ...args];
    const { stdout, stderr, status } = spawnSync("/bin/sh", limited, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), expected);

    rmSync(join(folder, "a.tsl.lock"));
    const store = (await start(folder)).open("a.tsl", "write");
    const found = ["before", "large", "small"].map((key) => text(store.get(bytes(key))));
    assert.deepEqual(found, ["v", undefined, expected.small === "done" ? "w" : undefined]);
  });
}
