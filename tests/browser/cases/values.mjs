/** Single values: every length, every key, the order of calls, and whose buffers are whose. */

import { bytesOf, equal, fails, ok, pattern, sameBytes, textOf } from "./expect.mjs";

/** Around the lengths where bytes change the way they travel. */
const LENGTHS = [
  0, 1, 2, 63, 64, 65, 4095, 4096, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537,
  (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (4 << 20) + 1, 5 << 20,
];

export async function valuesOfEveryLengthComeBack({ open, fresh, keeps }) {
  const name = fresh();
  let db = await open(name);
  await Promise.all(LENGTHS.map((length) => db.set(`v${length}`, pattern(length))));
  const check = async () => {
    // Together, alone, and as ranges: three ways out.
    const together = await Promise.all(LENGTHS.map((length) => db.get(`v${length}`)));
    const many = await db.getMany(LENGTHS.map((length) => `v${length}`));
    for (const [at, length] of LENGTHS.entries()) {
      const expected = pattern(length);
      sameBytes(together[at], expected, `${length} bytes, asked for with others`);
      sameBytes(many[at], expected, `${length} bytes, by getMany`);
      sameBytes(await db.get(`v${length}`), expected, `${length} bytes, asked for alone`);
      equal(await db.size(`v${length}`), length, "size");
    }
  };
  await check();
  await db.flush();
  await check();
  if (keeps) {
    await db.close();
    db = await open(name);
    await check();
  }
  await db.close();
}

export async function whatIsSetIsThereAndWhatIsDeletedIsNot({ open, fresh }) {
  const db = await open(fresh());
  await db.set("a", bytesOf("1"));
  await db.set("a", bytesOf("2"));
  await db.set("b", bytesOf("3"));
  equal(textOf(await db.get("a")), "2");
  equal([await db.has("a"), await db.has("c")], [true, false]);
  equal([await db.size("b"), await db.size("c"), await db.get("c")], [1, undefined, undefined]);
  equal([await db.delete("a"), await db.delete("a"), await db.delete("c")], [true, false, false]);
  equal([await db.get("a"), await db.has("a"), await db.size("a")], [undefined, false, undefined]);
  await db.set("a", bytesOf("again"));
  equal(textOf(await db.get("a")), "again");
  await db.close();
}

export async function callsOfOneTurnAreCarriedOutInTheirOrder({ open, fresh }) {
  const db = await open(fresh());
  const bytes = bytesOf("first");
  const set = db.set("k", bytes);
  // The caller may do with its buffer what it likes once the call has returned.
  bytes.fill(0);
  const results = await Promise.all([
    set,
    db.get("k"),
    db.set("k", bytesOf("second")),
    db.set("l", pattern(100_000)),
    db.get("k"),
    db.has("l"),
    db.setMany([["k", bytesOf("third")], ["m", bytesOf("m")]]),
    db.getMany(["k", "m", "none"]).then((values) => values.map(textOf)),
    db.delete("k"),
    db.get("k"),
    db.has("k"),
    db.size("l"),
    db.delete("k"),
  ]);
  equal(
    results.map((result) => (result instanceof Uint8Array ? textOf(result) : result)),
    [undefined, "first", undefined, undefined, "second", true, undefined, ["third", "m", undefined], true, undefined, false, 100_000, false],
  );
  await db.close();
}

export async function whatAGetReturnsBelongsToTheCaller({ open, fresh }) {
  const db = await open(fresh());
  for (const length of [10, 16_384, 16_385, 2 << 20]) {
    await db.set("k", pattern(length));
    const [one, two] = await Promise.all([db.get("k"), db.get("k")]);
    one.fill(0);
    sameBytes(two, pattern(length), "the other one's bytes");
    two.fill(0);
    sameBytes(await db.get("k"), pattern(length), "the stored bytes");
    // Whoever keeps a small value does not keep a large buffer alive with it.
    ok(one.buffer.byteLength <= Math.max(2 * length, 65_536), `${length} bytes came in a buffer of ${one.buffer.byteLength}`);
  }
  const given = pattern(3 << 20);
  await db.set("large", given);
  sameBytes(given, pattern(3 << 20), "what the caller gave, which stays the caller's");
  const part = pattern(100_000).subarray(500, 90_000);
  await db.set("part", part);
  sameBytes(await db.get("part"), part, "a part of a buffer");
  await db.close();
}

export async function keysAreAnyTextAndAnyBytes({ open, fresh, keeps }) {
  const name = fresh();
  const keys = [
    "", "a", "schlüssel", "键", "🗝️ emoji", "a/b/../c", "\u0000", "\u0000\u0000", "x".repeat(65_536), "ü".repeat(32_768),
    new Uint8Array([0xff, 0xfe]), new Uint8Array([0xff]), new Uint8Array([0, 1]), pattern(65_536),
  ];
  let db = await open(name);
  await Promise.all(keys.map((key, at) => db.set(key, bytesOf(`value ${at}`))));
  const check = async () => {
    const values = await Promise.all(keys.map(async (key) => textOf(await db.get(key))));
    equal(values, keys.map((_, at) => `value ${at}`));
    equal(await db.count(), keys.length, "count");
  };
  await check();
  equal(textOf(await db.get(bytesOf("schlüssel"))), "value 2", "text is its UTF-8 bytes");
  equal(textOf(await db.get(bytesOf(""))), "value 0", "no bytes are the empty text");
  if (keeps) {
    await db.close();
    db = await open(name);
    await check();
  }
  await db.close();
}

export async function keysThatAreTooLongAreRefusedAndNothingElse({ open, fresh, TailstoneError }) {
  const db = await open(fresh());
  const long = "x".repeat(65_537);
  const codes = await Promise.all([
    db.set("before", bytesOf("x")).then(() => "done"),
    fails("invalid", () => db.set(long, bytesOf("x")), TailstoneError),
    fails("invalid", () => db.set(pattern(65_537), bytesOf("x")), TailstoneError),
    fails("invalid", () => db.get(long), TailstoneError),
    fails("invalid", () => db.delete("ü".repeat(32_769)), TailstoneError),
    fails("invalid", () => db.setMany([["with it", bytesOf("x")], [long, bytesOf("x")]]), TailstoneError),
    fails("invalid", () => db.putStream(long, new Blob(["x"])), TailstoneError),
    db.set("behind", bytesOf("y")).then(() => "done"),
  ]);
  equal([codes[0], codes.at(-1)], ["done", "done"]);
  equal([await db.has("before"), await db.has("behind"), await db.has("with it"), await db.count()], [true, true, false, 2]);
  await db.close();
}

export async function rangesReadWhatTheySay({ open, fresh, TailstoneError }) {
  const db = await open(fresh());
  const value = pattern(3_000_000);
  await db.set("k", value);
  await db.set("empty", new Uint8Array(0));
  const check = async (offset, length) =>
    sameBytes(await db.getRange("k", offset, length), value.subarray(offset, offset + length), `${length} bytes at ${offset}`);
  for (const settled of [false, true]) {
    if (settled) await db.flush();
    await check(0, 3);
    await check(5, 0);
    await check(1, 50_000);
    await check(16_383, 16_385);
    await check(2_999_998, 10);
    await check(0, 3_000_000);
    await check(1_000_000, 2 ** 40);
    await check(3_000_000, 10);
  }
  sameBytes(await db.getRange("k", 2 ** 52, 10), new Uint8Array(0), "far behind the end");
  sameBytes(await db.getRange("empty", 0, 10), new Uint8Array(0), "of nothing");
  equal(await db.getRange("missing", 0, 1), undefined);
  for (const [offset, length] of [[-1, 1], [0, -1], [0, 0.5], [0.5, 1], [Number.NaN, 1], [0, Number.POSITIVE_INFINITY]]) {
    await fails("invalid", () => db.getRange("k", offset, length), TailstoneError, `getRange of ${length} at ${offset}`);
  }
  await db.close();
}
