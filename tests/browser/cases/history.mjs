/** Versions of a key, values that expire, and being told of changes. */

import { bytesOf, equal, fails, gathered, ok, pattern, pause, sameBytes, textOf, until } from "./expect.mjs";

export async function historyShowsEveryVersionNewestFirst({ open, fresh }) {
  const db = await open(fresh());
  await db.set("k", bytesOf("one"));
  await db.set("other", bytesOf("other"));
  await db.set("k", pattern(100_000));
  await db.delete("k");
  await db.set("k", bytesOf("three!"));
  const history = await db.history("k");
  equal(history.map(({ size, deleted }) => [size, deleted]), [[6, false], [0, true], [100_000, false], [3, false]]);
  const versions = history.map(({ version }) => version);
  equal([...versions].sort((a, b) => b - a), versions, "newest first");
  equal(textOf(await db.getVersion("k", versions[0])), "three!");
  equal(await db.getVersion("k", versions[1]), undefined, "when it was deleted");
  sameBytes(await db.getVersion("k", versions[2]), pattern(100_000));
  equal(textOf(await db.getVersion("k", versions[3])), "one");
  equal((await db.history("k", 2)).map(({ version }) => version), versions.slice(0, 2));
  equal([await db.history("never was"), await db.history("k", 0)], [[], []]);
  await db.compact();
  equal((await db.history("k")).map(({ size, deleted }) => [size, deleted]), [[6, false]], "what compaction leaves");
  await db.close();
}

export async function historySpeaksTheCodec({ open, fresh }) {
  const db = await open(fresh(), { codec: "json" });
  await db.set("k", { n: 1 });
  await db.set("k", { n: 2 });
  const [newest, oldest] = await db.history("k");
  equal([await db.getVersion("k", newest.version), await db.getVersion("k", oldest.version)], [{ n: 2 }, { n: 1 }]);
  await db.close();
}

export async function whatHasExpiredIsGone({ open, fresh, keeps, TailstoneError }) {
  const name = fresh();
  let db = await open(name);
  await db.set("soon", bytesOf("v"), { ttl: 1 });
  await db.set("soon and large", pattern(200_000), { ttl: 1 });
  await db.set("later", bytesOf("v"), { ttl: 3_600_000 });
  await db.set("later and large", pattern(200_000), { ttl: 3_600_000 });
  await db.set("soon but set again", bytesOf("v"), { ttl: 1 });
  await db.set("soon but set again", bytesOf("stays"));
  await pause(20);
  const check = async () => {
    equal([await db.get("soon"), await db.has("soon"), await db.size("soon"), await db.get("soon and large")], [undefined, false, undefined, undefined]);
    equal((await db.getMany(["soon", "later", "soon but set again"])).map(textOf), [undefined, "v", "stays"]);
    equal(await gathered(db.keys()), ["later", "later and large", "soon but set again"]);
    equal(await db.count(), 3);
    sameBytes(await db.get("later and large"), pattern(200_000));
  };
  await check();
  await db.compact();
  await check();
  if (keeps) {
    await db.close();
    db = await open(name);
    await check();
  }
  equal(await db.delete("soon"), false);
  for (const ttl of [-1, Number.NaN]) await fails("invalid", () => db.set("k", bytesOf("v"), { ttl }), TailstoneError, `ttl ${ttl}`);
  await db.close();
}

export async function watchersAreToldOfWhatTheyWatch({ open, fresh }) {
  const db = await open(fresh());
  const [images, all] = [[], []];
  const stop = db.watch("img:", ({ type, key }) => images.push([type, key]));
  const stopAll = db.watch("", ({ type, key }) => all.push([type, key]));
  await db.set("img:1", bytesOf("a"));
  await db.set("doc:1", bytesOf("b"));
  await db.setMany([["img:2", bytesOf("c")], ["doc:2", bytesOf("d")]]);
  await db.batch((b) => {
    b.delete("img:1");
    b.set("img:3", bytesOf("e"));
  });
  await db.update("img:2", () => bytesOf("f"));
  await db.putStream("img:large", new Blob([pattern(2 << 20)]));
  await db.delete("never was");
  await db.clear();
  await db.set("doc:last", bytesOf("g"));
  await until(() => all.some(([, key]) => key === "doc:last"), "the last event");
  equal(images, [
    ["set", "img:1"], ["set", "img:2"], ["delete", "img:1"], ["set", "img:3"], ["set", "img:2"], ["set", "img:large"], ["clear", undefined],
  ]);
  equal(all.filter(([, key]) => !key?.startsWith("img:")), [
    ["set", "doc:1"], ["set", "doc:2"], ["clear", undefined], ["set", "doc:last"],
  ]);
  stop();
  stop();
  await db.set("img:after", bytesOf("h"));
  await until(() => all.some(([, key]) => key === "img:after"), "the other watcher's event");
  equal(images.length, 7, "after it was stopped");
  stopAll();
  await db.close();
}

export async function watchersHearOfTheirBucketAlone({ open, fresh, keeps }) {
  if (!keeps) return;
  const name = fresh();
  const [one, two] = [await open(name, { bucket: "one" }), await open(name, { bucket: "two" })];
  const [ofOne, ofTwo] = [[], []];
  one.watch("", ({ type, key }) => ofOne.push([type, key]));
  two.watch("k", ({ type, key }) => ofTwo.push([type, key]));
  await one.set("k1", bytesOf("1"));
  await two.set("k2", bytesOf("2"));
  await one.delete("k1");
  await two.set("k3", bytesOf("3"));
  await until(() => ofTwo.length >= 2 && ofOne.length >= 2);
  equal([ofOne, ofTwo], [[["set", "k1"], ["delete", "k1"]], [["set", "k2"], ["set", "k3"]]]);
  await one.close();
  await two.close();
}
