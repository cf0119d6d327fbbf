/** `tailstone:store/stores`: every call, in instances that come and go. */

import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bytes, drop, freshFolder, noise, put, refusal, same, start, text, transpiled } from "./harness.mjs";

const remove = (key) => ({ tag: "delete", val: bytes(key) });

/** A store that is new, with the folder it lies in and the instance that has it open. */
async function fresh() {
  const folder = await freshFolder();
  const instance = await start(folder);
  return { folder, instance, store: instance.open("a.tsl") };
}

test("the component asks for files and gives stores", async () => {
  const { imports, exports } = await transpiled();
  assert.deepEqual(imports.toSorted(), ["wasi:filesystem/preopens", "wasi:filesystem/types"]);
  for (const draft of ["draft", "draft2"]) {
    for (const part of ["store", "atomics", "batch"]) assert(exports.includes(`wasi:keyvalue/${part}@0.2.0-${draft}`));
  }
  assert(exports.includes("tailstone:store/stores@0.1.0"));
});

test("what was put is got, by this instance and by the next", async () => {
  const { folder, instance, store } = await fresh();
  const values = new Map([
    ["one byte", new Uint8Array(1)],
    ["empty", new Uint8Array(0)],
    ["every byte", Uint8Array.from({ length: 256 }, (_, index) => index)],
    ["größe 键", noise(70_000, 1)],
    // More than the component hands to one call of the host.
    ["long", noise((3 << 20) + 5, 2)],
  ]);
  for (const [key, value] of values) store.put(bytes(key), value);
  for (const [key, value] of values) same(store.get(bytes(key)), value, key);
  assert.equal(store.get(bytes("never put")), undefined);
  store.put(bytes("one byte"), bytes("newer"));
  assert.equal(store.delete(bytes("every byte")), true);
  assert.equal(store.delete(bytes("every byte")), false);
  store.sync();
  instance.close(store);
  assert.deepEqual(readdirSync(folder), ["a.tsl"]);

  const next = (await start(folder)).open("a.tsl", "read");
  values.set("one byte", bytes("newer")).delete("every byte");
  for (const [key, value] of values) same(next.get(bytes(key)), value, key);
  assert.equal(next.get(bytes("every byte")), undefined);
  drop(next);
});

test("a range of a value, and what is known of it", async () => {
  const { store } = await fresh();
  const value = noise(100_000, 3);
  const key = bytes("k");
  store.put(key, value);
  const most = 2n ** 64n - 1n;
  for (const [offset, len] of [[0n, 10n], [99_990n, 100n], [65_530n, 20n], [100_000n, 1n], [most, most], [5n, most], [7n, 0n]]) {
    const [from, to] = [offset, offset + len].map((at) => Math.min(Number(at), value.length));
    same(store.getRange(key, offset, len), value.subarray(from, to), `${len} bytes from ${offset} on`);
  }
  assert.equal(store.getRange(bytes("none"), 0n, 1n), undefined);
  const stat = store.stat(key);
  assert.equal(stat.len, 100_000n);
  assert.equal(stat.expiresAt, undefined);
  assert.equal(store.stat(bytes("none")), undefined);
  store.put(key, value);
  assert.notEqual(store.stat(key).version, stat.version, "another value has the version of the first");
});

test("a value is put if nobody else put one", async () => {
  const { store } = await fresh();
  const key = bytes("k");
  assert.equal(store.putIf(key, bytes("first"), undefined), true);
  assert.equal(store.putIf(key, bytes("again"), undefined), false);
  const { version } = store.stat(key);
  assert.equal(store.putIf(key, bytes("second"), version), true);
  assert.equal(store.putIf(key, bytes("third"), version), false);
  store.put(key, bytes("first"));
  assert.equal(store.putIf(key, bytes("third"), version), false, "the same bytes are not the same value");
  store.delete(key);
  assert.equal(store.putIf(key, bytes("third"), version), false);
  assert.equal(text(store.get(key)), undefined);
});

test("a batch, and many values in one list", async () => {
  const { store } = await fresh();
  store.put(bytes("old"), bytes("x"));
  const changes = [put("a", bytes("1")), put("b", bytes("")), remove("old"), put("a", bytes("22")), put("c", bytes("3")), remove("c")];
  store.appendBatch(changes);
  store.appendBatch([]);
  const { bytes: all, extents } = store.getPacked(["a", "old", "b", "c", "a"].map(bytes));
  const values = extents.map((extent) => extent && text(all.subarray(Number(extent.offset), Number(extent.offset + extent.len))));
  assert.deepEqual(values, ["22", undefined, "", undefined, "22"]);
});

