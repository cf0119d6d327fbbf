/** `tailstone/keyval` beside idb-keyval itself, on an IndexedDB in memory: the same calls have the same results. */

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as original from "idb-keyval";
import { tailstone } from "./bundle.mjs";
import { generator, newSeed, randomText } from "./random.mjs";

const { control } = tailstone;
const ours = tailstone;
const sides = [original, ours];

let count = 0;

/** Two new stores, one of each module. */
function newStores() {
  const name = `store-${count++}`;
  return sides.map((side) => side.createStore(name, "things"));
}

/** What `call` comes to with either module; they must agree. */
async function both(stores, call) {
  const results = [];
  for (const [place, side] of sides.entries()) {
    try {
      results.push({ value: await call(side, stores[place]) });
    } catch (error) {
      results.push({ failed: true, error });
    }
  }
  const [theirs, mine] = results;
  assert.equal(mine.failed, theirs.failed, `${mine.error ?? theirs.error}`);
  if (mine.failed) assert.equal(mine.error.name, "TailstoneError");
  else assert.deepStrictEqual(mine.value, theirs.value);
  return mine;
}

/** Everything that both stores have, three times. */
async function compareAll(stores) {
  await both(stores, (side, store) => side.keys(store));
  await both(stores, (side, store) => side.values(store));
  return (await both(stores, (side, store) => side.entries(store))).value;
}

beforeEach(() => {
  control.failingOpens = 0;
  control.setManyLeft = Infinity;
  control.beforeWrite = () => {};
});

test("the same names, but for one", () => {
  const missing = Object.keys(original).filter((name) => typeof ours[name] !== "function");
  assert.deepEqual(missing, ["promisifyRequest"]);
  for (const name of Object.keys(original)) {
    if (name !== "promisifyRequest") assert.equal(ours[name].length, original[name].length, name);
  }
});

test("a scenario with every function", async () => {
  const stores = newStores();
  const step = (call) => both(stores, call);
  assert.deepEqual(await compareAll(stores), []);
  await step((side, store) => side.get("missing", store));
  await step((side, store) => side.set("text", "value", store));
  await step((side, store) => side.set("object", { a: [1, { b: new Date(5) }], m: new Map([[1, new Set([2])]]) }, store));
  await step((side, store) => side.set("bytes", new Uint8Array([1, 2, 3]), store));
  await step((side, store) => side.set("undefined", undefined, store));
  await step((side, store) => side.set("null", null, store));
  for (const key of ["text", "object", "bytes", "undefined", "null"]) await step((side, store) => side.get(key, store));
  await step((side, store) => side.setMany([["z", 1], ["y", 2], ["z", 3]], store));
  await step((side, store) => side.setMany([], store));
  await step((side, store) => side.getMany(["z", "none", "y", "z", "undefined"], store));
  await step((side, store) => side.getMany([], store));
  await step((side, store) => side.update("counter", (old) => (old ?? 0) + 1, store));
  await step((side, store) => side.update("counter", (old) => (old ?? 0) + 1, store));
  await step((side, store) => side.get("counter", store));
  await step((side, store) => side.update("z", () => undefined, store));
  await compareAll(stores);
  await step((side, store) => side.update("z", (old) => [old], store));
  await step((side, store) => side.update("z", () => { throw new Error("mine"); }, store).catch((error) => error.message));
  await step((side, store) => side.del("y", store));
  await step((side, store) => side.del("y", store));
  await step((side, store) => side.delMany(["text", "none", "null"], store));
  assert.equal((await compareAll(stores)).length, 5);
  await step((side, store) => side.clear(store));
  assert.deepEqual(await compareAll(stores), []);
});

test("without a store, the default one", async () => {
  for (const side of sides) await side.set("k", "default");
  const [theirs, mine] = sides.map((side) => side.createStore("keyval-store", "keyval"));
  assert.deepEqual([await original.get("k", theirs), await ours.get("k", mine)], ["default", "default"]);
  await both([undefined, undefined], (side) => side.entries());
});

// All but empty binary keys, which this IndexedDB takes for detached buffers.
const KEYS = [
  -Infinity, -1e300, -1.5, -1, -Number.MIN_VALUE, 0, Number.MIN_VALUE, 1, 2, 10, 255, 256, 2 ** 53, Infinity,
  new Date(-1), new Date(0), new Date(1e12), new Date(-8.64e15),
  "", "\0", "\0\0", "a", "a\0", "aa", "b", "10", "é", "\uffff", "\ue000", "🜁", "\ud800", "a\udc00", "\udc00\ud800", "\ufeff",
  Uint8Array.of(0), Uint8Array.of(0, 0), Uint8Array.of(0, 255), Uint8Array.of(0, 1), Uint8Array.of(1),
  Uint8Array.of(255, 255), Uint16Array.of(7), new DataView(Uint8Array.of(1, 2, 3).buffer, 1),
  [], [[]], [[], 1], [1], [1, 2], [2], [new Date(1)], ["a"], ["a", "b"], ["a\0"], ["ab"], ["🜁"], ["\uffff"], [Uint8Array.of(0)],
  [Uint8Array.of(0), 1], [Uint8Array.of(0, 0)], [["a"], 1], [["a", 1]], [[["deep", -1.5]]],
];

