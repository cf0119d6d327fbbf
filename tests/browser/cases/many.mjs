/** Many at once: all or none, updates from many callers, buckets, counting and clearing. */

import { bytesOf, equal, fails, gathered, ok, pattern, sameBytes, textOf } from "./expect.mjs";

export async function setManyAndGetManyKeepTheirOrder({ open, fresh }) {
  const db = await open(fresh());
  const entries = Array.from({ length: 3000 }, (_, at) => [`k${at}`, bytesOf(`v${at}`)]);
  await db.setMany(new Map(entries));
  const asked = ["k2999", "none", "k0", "k0", "k1500"];
  equal((await db.getMany(new Set(asked))).map(textOf), ["v2999", undefined, "v0", "v1500"]);
  equal((await db.getMany(asked)).map(textOf), ["v2999", undefined, "v0", "v0", "v1500"]);
  equal(await db.getMany([]), []);
  await db.setMany([]);
  equal(await db.count(), 3000);
  // One key twice: the later one counts.
  await db.setMany([["twice", bytesOf("first")], ["twice", bytesOf("second")]]);
  equal(textOf(await db.get("twice")), "second");
  await db.setMany([["small", bytesOf("s")], ["large", pattern(3 << 20)], ["larger", pattern(6 << 20)]]);
  const [small, large, larger] = await db.getMany(["small", "large", "larger"]);
  equal(textOf(small), "s");
  sameBytes(large, pattern(3 << 20));
  sameBytes(larger, pattern(6 << 20));
  await db.close();
}

export async function aBatchIsAllOrNone({ open, fresh, TailstoneError }) {
  const db = await open(fresh());
  await db.set("b", bytesOf("old"));
  await db.batch((b) => {
    b.set("a", bytesOf("1"));
    b.delete("b");
    b.delete("never was");
    b.set("c", bytesOf("first"));
    b.set("c", bytesOf("last"));
  });
  equal((await db.getMany(["a", "b", "c"])).map(textOf), ["1", undefined, "last"]);
  await db.batch(async (b) => {
    b.set("d", bytesOf("4"));
    await Promise.resolve();
    b.set("e", bytesOf("5"));
  }, { durability: "strict" });
  equal((await db.getMany(["d", "e"])).map(textOf), ["4", "5"]);
  // Whoever gives up in between changes nothing.
  const reason = new Error("given up");
  let thrown;
  await db
    .batch((b) => {
      b.set("a", bytesOf("never"));
      throw reason;
    })
    .catch((error) => (thrown = error));
  ok(thrown === reason || thrown?.cause === reason, `a batch that was given up failed with ${thrown}`);
  await fails("invalid", () => db.batch((b) => {
    b.set("f", bytesOf("never"));
    b.set("x".repeat(70_000), bytesOf("too long"));
    b.delete("a");
  }), TailstoneError);
  equal((await db.getMany(["a", "f"])).map(textOf), ["1", undefined]);
  await db.batch(() => {});
  equal(await db.count(), 4);
  await db.close();
}

export async function aReaderSeesAllOfABatchOrNothing({ open, fresh }) {
  const db = await open(fresh());
  const keys = Array.from({ length: 50 }, (_, at) => `k${at}`);
  const seen = [];
  const rounds = [];
  for (let round = 0; round < 20; round++) {
    rounds.push(db.setMany(keys.map((key) => [key, bytesOf(`${round}`)])));
    seen.push(db.getMany(keys));
    if (round % 5 === 4) await rounds.at(-1);
  }
  await Promise.all(rounds);
  for (const values of await Promise.all(seen)) equal(new Set(values.map(textOf)).size, 1, "different rounds in one answer");
  await db.close();
}

