/** Random values for the codec, and what may become of their bytes. */

import { randomText } from "./random.mjs";

const NUMBERS = [0, -0, 1, -1, 127, 128, -128, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e300, -0.5, NaN, Infinity, -Infinity];
const VIEWS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint32Array, Float64Array, BigInt64Array, DataView];

/** A value of any type, nested, with objects that come again and cycles. */
export function randomValue(rng) {
  const seen = [];
  const keep = (object) => {
    seen.push(object);
    return object;
  };
  const { below, pick, random } = rng;
  const text = () => randomText(rng);
  const count = () => pick([0, 1, 2, 3, 10]);

  const leaf = () =>
    pick([
      () => undefined,
      () => null,
      () => random() < 0.5,
      () => pick(NUMBERS),
      () => below(100_000) - 50_000,
      () => random(),
      text,
      () => BigInt(below(2 ** 32)) ** BigInt(below(9)) * pick([1n, -1n]),
      () => keep(new Date(pick([0, -1, below(2 ** 32) * 1000]))),
      () => keep(new RegExp(pick(["a", "[/]", "\\n", "é"]), pick(["", "g", "gi"]))),
      () => keep(Object(pick([1, "x", true, 5n]))),
      () => keep(new (pick([Error, TypeError]))(text(), pick([undefined, { cause: below(9) }]))),
      () => keep(new ArrayBuffer(below(9))),
      () => keep(new (pick(VIEWS))(Uint8Array.from({ length: 16 }, () => below(256)).buffer, pick([0, 8]))),
      () => (seen.length > 0 ? pick(seen) : null),
    ])();

  const value = (depth) => {
    if (depth === 0 || random() < 0.4) return leaf();
    const inner = () => value(depth - 1);
    switch (below(5)) {
      case 0: {
        const object = keep({});
        for (let left = count(); left > 0; left--) object[pick([text(), "a", "b", "3"])] = inner();
        return object;
      }
      case 1: {
        const list = keep([]);
        for (let left = count(); left > 0; left--) list.push(inner());
        return list;
      }
      case 2: {
        const list = keep([]);
        list.length = below(2000);
        for (let left = count(); left > 0; left--) list[pick([below(2000), `name${left}`])] = inner();
        return list;
      }
      case 3: {
        const map = keep(new Map());
        for (let left = count(); left > 0; left--) map.set(inner(), inner());
        return map;
      }
      default: {
        const set = keep(new Set());
        for (let left = count(); left > 0; left--) set.add(inner());
        return set;
      }
    }
  };
  return value(4);
}

/** Bytes near `bytes`: a few changed, a part missing, a part twice; and some that are random from the second on. */
export function mutate({ below, random }, bytes) {
  const changed = bytes.slice();
  for (let left = 1 + below(4); left > 0; left--) changed[below(changed.length)] = below(256);
  const from = below(bytes.length);
  const to = from + below(bytes.length - from);
  const missing = Uint8Array.of(...bytes.subarray(0, from), ...bytes.subarray(to));
  const twice = Uint8Array.of(...bytes.subarray(0, to), ...bytes.subarray(from));
  const noise = Uint8Array.from({ length: 1 + below(40) }, (_, i) => (i === 0 ? 1 : below(random() < 0.5 ? 48 : 256)));
  return [changed, missing, twice, noise];
}