test("keys of every type come back in IndexedDB's order, with their types", async () => {
  const stores = newStores();
  for (const [place, key] of KEYS.entries()) await both(stores, (side, store) => side.set(key, place, store));
  assert.equal((await compareAll(stores)).length, KEYS.length);
  for (const key of KEYS) await both(stores, (side, store) => side.get(key, store));
  await both(stores, (side, store) => side.getMany(KEYS, store));
  await both(stores, (side, store) => side.delMany(KEYS.slice(0, 40), store));
  await compareAll(stores);
});

test("minus zero is the key zero", async () => {
  const stores = newStores();
  await both(stores, (side, store) => side.set(-0, "zero", store));
  await both(stores, (side, store) => side.get(0, store));
  const [key] = await ours.keys(stores[1]);
  assert.ok(Object.is(key, 0));
});

test("an empty binary key", async () => {
  const store = ours.createStore("empty", "s");
  await ours.setMany([[Uint8Array.of(0), 2], [new ArrayBuffer(0), 1], [[], 3]], store);
  assert.deepEqual(await ours.entries(store), [[new ArrayBuffer(0), 1], [new ArrayBuffer(1), 2], [[], 3]]);
});

test("what is no key is invalid, and nothing is changed", async () => {
  const cyclic = [1];
  cyclic.push(cyclic);
  const detached = new ArrayBuffer(3);
  structuredClone(detached, { transfer: [detached] });
  const stores = newStores();
  const refused = [undefined, null, true, NaN, new Date(NaN), {}, 1n, /x/, () => 1, new Map(), [undefined], [1, , 2], [{}], cyclic];
  for (const key of refused) {
    for (const call of [
      (side, store) => side.get(key, store),
      (side, store) => side.set(key, 1, store),
      (side, store) => side.del(key, store),
      (side, store) => side.getMany(["a", key], store),
      (side, store) => side.delMany(["a", key], store),
      (side, store) => side.update(key, () => 1, store),
    ]) {
      const { error } = await both(stores, call);
      assert.equal(error?.code, "invalid");
    }
    await assert.rejects(ours.setMany([["a", 1], [key, 1]], stores[1]), { code: "invalid" });
  }
  await assert.rejects(ours.get(detached, stores[1]), { code: "invalid" });
  await assert.rejects(ours.get(Symbol("s"), stores[1]), { code: "invalid" });
  const wide = new Array(10_000).fill(1);
  wide.push(wide);
  await assert.rejects(ours.get(wide, stores[1]), { code: "invalid" });
  let deep = [];
  for (let depth = 0; depth < 50_000; depth++) deep = [deep];
  await assert.rejects(ours.get(deep, stores[1]), { code: "invalid" });
  assert.deepEqual(await ours.keys(stores[1]), []);
});

test("a value that cannot be stored fails its call, and all of its batch", async () => {
  const stores = newStores();
  await both(stores, (side, store) => side.set("f", () => 1, store));
  await both(stores, (side, store) => side.update("f", () => Symbol("s"), store));
  await assert.rejects(ours.setMany([["a", 1], ["b", () => 1]], stores[1]), { code: "invalid" });
  assert.deepEqual(await ours.keys(stores[1]), []);
});

test("random calls have the same results", async (t) => {
  const rng = generator(newSeed(t));
  const { below, pick } = rng;
  const key = () =>
    pick([
      () => randomText(rng),
      () => pick(KEYS),
      () => below(20) - 10,
      () => new Date(below(10)),
      () => Uint8Array.from({ length: 1 + below(3) }, () => pick([0, 1, 255])),
      () => Array.from({ length: below(4) }, () => pick([0, "a", "a\0", "", [], [0], Uint8Array.of(0)])),
    ])();
  const value = () => pick([undefined, below(9), randomText(rng), { a: [below(9)] }]);
  for (let round = 0; round < 10; round++) {
    const stores = newStores();
    for (let step = 0; step < 40; step++) {
      const [a, b, v, w] = [key(), key(), value(), value()];
      const call = pick([
        (side, store) => side.set(a, v, store),
        (side, store) => side.set(a, v, store),
        (side, store) => side.setMany([[a, v], [b, w]], store),
        (side, store) => side.get(a, store),
        (side, store) => side.getMany([b, a], store),
        (side, store) => side.update(a, (old) => [old, v].slice(below(1)), store),
        (side, store) => side.del(a, store),
        (side, store) => side.delMany([a, b], store),
      ]);
      await both(stores, call);
    }
    await compareAll(stores);
  }
});

