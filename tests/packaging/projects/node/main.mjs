/** Stores and reads back, in one run or in two: `main.mjs FILE` counts its runs in the store at that path. */

import assert from "node:assert/strict";
import { open, TailstoneError } from "tailstone";
import { createStore, get, set, TailstoneError as ThatOfKeyval } from "tailstone/keyval";
import { open as openMemory, TailstoneError as SameError } from "tailstone/memory";

assert.equal(TailstoneError, SameError, "one class, from whichever entry it comes");
assert.equal(TailstoneError, ThatOfKeyval, "one class, from whichever entry it comes");

const path = process.argv[2];
const db = await open(path, { codec: "json" });
assert.equal(db.backend, "file");
const count = ((await db.get("count")) ?? 0) + 1;
await db.set("count", count);
await db.close();

const beside = createStore(`${path}.keyval`, "counts");
assert.equal((await get("count", beside)) ?? 0, count - 1);
await set("count", count, beside);

const memory = await openMemory("beside");
assert.equal(memory.backend, "memory");
await memory.set("k", new Uint8Array([1, 2, 3]));
assert.deepEqual(await memory.get("k"), new Uint8Array([1, 2, 3]));
await memory.close();

console.log(`count ${count}`);
