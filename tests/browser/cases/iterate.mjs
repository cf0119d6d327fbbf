/** Iteration: by the order of bytes, by prefix, while the store changes. */

import { bytesOf, equal, gathered, ok, pattern, sameBytes, textOf } from "./expect.mjs";

const number = (at) => String(at).padStart(5, "0");

export async function keysComeInTheOrderOfTheirBytes({ open, fresh }) {
  const db = await open(fresh());
  const keys = ["", "B", "a", "a\u0000", "aa", "b", "ä", "z", "～", "𐀀", "键"];
  await Promise.all([...keys].reverse().map((key) => db.set(key, bytesOf(`of ${key}`))));
  const encoded = (key) => Array.from(bytesOf(key), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const sorted = [...keys].sort((a, b) => (encoded(a) < encoded(b) ? -1 : 1));
  equal(await gathered(db.keys()), sorted);
  equal((await gathered(db.values())).map(textOf), sorted.map((key) => `of ${key}`));
  equal((await gathered(db.entries())).map(([key, value]) => [key, textOf(value)]), sorted.map((key) => [key, `of ${key}`]));
  equal(await gathered(db.keys({ prefix: "a" })), ["a", "a\u0000", "aa"]);
  equal(await gathered(db.keys({ prefix: "a", limit: 2 })), ["a", "a\u0000"]);
  equal(await gathered(db.keys({ limit: 1 })), [""]);
  equal(await gathered(db.keys({ limit: 0 })), []);
  equal(await gathered(db.keys({ prefix: "none" })), []);
  equal(await gathered(db.keys({ prefix: bytesOf("ä").subarray(0, 1) })), ["ä"], "a prefix of bytes");
  await db.close();
}

export async function fiveThousandKeysByPrefixWhileOthersChange({ open, fresh }) {
  const db = await open(fresh());
  await db.setMany(Array.from({ length: 5000 }, (_, at) => [`img:${number(at)}`, bytesOf(`${at}`)]));
  await db.setMany(Array.from({ length: 500 }, (_, at) => [`zzz:${number(at)}`, bytesOf("other")]));
  await db.set("aaa", bytesOf("other"));
  const seen = [];
  for await (const [key, value] of db.entries({ prefix: "img:" })) {
    const at = Number(key.slice(4));
    // What was there at the start, is there at the end and was not touched comes, once, with its value.
    if (at % 2 === 0 || !key.endsWith("x")) equal(textOf(value).split(" ")[0], `${at}`, key);
    seen.push(key);
    if (seen.length === 10) await db.deleteMany([`img:${number(5)}`, `img:${number(4001)}`, `img:${number(4999)}`]);
    if (seen.length === 20) await db.set(`img:${number(1)}`, bytesOf("1 rewritten"));
    if (seen.length === 30) await db.set(`img:${number(4500)}x`, bytesOf("NaN"));
    if (seen.length === 1000) await db.compact();
    if (seen.length === 2000) await db.set("zzz:extra", bytesOf("other"));
  }
  equal([...seen].sort(), seen, "in order");
  equal(new Set(seen).size, seen.length, "each once");
  const missing = Array.from({ length: 5000 }, (_, at) => `img:${number(at)}`).filter((key) => !seen.includes(key));
  ok(missing.every((key) => ["img:04001", "img:04999"].includes(key)), `not seen: ${missing.slice(0, 10)}`);
  equal((await gathered(db.keys({ prefix: "img:" }))).length, 4998);
  equal(await db.count(), 4998 + 502);
  await db.close();
}

export async function entriesBringValuesOfAllLengths({ open, fresh }) {
  const db = await open(fresh());
  const lengths = [0, 1, 16_384, 16_385, 100_000, 3 << 20, 10, 20_000];
  await Promise.all(lengths.map((length, at) => db.set(`k${at}`, pattern(length))));
  const entries = await gathered(db.entries({ prefix: "k" }));
  equal(entries.map(([key]) => key), lengths.map((_, at) => `k${at}`));
  entries.forEach(([key, value], at) => sameBytes(value, pattern(lengths[at]), key));
  const values = await gathered(db.values({ limit: 5 }));
  values.forEach((value, at) => sameBytes(value, pattern(lengths[at]), `value ${at}`));
  equal(values.length, 5);
  await db.close();
}

export async function iterationStopsWhenTheCallerDoes({ open, fresh }) {
  const db = await open(fresh());
  await db.setMany(Array.from({ length: 3000 }, (_, at) => [number(at), bytesOf("v")]));
  let count = 0;
  for await (const key of db.keys()) {
    equal(key, number(count));
    if (++count === 1500) break;
  }
  equal(await db.count(), 3000);
  // Two at a time do not disturb each other.
  const [one, two] = [db.keys(), db.keys({ prefix: "02" })];
  for (let at = 0; at < 900; at++) {
    equal((await one.next()).value, number(at));
    equal((await two.next()).value, number(2000 + at));
  }
  await one.return();
  equal((await gathered(two)).length, 100);
  await db.close();
}