test("encoded keys compare as IndexedDB compares the keys, within their kind", (t) => {
  const rng = generator(newSeed(t));
  const strings = Array.from({ length: 60 }, () => [randomText(rng)]);
  const all = [...KEYS.filter((key) => typeof key !== "string"), ...strings, ...KEYS.map((key) => [key, 1])];
  const encoded = all.map((key) => ours.toStoreKey(key));
  for (const [i, a] of all.entries()) {
    for (const [j, b] of all.entries()) {
      assert.equal(Buffer.compare(encoded[i], encoded[j]), indexedDB.cmp(a, b), `${i} and ${j}`);
    }
    assert.equal(indexedDB.cmp(ours.fromStoreKey(encoded[i]), a), 0);
  }
});

test("text keys are the store's own text, and keys that no call has made are corrupt", (t) => {
  assert.equal(ours.toStoreKey("näme/🜁"), "näme/🜁");
  assert.deepEqual([...ours.toStoreKey("\ud800")], [0xff, 0x30, 0xed, 0xa0, 0x80, 0]);
  assert.deepEqual([...ours.toStoreKey(1)], [0xff, 0x10, 0xbf, 0xf0, 0, 0, 0, 0, 0, 0]);
  const { below } = generator(newSeed(t));
  const hostile = [[0xff], [0x80], [0xff, 0x10, 1], [0xff, 0x30, 1], [0xff, 0x40, 0, 0], [0xff, 0x50], [0xff, 0x60, 0]];
  hostile.push([0xff, ...new Array(65_000).fill(0x50)]);
  for (const bytes of hostile) assert.throws(() => ours.fromStoreKey(Uint8Array.from(bytes)), { code: "corrupt" });
  for (let round = 0; round < 5000; round++) {
    const bytes = Uint8Array.from({ length: 1 + below(12) }, (_, i) => (i === 0 ? 0xff : below(16) * (below(2) ? 16 : 17)));
    try {
      ours.fromStoreKey(bytes);
    } catch (error) {
      assert.equal(error.code, "corrupt");
    }
  }
});

test("first calls at once open the store once; each pair of names is a store of its own", async () => {
  const before = control.opens;
  const [a, again, b] = [ours.createStore("once", "a"), ours.createStore("once", "a"), ours.createStore("once", "b")];
  assert.equal(control.opens, before);
  await Promise.all([ours.set("k", 1, a), ours.set("l", 2, a), ours.get("k", again), ours.keys(a)]);
  assert.equal(control.opens, before + 1);
  assert.deepEqual([await ours.get("k", again), await ours.get("k", b)], [1, undefined]);
  assert.equal(control.opens, before + 2);
});

test("an open that failed fails all that waited for it, and is tried again by the next call", async () => {
  const store = ours.createStore("failing", "s");
  const before = control.opens;
  control.failingOpens = 1;
  const results = await Promise.allSettled([ours.set("k", 1, store), ours.get("k", store)]);
  assert.deepEqual(results.map(({ reason }) => reason?.code), ["locked", "locked"]);
  await ours.set("k", 2, store);
  assert.deepEqual([await ours.get("k", store), control.opens], [2, before + 2]);
});

test("a store that ended is opened again by the call after the one that met it", async () => {
  const store = ours.createStore("ending", "s");
  await ours.set("k", 1, store);
  control.end();
  await assert.rejects(ours.get("k", store), { code: "closed" });
  assert.equal(await ours.get("k", store), 1);
});

test("an update that another tab came before is made again of the new value", async () => {
  const store = ours.createStore("raced", "s");
  await ours.set("n", 1, store);
  const seen = [];
  control.beforeWrite = (db, key) => {
    control.beforeWrite = () => {};
    void db.set(key, 10);
  };
  await ours.update("n", (old) => (seen.push(old), old + 1), store);
  assert.deepEqual([seen, await ours.get("n", store)], [[1, 10], 11]);
});

test("values with Blobs are stored whole", async () => {
  const store = ours.createStore("blobs", "s");
  await ours.set("b", { blob: new Blob(["text"], { type: "text/plain" }) }, store);
  await ours.update("b", ({ blob }) => [blob, blob], store);
  const [first, second] = await ours.get("b", store);
  assert.equal(first, second);
  assert.deepEqual([await first.text(), first.type], ["text", "text/plain"]);
});
