/** `wasi:keyvalue`: both drafts of it, which are two doors to the same bucket. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { before, describe, test } from "node:test";
import { bytes, drop, freshFolder, noise, refusal, same, start, text } from "./harness.mjs";

let instance;
let folder;
before(async () => {
  folder = await freshFolder();
  instance = await start(folder);
});

for (const draft of ["draft", "draft2"]) {
  describe(`wasi:keyvalue 0.2.0-${draft}`, () => {
    /** A bucket that no other test uses. */
    const fresh = (name) => instance[draft].open(`${draft} ${name}`);

    test("set, get, exists, delete", () => {
      const bucket = fresh("values");
      assert.equal(bucket.get("k"), undefined);
      assert.equal(bucket.exists("k"), false);
      const keys = ["", "k", "a/b", "../k", "nul\0", "ключ", "é", "e\u0301", "k".repeat(65_536)];
      keys.forEach((key, seed) => bucket.set(key, noise(seed * 10_000, seed)));
      keys.forEach((key, seed) => same(bucket.get(key), noise(seed * 10_000, seed), JSON.stringify(key.slice(0, 9))));
      bucket.set("k", bytes("newer"));
      assert.equal(text(bucket.get("k")), "newer");
      assert.equal(bucket.exists("k"), true);
      bucket.delete("k");
      bucket.delete("k");
      assert.equal(bucket.exists("k"), false);
      assert.throws(() => bucket.set("k".repeat(65_537), bytes("v")), refusal("other"));
    });

    test("keys by pages, each of them once", () => {
      const bucket = fresh("keys");
      const keys = Array.from({ length: 2500 }, (_, index) => `key ${index}`);
      instance[draft].setMany(bucket, keys.map((key) => [key, bytes("v")]));
      const found = [];
      let [cursor, pages] = [undefined, 0];
      do {
        const page = bucket.listKeys(cursor);
        assert(page.keys.length <= 1000, "a page is longer than it may be");
        found.push(...page.keys);
        cursor = page.cursor;
        pages += 1;
        // A cursor names a key; it has to hold when that key is gone.
        instance[draft].deleteMany(bucket, page.keys);
      } while (cursor !== undefined);
      assert.equal(pages, 3);
      assert.deepEqual(found.toSorted(), keys.toSorted());
      assert.deepEqual(bucket.listKeys(undefined), { keys: [], cursor: undefined });
    });

    test("counting", () => {
      const bucket = fresh("counters");
      const { increment } = instance[draft];
      const most = draft === "draft" ? 2n ** 64n - 1n : 2n ** 63n - 1n;
      assert.equal(increment(bucket, "n", 5n), 5n);
      assert.equal(increment(bucket, "n", most - 5n), most);
      assert.equal(text(bucket.get("n")), String(most));
      assert.throws(() => increment(bucket, "n", 1n), refusal("other"));
      assert.equal(text(bucket.get("n")), String(most), "a refused sum changed the value");
      if (draft === "draft2") {
        assert.equal(increment(bucket, "n", -most), 0n);
        assert.equal(increment(bucket, "n", -7n), -7n);
        assert.equal(text(bucket.get("n")), "-7");
      }
      for (const wrong of ["", "1.5", " 1", "one", "-"]) {
        bucket.set("text", bytes(wrong));
        assert.throws(() => increment(bucket, "text", 1n), refusal("other"));
        assert.equal(text(bucket.get("text")), wrong);
      }
    });

    test("many at once", () => {
      const bucket = fresh("many");
      const { getMany, setMany, deleteMany } = instance[draft];
      setMany(bucket, [["a", bytes("1")], ["b", bytes("2")], ["a", bytes("3")], ["c", bytes("")]]);
      const found = getMany(bucket, ["c", "none", "a", "a"]);
      assert.deepEqual(found.map((pair) => pair && [pair[0], text(pair[1])]), [["c", ""], undefined, ["a", "3"], ["a", "3"]]);
      const tooLong = "k".repeat(65_537);
      assert.throws(() => setMany(bucket, [["d", bytes("4")], [tooLong, bytes("5")]]), refusal("other"));
      assert.equal(bucket.exists("d"), false, "a part of a refused batch is there");
      deleteMany(bucket, ["a", "none", "b"]);
      assert.deepEqual(bucket.listKeys(undefined).keys, ["c"]);
    });

    test("a bucket is a store of that name, and paths are no names", () => {
      drop(fresh("name"));
      assert(readdirSync(folder).includes(`${draft} name`));
      for (const name of ["..", "../x", "a/b", "/a", "a\\b", "nul\0", "a.lock"]) {
        assert.throws(() => instance[draft].open(name), refusal("access-denied"), JSON.stringify(name));
      }
      drop(instance[draft].open(""));
      assert(readdirSync(folder).includes("default"), "the empty name means another store");
    });
  });
}

test("a swap is made if the key is as it was", () => {
  const bucket = instance.draft2.open("swaps");
  const { Cas, swap } = instance.draft2;
  const failed = (cas, value) => {
    let handle;
    assert.throws(() => swap(cas, bytes(value)), (error) => {
      assert.equal(error.payload.tag, "cas-failed");
      handle = error.payload.val;
      return true;
    });
    return handle;
  };

  const absent = Cas.new(bucket, "k");
  assert.equal(absent.current(), undefined);
  swap(absent, bytes("first"));
  assert.equal(text(bucket.get("k")), "first");
  assert.throws(() => absent.current(), /Not a valid/, "a swap uses its handle up");

  let cas = Cas.new(bucket, "k");
  bucket.set("k", bytes("other"));
  bucket.set("k", bytes("first"));
  const again = failed(cas, "second");
  assert.equal(text(again.current()), "first");
  swap(again, bytes("second"));
  assert.equal(text(bucket.get("k")), "second");

  cas = Cas.new(bucket, "k");
  bucket.delete("k");
  swap(failed(cas, "third"), bytes("third"));
  assert.equal(text(bucket.get("k")), "third");

  cas = Cas.new(bucket, "new");
  bucket.set("new", bytes("by another"));
  drop(failed(cas, "mine"));
  assert.equal(text(bucket.get("new")), "by another");
});

test("the drafts and our own interface open the same bucket", () => {
  const first = instance.draft.open("shared");
  const second = instance.draft2.open("shared");
  const own = instance.open("shared");
  first.set("k", bytes("1"));
  assert.equal(instance.draft2.increment(second, "k", 2n), 3n);
  assert.equal(text(own.get(bytes("k"))), "3");
  own.put(bytes("k"), bytes("40"));
  assert.equal(instance.draft.increment(first, "k", 2n), 42n);
});
