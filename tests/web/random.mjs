/** Randomness that a printed seed brings back. */

/** A seed, from SEED if set, printed when the test fails or not. */
export function newSeed(t) {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`SEED=${seed}`);
  return seed;
}

/** Numbers from 0 to 1, by mulberry32. */
export function generator(seed) {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit) => Math.floor(random() * limit);
  return { random, below, pick: (list) => list[below(list.length)] };
}

/** Text with everything that is hard about text. */
export function randomText({ below, pick }) {
  const parts = ["a", "Z", "\0", "\x7f", "\x80", "é", "漢", "\uffff", "\ufeff", "🜁", "\u{10ffff}", "\ud800", "\udc00"];
  const count = pick([0, 1, 2, 5, 23, 24, 25, 63, 64, 65, 200]);
  const only = below(2) === 0 ? parts.slice(0, 4) : parts;
  return Array.from({ length: count }, () => pick(only)).join("");
}
