/** `migrate` takes over what the real idb-keyval wrote, once, and leaves it where it is. */

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as original from "idb-keyval";
import { tailstone } from "./bundle.mjs";

const { control, createStore, migrate } = tailstone;
const nothing = { copied: 0, refused: [] };

let count = 0;
let name;

beforeEach(() => {
  name = `old-${count++}`;
  control.setManyLeft = Infinity;
  control.batches.length = 0;
});

const databases = async () => (await indexedDB.databases()).map((database) => database.name);

test("copies everything of the default store, with its types, and leaves the old database", async () => {
  const old = [[1, "number"], [new Date(5), new Map([[1, 2]])], ["text", undefined], [Uint8Array.of(1), [1n]], [[1, "a"], null]];
  await original.setMany(old);
  assert.deepEqual(await migrate(), { copied: 5, refused: [] });
  assert.deepEqual(await tailstone.entries(), await original.entries());
  assert.equal((await original.keys()).length, 5);
});

test("copies large stores in batches, in order, without a gap", async () => {
  const old = original.createStore(name, "s");
  await original.setMany(Array.from({ length: 950 }, (_, i) => [i, { i }]), old);
  assert.deepEqual(await migrate(name, "s"), { copied: 950, refused: [] });
  assert.deepEqual(await tailstone.entries(createStore(name, "s")), await original.entries(old));
  assert.deepEqual(control.batches.slice(0, -1), [...new Array(9).fill(100), 50]);
});

test("a batch of large values is cut by their bytes", async () => {
  const old = original.createStore(name, "s");
  await original.setMany(Array.from({ length: 10 }, (_, i) => [i, new Uint8Array(1 << 20)]), old);
  assert.equal((await migrate(name, "s")).copied, 10);
  assert.deepEqual(control.batches.slice(0, -1), [4, 4, 2]);
});

test("keys that the store has are newer and stay, and none that was deleted since comes back", async () => {
  const old = original.createStore(name, "s");
  const store = createStore(name, "s");
  await original.setMany([["a", "old"], ["b", "old"], ["c", "old"]], old);
  await tailstone.setMany([["b", "new"], ["c", undefined]], store);
  assert.deepEqual(await migrate(name, "s"), { copied: 1, refused: [] });
  const after = [["a", "old"], ["b", "new"], ["c", undefined]];
  assert.deepEqual(await tailstone.entries(store), after);
  await tailstone.del("a", store);
  assert.deepEqual(await migrate(name, "s"), nothing);
  assert.deepEqual(await tailstone.entries(store), after.slice(1));
  await tailstone.clear(store);
  assert.deepEqual(await migrate(name, "s"), nothing);
  assert.deepEqual(await tailstone.keys(store), []);
});

test("each object store is migrated by itself", async () => {
  await original.set("k", 1, original.createStore(name, "one"));
  assert.deepEqual(await migrate(name, "another"), nothing);
  assert.deepEqual(await migrate(name, "one"), { copied: 1, refused: [] });
});

test("without an old database there is nothing to do, and none is made", async () => {
  assert.deepEqual(await migrate(name, "s"), nothing);
  assert.ok(!(await databases()).includes(name));
});

test("after a failure the next call copies the rest", async () => {
  const old = original.createStore(name, "s");
  const store = createStore(name, "s");
  await original.setMany(Array.from({ length: 250 }, (_, i) => [i, i]), old);
  control.setManyLeft = 1;
  await assert.rejects(migrate(name, "s"), { code: "quota" });
  assert.equal((await tailstone.keys(store)).length, 100);
  control.setManyLeft = Infinity;
  await tailstone.set(7, "newer", store);
  assert.deepEqual(await migrate(name, "s"), { copied: 150, refused: [] });
  const expected = (await original.entries(old)).map(([key, value]) => [key, key === 7 ? "newer" : value]);
  assert.deepEqual(await tailstone.entries(store), expected);
});

test("values that cannot be stored are named, and all others copied", async () => {
  const old = original.createStore(name, "s");
  const key = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"]);
  await original.setMany([["a", 1], ["key", { key }], ["z", 2]], old);
  assert.deepEqual(await migrate(name, "s"), { copied: 2, refused: ["key"] });
  assert.deepEqual(await tailstone.keys(createStore(name, "s")), ["a", "z"]);
});

test("two at once wait for each other where there are locks", async () => {
  let last = Promise.resolve();
  const names = [];
  const request = (lock, run) => {
    names.push(lock);
    last = last.then(run);
    return last;
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { locks: { request } }, configurable: true });
  try {
    await original.set("k", 1, original.createStore(name, "s"));
    const results = await Promise.all([migrate(name, "s"), migrate(name, "s")]);
    assert.deepEqual(results.map(({ copied }) => copied), [1, 0]);
    assert.deepEqual(names, new Array(2).fill(`tailstone-migrate/${name}`));
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else delete globalThis.navigator;
  }
});
