/** Each case of the interface's error comes where its words say so; what a host answers is put in its place where it cannot be had. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bytes, Descriptor, drop, freshFolder, noise, put, refusal, same, start, text } from "./harness.mjs";

const { openAt, renameAt, write } = Descriptor.prototype;

test("no-such-store: nothing is made of a name that is only read or written", async () => {
  const { open } = await start(await freshFolder());
  for (const access of ["read", "write", "read"]) assert.throws(() => open("a.tsl", access), refusal("no-such-store"));
});

test("access-denied: no folder was granted", async () => {
  const { open, draft, draft2 } = await start();
  for (const access of ["read", "write", "create"]) assert.throws(() => open("a.tsl", access), refusal("access-denied"));
  for (const { open } of [draft, draft2]) assert.throws(() => open("a"), refusal("access-denied"));
});

test("access-denied: the system refuses the file", async (t) => {
  const { open } = await start(await freshFolder());
  for (const code of ["access", "not-permitted"]) {
    const { mock } = t.mock.method(Descriptor.prototype, "openAt", () => {
      throw code;
    });
    assert.throws(() => open("a.tsl"), refusal("access-denied"));
    mock.restore();
  }
});

test("invalid-argument: what is no plain name, no regular file, no key", async () => {
  const folder = await freshFolder();
  const outside = join(await freshFolder(), "b.tsl");
  writeFileSync(outside, "");
  mkdirSync(join(folder, "folder"));
  symlinkSync(outside, join(folder, "link"));
  symlinkSync("../nowhere", join(folder, "dangling"));
  const { open } = await start(folder);
  for (const name of ["", ".", "..", "../a", "/a", "a/b", "a\\b", "c:a", "a\0", "a.lock", "a.compact", "n".repeat(248)]) {
    assert.throws(() => open(name), refusal("invalid-argument"), JSON.stringify(name));
  }
  for (const name of ["folder", "link", "dangling"]) {
    for (const access of ["read", "write", "create"]) {
      assert.throws(() => open(name, access), refusal("invalid-argument", /is not a regular file/), `${name}, ${access}`);
    }
  }
  assert.equal(readFileSync(outside).length, 0);
  const store = open("a.tsl");
  assert.throws(() => store.put(noise(65_537, 1), bytes("v")), refusal("invalid-argument"));
});

test("read-only: a handle for reading, and a folder that nobody can write in", async (t) => {
  const folder = await freshFolder();
  const { open, close } = await start(folder);
  const store = open("a.tsl");
  store.put(bytes("k"), bytes("v"));
  const reader = open("a.tsl", "read");
  const refused = [
    (handle) => handle.put(bytes("k"), bytes("w")),
    (handle) => handle.putIf(bytes("k"), bytes("w"), undefined),
    (handle) => handle.delete(bytes("k")),
    (handle) => handle.appendBatch([]),
    (handle) => handle.compact(),
  ];
  for (const call of refused) assert.throws(() => call(reader), refusal("read-only"));
  drop(reader);
  close(store);

  t.mock.method(Descriptor.prototype, "openAt", function (...args) {
    const [, , how, flags] = args;
    if (how.create || flags.write) throw "read-only";
    return openAt.apply(this, args);
  });
  const { open: openAgain, draft2 } = await start(folder);
  for (const access of ["write", "create"]) assert.throws(() => openAgain("a.tsl", access), refusal("read-only"));
  const bucket = draft2.open("a.tsl");
  assert.equal(text(bucket.get("k")), "v");
  assert.throws(() => bucket.set("k", bytes("w")), refusal("access-denied"));
  assert.throws(() => draft2.open("b.tsl"), refusal("no-such-store"));
});

test("corrupt: a file that is no store, and one that is damaged in its middle", async () => {
  const folder = await freshFolder();
  const path = join(folder, "a.tsl");
  const garbage = noise(10_000, 1);
  writeFileSync(path, garbage);
  const { open, close } = await start(folder);
  for (const access of ["read", "write", "create"]) assert.throws(() => open("a.tsl", access), refusal("corrupt"), access);
  same(readFileSync(path), garbage, "the file");
  assert.throws(() => open("a.tsl", "write"), refusal("corrupt"), "a refused open left its lock");

  const store = open("b.tsl");
  for (const key of ["k", "l", "m"]) store.put(bytes(key), noise(1000, 2));
  close(store);
  const damaged = readFileSync(join(folder, "b.tsl"));
  // Where the second entry's predecessor ends: 8 bytes behind the hash of its key, in front of its checksum.
  damaged[damaged.length - 1088 - 12] ^= 1;
  writeFileSync(join(folder, "b.tsl"), damaged);
  for (const access of ["read", "write", "create"]) assert.throws(() => open("b.tsl", access), refusal("corrupt"), access);
  same(readFileSync(join(folder, "b.tsl")), damaged, "the file");
});

const BATCH = ["k", "l", "m"].map((key) => put(key, noise(1000, 1)));

/** Has the host do half of the next write and refuse the rest of it with this code, and every cut of a file if asked to. */
function failing(t, code, { cut }) {
  let calls = 0;
  const mocks = [
    t.mock.method(Descriptor.prototype, "write", function (content, offset) {
      if (calls++ > 0) throw code;
      return write.call(this, content.subarray(0, content.length / 2), offset);
    }),
  ];
  if (!cut) {
    const refuse = () => {
      throw code;
    };
    mocks.push(t.mock.method(Descriptor.prototype, "setSize", refuse));
  }
  return () => mocks.forEach(({ mock }) => mock.restore());
}