export async function updatesOfManyCallersLoseNone({ open, fresh, keeps }) {
  const name = fresh();
  const db = await open(name, { codec: "json" });
  const others = keeps ? [db, await open(name, { codec: "json" }), await open(name, { codec: "json" })] : [db];
  const results = await Promise.all(
    Array.from({ length: 90 }, (_, at) => others[at % others.length].update("n", (old) => (old ?? 0) + 1)),
  );
  equal(await db.get("n"), 90, "after 90 updates");
  equal(results.sort((a, b) => a - b), Array.from({ length: 90 }, (_, at) => at + 1), "each its own number");
  equal(await db.update("n", () => undefined), undefined);
  equal(await db.has("n"), false, "an update to nothing deletes");
  equal(await db.update("n", (old) => (old === undefined ? "was missing" : "was there")), "was missing");
  const reason = new Error("no");
  let thrown;
  await db.update("n", () => { throw reason; }).catch((error) => (thrown = error));
  ok(thrown === reason || thrown?.cause === reason, `an update that was given up failed with ${thrown}`);
  equal(await db.get("n"), "was missing");
  for (const other of new Set(others)) await other.close();
}

export async function updatesAndOtherWritesDoNotOverwriteEachOther({ open, fresh }) {
  const db = await open(fresh(), { codec: "json" });
  // A long value goes another way than a short one, and has to be compared all the same.
  const filler = "x".repeat(40_000);
  await db.set("long", { filler, list: [] });
  await Promise.all(
    Array.from({ length: 20 }, (_, at) => db.update("long", (old) => ({ filler, list: [...old.list, at] }))),
  );
  equal((await db.get("long")).list.sort((a, b) => a - b), Array.from({ length: 20 }, (_, at) => at));
  await Promise.all([
    db.update("k", (old) => [...(old ?? []), "updated"]),
    db.set("k", ["set"]),
    db.delete("k"),
    db.update("k", (old) => [...(old ?? []), "updated too"]),
  ]);
  ok((await db.get("k")).includes("updated too") || !(await db.has("k")), "the last word is one that was said");
  await db.close();
}

export async function bucketsOfOneStoreAreApart({ open, fresh, keeps }) {
  if (!keeps) return;
  const name = fresh();
  const [one, two, plain] = await Promise.all([
    open(name, { bucket: "one" }),
    open(name, { bucket: "two", codec: "json" }),
    open(name),
  ]);
  equal([one.name, one.bucket, two.bucket, plain.bucket], [name, "one", "two", "default"]);
  await Promise.all([one.set("k", bytesOf("1")), two.set("k", { two: 2 }), plain.set("k", bytesOf("plain")), one.set("only", bytesOf("1"))]);
  equal([textOf(await one.get("k")), await two.get("k"), textOf(await plain.get("k"))], ["1", { two: 2 }, "plain"]);
  equal([await one.count(), await two.count(), await plain.count()], [2, 1, 1]);
  equal(await one.clear(), 2);
  equal([await one.count(), await two.count(), await plain.count()], [0, 1, 1]);
  await one.close();
  equal(await two.get("k"), { two: 2 }, "after another bucket was closed");
  await two.close();
  await plain.close();
  const again = await open(name, { bucket: "two", codec: "json" });
  equal(await gathered(again.entries()), [["k", { two: 2 }]]);
  await again.close();
}

export async function countClearAndDeleteMany({ open, fresh }) {
  const db = await open(fresh());
  equal([await db.count(), await db.clear()], [0, 0]);
  await db.setMany(Array.from({ length: 1000 }, (_, at) => [`k${at}`, bytesOf(`${at}`)]));
  await db.set("k5", bytesOf("once more"));
  equal(await db.count(), 1000);
  await db.deleteMany(["k1", "k2", "never was"]);
  equal([await db.count(), await db.has("k1"), await db.has("k2"), await db.has("k3")], [998, false, false, true]);
  equal(await db.clear(), 998);
  equal([await db.count(), await db.get("k5"), await gathered(db.keys())], [0, undefined, []]);
  await db.set("k5", bytesOf("after"));
  equal([await db.count(), await gathered(db.keys())], [1, ["k5"]]);
  await db.close();
}
