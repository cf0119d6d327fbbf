/**
 * A guest book: it is signed, and the latest signatures are read.
 *
 * It imports two interfaces of `wasi:keyvalue`, so it runs unchanged on every host that has those. The store is the one that
 * the host grants as `guestbook`. In it lie the number of the last signature, in digits, and each signature as JSON.
 */

import { increment } from "wasi:keyvalue/atomics@0.2.0-draft";
import { open } from "wasi:keyvalue/store@0.2.0-draft";

/** What the host knows the store by. */
const STORE = "guestbook";

/** The key of the last number. */
const LAST = "last";

/** Adds a signature; its number. */
export function sign(name, words) {
  return answer((bucket) => {
    // Nothing comes between the reading and the writing of the number, so no two signatures have the same one.
    const number = increment(bucket, LAST, 1n);
    bucket.set(keyOf(number), new TextEncoder().encode(JSON.stringify({ name, words })));
    return number;
  });
}

/** The last `count` signatures, the latest first. */
export function latest(count) {
  return answer((bucket) => {
    const found = [];
    for (let number = BigInt(read(bucket, LAST) ?? 0); number > 0n && found.length < count; number -= 1n) {
      const signature = read(bucket, keyOf(number));
      // A signature that was refused, as it went past a quota, has left its number without one.
      if (signature !== undefined) found.push(JSON.parse(signature));
    }
    return found;
  });
}

/** What `ask` answers, given the store. What is thrown from here, a sentence, is the caller's `err`. */
function answer(ask) {
  try {
    // The host counts open buckets. This one is given back at the end of the block; the garbage collector would keep it.
    using bucket = open(STORE);
    return ask(bucket);
  } catch (error) {
    throw sentence(error);
  }
}

/** A refusal of the host is the payload of what was thrown. Any other error that left this file would end the instance. */
function sentence(error) {
  switch (error.payload?.tag) {
    case "no-such-store":
      return `there is no store called ${STORE}`;
    case "access-denied":
      return `the store ${STORE} was not granted for this`;
    case "other":
      return error.payload.val;
    default:
      return String(error);
  }
}

function read(bucket, key) {
  const value = bucket.get(key);
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

function keyOf(number) {
  return `signature/${number}`;
}
