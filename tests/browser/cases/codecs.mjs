/** What values look like to the program: bytes, JSON, structured clones, a codec of its own. */

import { bytesOf, equal, fails, gathered, ok, pattern, sameBytes, textOf } from "./expect.mjs";

export async function jsonValuesComeBack({ open, fresh, keeps, TailstoneError }) {
  const name = fresh();
  const values = { text: "größe 键", number: -1.5, yes: true, none: null, list: [1, [2, { three: 3 }]], record: { a: { b: "c" } }, zero: 0, empty: "" };
  let db = await open(name, { codec: "json" });
  await db.setMany(Object.entries(values));
  await db.set("long", Array.from({ length: 20_000 }, (_, at) => at));
  const check = async () => {
    for (const [key, value] of Object.entries(values)) equal(await db.get(key), value, key);
    equal((await db.get("long")).length, 20_000);
    equal(Object.fromEntries(await gathered(db.entries({ limit: 3 }))), { empty: "", list: values.list, long: await db.get("long") });
    equal(await db.getMany(["zero", "missing", "none"]), [0, undefined, null]);
  };
  await check();
  await fails("invalid", () => db.set("k", undefined), TailstoneError);
  await fails("invalid", () => db.set("k", 1n), TailstoneError);
  const circle = {};
  circle.circle = circle;
  await fails("invalid", () => db.set("k", circle), TailstoneError);
  equal(await db.has("k"), false);
  if (keeps) {
    await db.close();
    db = await open(name, { codec: "json" });
    await check();
    const plain = await open(name);
    equal(JSON.parse(textOf(await plain.get("record"))), values.record, "the bytes are JSON");
    await plain.set("no json", bytesOf("{"));
    await fails("corrupt", () => db.get("no json"), TailstoneError);
    equal(await db.get("number"), -1.5, "and the others are read");
    await plain.close();
  }
  await db.close();
}

export async function structuredValuesComeBack({ open, fresh, keeps, TailstoneError }) {
  const name = fresh();
  const shared = { s: 1 };
  const values = {
    date: new Date(1_700_000_000_000),
    map: new Map([["a", 1], ["b", new Map([[2, "two"]])]]),
    bytes: pattern(1000),
    floats: Array.from(new Float64Array([1.5, -0, 1e300])),
    big: 12345678901234567890n,
    nothing: undefined,
    nested: { list: [null, undefined, true, "text", { deep: new Date(0) }] },
    number: 5,
  };
  let db = await open(name, { codec: "structured" });
  for (const [key, value] of Object.entries(values)) await db.set(key, value);
  await db.set("set", new Set([1, "2", 3n]));
  await db.set("twice", [shared, shared]);
  const circle = { name: "circle" };
  circle.self = circle;
  await db.set("circle", circle);
  const check = async () => {
    for (const [key, value] of Object.entries(values)) equal(await db.get(key), value, key);
    const set = await db.get("set");
    ok(set instanceof Set, "a set");
    equal([...set], [1, "2", 3n]);
    ok((await db.get("map")) instanceof Map, "a map");
    ok((await db.get("date")) instanceof Date, "a date");
    sameBytes((await db.get("bytes")), values.bytes);
    const [one, two] = await db.get("twice");
    ok(one === two, "one record twice is one record");
    const round = await db.get("circle");
    ok(round.self === round && round.name === "circle", "a circle");
    equal([await db.has("nothing"), await db.has("missing")], [true, false]);
  };
  await check();
  await fails("invalid", () => db.set("k", () => {}), TailstoneError);
  if (keeps) {
    await db.close();
    db = await open(name, { codec: "structured" });
    await check();
  }
  await db.close();
}

export async function aCodecOfTheCallersOwn({ open, fresh }) {
  const codec = {
    // One that takes its time.
    encode: async (value) => {
      await new Promise((resolve) => setTimeout(resolve, value.length));
      return bytesOf([...value].reverse().join(""));
    },
    decode: (bytes) => [...textOf(bytes)].reverse().join(""),
  };
  const db = await open(fresh(), { codec });
  await db.set("k", "a slow one");
  equal(await db.get("k"), "a slow one");
  await db.set("k", "b");
  await db.setMany([["l", "long text"], ["m", "m"]]);
  equal(await gathered(db.entries()), [["k", "b"], ["l", "long text"], ["m", "m"]]);
  equal(await db.update("m", (old) => `${old}!`), "m!");
  sameBytes(await db.getRange("l", 0, 4), bytesOf("txet"), "ranges are of bytes");
  await db.batch((b) => {
    b.set("n", "in a batch");
    b.delete("l");
  });
  equal(await db.getMany(["l", "n"]), [undefined, "in a batch"]);
  await db.close();
}

export async function whatTheBytesCodecDoesNotTakeIsRefused({ open, fresh, TailstoneError }) {
  const db = await open(fresh());
  for (const value of [undefined, null, "text", 5, { length: 3 }, [1, 2, 3]]) {
    await fails("invalid", () => db.set("k", value), TailstoneError, `set of ${JSON.stringify(value)}`);
  }
  for (const key of [undefined, null, 5, ["k"]]) {
    await fails("invalid", () => db.set(key, bytesOf("v")), TailstoneError, `set under ${JSON.stringify(key)}`);
    await fails("invalid", () => db.get(key), TailstoneError, `get of ${JSON.stringify(key)}`);
  }
  equal(await db.count(), 0);
  await db.close();
}