for (const [code, tag] of [["quota", "quota-exceeded"], ["insufficient-space", "other"], ["io", "other"], ["access", "access-denied"]]) {
  test(`${tag}: the host says ${code} to a write, half of which is done`, async (t) => {
    const folder = await freshFolder();
    const { open, close } = await start(folder);
    const store = open("a.tsl");
    store.put(bytes("k"), bytes("v"));
    const { storeBytes } = store.info();
    const restore = failing(t, code, { cut: true });
    assert.throws(() => store.appendBatch(BATCH), refusal(tag));
    restore();
    assert.equal(BigInt(statSync(join(folder, "a.tsl")).size), storeBytes, "the half is still there");
    assert.equal(text(store.get(bytes("k"))), "v");
    store.appendBatch(BATCH);
    close(store);
    same(open("a.tsl", "read").get(bytes("m")), noise(1000, 1));
  });
}

test("half a batch that cannot even be cut off is left out by the next open", async (t) => {
  const folder = await freshFolder();
  const { open } = await start(folder);
  const store = open("a.tsl");
  store.put(bytes("k"), bytes("v"));
  const restore = failing(t, "io", { cut: false });
  assert.throws(() => store.appendBatch(BATCH), refusal("other"));
  assert.throws(() => store.put(bytes("k"), bytes("w")), refusal("other"));
  assert.equal(text(store.get(bytes("k"))), "v");
  drop(store);
  restore();

  const again = open("a.tsl", "write");
  assert(again.info().cutBytes > 0n);
  assert.deepEqual(["k", "l", "m"].map((key) => text(again.get(bytes(key)))), ["v", undefined, undefined]);
});

test("other: after a sync that failed nothing is written until the next open", async (t) => {
  const { open } = await start(await freshFolder());
  const store = open("a.tsl");
  store.put(bytes("k"), bytes("v"));
  const { mock } = t.mock.method(Descriptor.prototype, "syncData", () => {
    throw "io";
  });
  assert.throws(() => store.sync(), refusal("other"));
  mock.restore();
  assert.throws(() => store.put(bytes("k"), bytes("w")), refusal("other"));
  assert.equal(text(store.get(bytes("k"))), "v");
  drop(store);
  open("a.tsl", "write").put(bytes("k"), bytes("w"));
});

test("a compaction that cannot put its file in the place of the other changes nothing", async (t) => {
  const folder = await freshFolder();
  const { open, close } = await start(folder);
  const store = open("a.tsl");
  for (const seed of [1, 2]) store.put(bytes("k"), noise(10_000, seed));
  const { tail } = store.info();
  const { mock } = t.mock.method(Descriptor.prototype, "renameAt", () => {
    throw "cross-device";
  });
  assert.throws(() => store.compact(), refusal("other"));
  mock.restore();
  same(store.get(bytes("k")), noise(10_000, 2));
  store.put(bytes("l"), bytes("v"));
  assert.deepEqual(store.changes(tail, 9).changes.map(({ key }) => text(key)), ["l"]);
  assert.equal(Descriptor.prototype.renameAt, renameAt);
  store.compact();
  close(store);
  const next = (await start(folder)).open("a.tsl", "read");
  same(next.get(bytes("k")), noise(10_000, 2));
  assert.equal(text(next.get(bytes("l"))), "v");
});