test("keys by pages, each of them once", async () => {
  const { store } = await fresh();
  const keys = Array.from({ length: 2500 }, (_, index) => `p/${String(index).padStart(4, "0")}`);
  store.appendBatch(["o", "q", ...keys].map((key) => put(key, bytes("v"))));
  const found = [];
  let [cursor, pages] = [undefined, 0];
  do {
    const page = store.scan(bytes("p/"), cursor, 2 ** 32 - 1);
    assert(page.keys.length <= 1000, "a page is longer than it may be");
    found.push(...page.keys.map(text));
    cursor = page.cursor;
    // What was listed already must not come again, and what is put behind the cursor may come.
    if (pages++ === 0) store.delete(bytes(found[0]));
  } while (cursor !== undefined);
  assert.equal(pages, 3);
  assert.deepEqual(found, keys);
  assert.deepEqual(store.scan(bytes("p/"), bytes("p/0041"), 2).keys.map(text), ["p/0042", "p/0043"]);
});

test("changes from a tail on, which a compaction makes stale", async () => {
  const { folder, store } = await fresh();
  for (const round of [1, 2, 3]) store.put(bytes("k"), noise(50_000, round));
  const { tail } = store.info();
  store.put(bytes("l"), bytes("x"));
  store.delete(bytes("k"));
  const told = (page) => page.changes.map((change) => [text(change.key), change.isDeletion]);
  const all = store.changes(0n, 1000);
  assert.deepEqual(told(all), [["k", false], ["k", false], ["k", false], ["l", false], ["k", true]]);
  assert(all.isLast);
  const first = store.changes(tail, 1);
  assert.deepEqual(told(first), [["l", false]]);
  assert(!first.isLast);
  assert.deepEqual(told(store.changes(first.tail, 1000)), [["k", true]]);
  assert.deepEqual(told(store.changes(store.info().tail, 1000)), []);
  assert.throws(() => store.changes(tail + 1n, 1), refusal("stale-cursor"));

  const before = store.info();
  store.compact();
  const after = store.info();
  assert(before.storeBytes > 150_000n && after.storeBytes < 1000n, `${before.storeBytes} and ${after.storeBytes} bytes`);
  assert.equal(BigInt(statSync(join(folder, "a.tsl")).size), after.storeBytes);
  assert.equal(text(store.get(bytes("l"))), "x");
  assert.throws(() => store.changes(tail, 1), refusal("stale-cursor"));
  store.put(bytes("m"), bytes("behind"));
  assert.deepEqual(told(store.changes(after.tail, 9)), [["m", false]]);
  assert.deepEqual(readdirSync(folder).toSorted(), ["a.tsl", "a.tsl.lock"]);
});

test("info adds up", async () => {
  const { folder, instance, store } = await fresh();
  assert.equal(store.info().keys, 0n);
  for (const index of [1, 2, 3, 4]) store.put(bytes(`k${index % 3}`), noise(1000, index));
  const other = instance.open("a.tsl", "create", "another bucket");
  other.put(bytes("k"), bytes("v"));
  const info = store.info();
  assert.equal(info.keys, 3n);
  assert.equal(other.info().keys, 1n);
  assert(info.liveEntries >= 4n);
  assert(info.savingsBytes > 1000n && info.savingsBytes < 2000n, `${info.savingsBytes} bytes to save`);
  assert(info.storeBytes > 4000n);
  assert.equal(info.cutBytes, 0n);
  assert.deepEqual(store.changes(info.tail, 9), { changes: [], tail: info.tail, isLast: true });
  drop(other);
  instance.close(store);
  assert.equal(BigInt(statSync(join(folder, "a.tsl")).size), info.storeBytes);
});

test("handles of one instance share a store, and its buckets do not mix", async () => {
  const { folder, instance, store } = await fresh();
  const again = instance.open("a.tsl", "write");
  const other = instance.open("a.tsl", "write", "another bucket");
  const reader = instance.open("a.tsl", "read");
  store.put(bytes("k"), bytes("v"));
  assert.deepEqual([again, reader, other].map((handle) => text(handle.get(bytes("k")))), ["v", "v", undefined]);
  other.put(bytes("k"), bytes("another"));
  assert.equal(text(store.get(bytes("k"))), "v");
  instance.close(store);
  drop(other);
  drop(again);
  assert.deepEqual(readdirSync(folder).toSorted(), ["a.tsl", "a.tsl.lock"], "the lock is gone before the last handle");
  drop(reader);
  assert.deepEqual(readdirSync(folder), ["a.tsl"]);
  assert.throws(() => store.get(bytes("k")), /Not a valid/);
});

test("ten thousand handles, one after the other", async () => {
  const { instance, store } = await fresh();
  store.put(bytes("k"), bytes("v"));
  for (let round = 0; round < 10_000; round++) {
    const handle = instance.open("a.tsl", "read");
    assert.equal(handle.stat(bytes("k")).len, 1n);
    drop(handle);
  }
});
