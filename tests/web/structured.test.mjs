/** The codec `structured` carries what `structuredClone` does, the same bytes for ever, and believes no bytes. */

import assert from "node:assert/strict";
import { Blob, File } from "node:buffer";
import { test } from "node:test";
import { inspect, isDeepStrictEqual } from "node:util";
import { tailstone } from "./bundle.mjs";
import { generator, newSeed } from "./random.mjs";
import { mutate, randomValue } from "./values.mjs";

// Node 20 has it, but not everywhere.
globalThis.File ??= File;

const { structured, TailstoneError } = tailstone;

const corrupt = { name: "TailstoneError", code: "corrupt" };
const invalid = { name: "TailstoneError", code: "invalid" };

class Named {
  size = 3;
  get [Symbol.toStringTag]() {
    return "Named";
  }
}

const pair = new Uint16Array([1, 2, 3, 65535]);
const withName = Object.assign([1, 2], { name: "x" });
const holes = [1, , 3];
holes.length = 7;
const swapped = [1, , 3];
swapped.name = "as many values as elements";
const far = [];
far[2 ** 32 - 2] = "last";
const noMessage = new Error();
const withCause = new RangeError("outer", { cause: { inner: new TypeError("inner") } });

/** Every type, each with the bytes that it has had since version 1: hexadecimal, or nothing where they depend on more. */
const TABLE = {
  undefined: [undefined, "0101"],
  null: [null, "0102"],
  false: [false, "0103"],
  true: [true, "0104"],
  zero: [0, "0180"],
  "minus zero": [-0, "01070000000000000080"],
  127: [127, "01ff"],
  128: [128, "01058001"],
  "-1": [-1, "010601"],
  "largest whole number": [Number.MAX_SAFE_INTEGER, "0105ffffffffffffff0f"],
  "smallest whole number": [Number.MIN_SAFE_INTEGER, "0106ffffffffffffff0f"],
  "2^53": [2 ** 53, "01070000000000004043"],
  "2^31": [2 ** 31, "01058080808008"],
  fraction: [1.5, "0107000000000000f83f"],
  NaN: [NaN, "0107000000000000f87f"],
  Infinity: [Infinity, "0107000000000000f07f"],
  "-Infinity": [-Infinity, "0107000000000000f0ff"],
  "bigint 0": [0n, "01084130"],
  bigint: [2n ** 70n - 1n, `010852${"33"}${"66".repeat(17)}`],
  "negative bigint": [-255n, "0108432d6666"],
  "empty string": ["", "0140"],
  string: ["key", "01436b6579"],
  "63 letters": ["x".repeat(63), `017f${"78".repeat(63)}`],
  "64 letters": ["x".repeat(64), `010940${"78".repeat(64)}`],
  NUL: ["\0", "014100"],
  umlaut: ["ü", "010902c3bc"],
  "byte order mark": ["\ufeffa", "010904efbbbf61"],
  emoji: ["🜁", "010904f09f9c81"],
  "lone surrogate": ["a\ud800", "010a4922615c756438303022"],
  "long text": ["漢字".repeat(500)],
  "long text with a lone surrogate": [`${"漢字".repeat(500)}\udfff`],
  object: [{ a: 1 }, "010d41618100"],
  "empty object": [{}, "010d00"],
  "object without prototype": [Object.assign(Object.create(null), { a: 1 }), "010d41618100"],
  "name __proto__": [JSON.parse('{"__proto__":{"a":1}}'), "010d495f5f70726f746f5f5f0d4161810000"],
  "number-like names": [{ 2: "b", 1: "a", length: 3 }],
  "instance of a class": [new (class A { x = 1; #y = 2; get z() { return this.#y; } })()],
  "instance of a class with a tag": [new Named()],
  array: [[1, "a", undefined], "010e0381416101"],
  "empty array": [[], "010e00"],
  holes: [holes, "010c0741308141328300"],
  "as many values as elements": [swapped],
  "array with names": [withName, "010c02413081413182446e616d65417800"],
  "far element": [far],
  match: ["abc".match(/b(?<rest>.)/)],
  Date: [new Date(1e12), "010f0580a094a58d1d"],
  "boxed boolean": [new Boolean(false), "011003"],
  "boxed number": [new Number(-0), "0111070000000000000080"],
  "boxed string": [new String("s"), "01124173"],
  "boxed bigint": [Object(1n), "0113084131"],
  Map: [new Map([["a", 1], [{}, new Map()]]), "01144161810d00140000"],
  Set: [new Set([1, "a"]), "011581416100"],
  RegExp: [/a\/[b]/giu, "011646615c2f5b625d43676975"],
  Error: [new Error("m")],
  "Error without message": [noMessage],
  "Error with cause": [withCause],
  "Error whose cause is undefined": [new Error("m", { cause: undefined })],
  "Error whose message is no string": [Object.assign(new Error(), { message: 5 })],
  TypeError: [new TypeError("m")],
  RangeError: [new RangeError("m")],
  SyntaxError: [new SyntaxError("m")],
  ReferenceError: [new ReferenceError("m")],
  EvalError: [new EvalError("m")],
  URIError: [new URIError("m")],
  "Error of a class": [new (class MyError extends Error { code = 7; name = "MyError"; })("m")],
  ArrayBuffer: [new Uint8Array([1, 2]).buffer, "0121020102"],
  "empty ArrayBuffer": [new ArrayBuffer(0), "012100"],
  DataView: [new DataView(pair.buffer, 2, 3), "012203020003"],
  Int8Array: [Int8Array.of(-1, 2), "012302ff02"],
  Uint8Array: [Uint8Array.of(1, 2), "0124020102"],
  Uint8ClampedArray: [Uint8ClampedArray.of(1, 2), "0125020102"],
  Int16Array: [Int16Array.of(-2), "012602feff"],
  Uint16Array: [pair.subarray(1, 3), "01270402000300"],
  Int32Array: [Int32Array.of(1), "01280401000000"],
  Uint32Array: [Uint32Array.of(1), "01290401000000"],
  Float32Array: [Float32Array.of(1), "012a040000803f"],
  Float64Array: [Float64Array.of(-0), "012b080000000000000080"],
  BigInt64Array: [BigInt64Array.of(-1n), "012c08ffffffffffffffff"],
  BigUint64Array: [BigUint64Array.of(1n), "012d080100000000000000"],
  Buffer: [Buffer.from("ab")],
};

for (const [name, [value, hex]] of Object.entries(TABLE)) {
  test(`carries: ${name}`, () => {
    const bytes = structured.encode(value);
    if (hex) assert.equal(Buffer.from(bytes).toString("hex"), hex);
    assert.equal(bytes.byteLength, bytes.buffer.byteLength, "the bytes own their buffer");
    const back = structured.decode(bytes);
    assertSame(back, structuredClone(value));
    // Bytes may lie anywhere in a buffer, and what is made of them shares none of it.
    const within = new Uint8Array(bytes.length + 6).subarray(3, 3 + bytes.length);
    within.set(bytes);
    const second = structured.decode(within);
    within.fill(0xee);
    assertSame(second, back);
  });
}

/** Equal as values, and of the same prototypes and properties. */
function assertSame(actual, expected) {
  assert.ok(isDeepStrictEqual(actual, expected), `${inspect(actual)} is not ${inspect(expected)}`);
  if (typeof actual !== "object" || actual === null) return;
  assert.equal(Object.getPrototypeOf(actual), Object.getPrototypeOf(expected));
  if (actual instanceof Error) {
    assert.deepEqual(Object.getOwnPropertyDescriptors(actual), Object.getOwnPropertyDescriptors(expected));
  }
  if (Array.isArray(actual)) assert.deepEqual(Object.keys(actual), Object.keys(expected));
}

test("objects that come again are the same object, through every kind that holds some", () => {
  const shared = { n: 1 };
  const value = { shared, list: [shared, new Date(1), shared], map: new Map([[shared, 1]]), set: new Set() };
  value.self = value;
  value.list.push(value.list);
  value.map.set("map", value.map);
  value.set.add(value.set);
  value.sparse = Object.assign([], { 5: value });
  value.error = new Error("e");
  value.error.cause = value.error;
  value.blank = [/x/, new Uint8Array(1), new Number(1), shared];
  const back = structured.decode(structured.encode(value));
  assert.equal(back.self, back);
  assert.equal(back.list[0], back.shared);
  assert.equal(back.list[2], back.shared);
  assert.equal(back.list[3], back.list);
  assert.equal([...back.map.keys()][0], back.shared);
  assert.equal(back.map.get("map"), back.map);
  assert.ok(back.set.has(back.set));
  assert.equal(back.sparse[5], back);
  assert.equal(back.error.cause, back.error);
  assert.equal(back.blank[3], back.shared);
});

test("a Date without a time stays one", () => {
  const bytes = structured.encode(new Date(NaN));
  assert.equal(Buffer.from(bytes).toString("hex"), "010f07000000000000f87f");
  const back = structured.decode(bytes);
  assert.ok(back instanceof Date && Number.isNaN(back.getTime()));
});

test("an Error without a stack is one with the reader's, or none", () => {
  const error = new Error("m");
  error.stack = undefined;
  const bytes = structured.encode(error);
  assert.equal(Buffer.from(bytes).toString("hex"), "0118416d0000");
  assert.notEqual(structured.decode(bytes).stack, "undefined");
});

test("a DOMException keeps its name and message", () => {
  const back = structured.decode(structured.encode(new DOMException("gone", "AbortError")));
  assert.ok(back instanceof DOMException);
  assert.deepEqual([back.name, back.message, back.code], ["AbortError", "gone", 20]);
});

test("only Blobs make it wait; they come back with their types, and once if they are one", async () => {
  const blob = new Blob(["some ", "text"], { type: "text/plain" });
  const file = new File([Uint8Array.of(1, 2, 3)], "näme.bin", { type: "a/b", lastModified: 12345 });
  const value = { before: 1, list: [blob, file, blob], empty: new Blob([]), after: "x".repeat(70_000), date: new Date(5) };
  const promise = structured.encode(value);
  assert.ok(promise instanceof Promise);
  value.before = "changed meanwhile";
  value.list.length = 0;
  const bytes = await promise;
  const back = structured.decode(bytes);
  assert.equal(back.before, 1);
  const [first, second, third] = back.list;
  assert.equal(first, third);
  assert.ok(first instanceof Blob && !(first instanceof File));
  assert.deepEqual([first.type, await first.text()], ["text/plain", "some text"]);
  assert.ok(second instanceof File);
  assert.deepEqual([second.name, second.type, second.lastModified], ["näme.bin", "a/b", 12345]);
  assert.deepEqual(new Uint8Array(await second.arrayBuffer()), Uint8Array.of(1, 2, 3));
  assert.equal(back.empty.size, 0);
  assert.deepEqual([back.after, back.date], [value.after, value.date]);
  const alone = await structured.encode(new Blob(["a"], { type: "t" }));
  assert.equal(Buffer.from(alone).toString("hex"), "011f41740161");
  for (let end = 0; end < alone.length; end++) assert.throws(() => structured.decode(alone.subarray(0, end)), corrupt);
});

test("a Blob that cannot be read fails with io", async () => {
  const blob = new Blob(["text"]);
  // Every way that reads it fails, as for a file that has changed.
  const { arrayBuffer } = Blob.prototype;
  Blob.prototype.arrayBuffer = async () => {
    throw new DOMException("changed", "NotReadableError");
  };
  try {
    await assert.rejects(structured.encode([blob]), (error) => error.code === "io" && error.cause.name === "NotReadableError");
  } finally {
    Blob.prototype.arrayBuffer = arrayBuffer;
  }
});

const REFUSED = {
  "a function": () => 1,
  "a symbol": Symbol("s"),
  "a boxed symbol": Object(Symbol("s")),
  "a class": class {},
  "a Promise": Promise.resolve(),
  "a WeakMap": new WeakMap(),
  "a generator": (function* () {})(),
  "a buffer that is shared": new SharedArrayBuffer(1),
  "a port": new MessageChannel().port1,
  "a key": (await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"])),
};
REFUSED["a port"].close();

for (const [name, value] of Object.entries(REFUSED)) {
  test(`refuses ${name}, wherever it is`, () => {
    for (const whole of [value, { value }, [value], new Map([[value, 1]]), new Set([value])]) {
      assert.throws(
        () => structured.encode(whole),
        (error) => {
          assert.ok(error instanceof TailstoneError);
          assert.equal(error.code, "invalid");
          assert.equal(error.cause.name, "DataCloneError");
          return true;
        },
      );
    }
    // What was written before it is forgotten.
    assert.deepEqual([...structured.encode({ a: 1 })], [1, 13, 0x41, 0x61, 0x81, 0]);
  });
}

test("refuses what cannot be read: detached buffers, getters that throw, names of kinds that it has not", () => {
  const detached = new Uint8Array(4);
  structuredClone(detached, { transfer: [detached.buffer] });
  assert.throws(() => structured.encode(detached), invalid);
  assert.throws(() => structured.encode(detached.buffer), invalid);
  const cause = new Error("mine");
  const thrower = { get x() { throw cause; } };
  assert.throws(() => structured.encode(thrower), { ...invalid, cause });
  assert.throws(() => structured.encode({ [Symbol.toStringTag]: "Map", __proto__: class {}.prototype }), invalid);
});

test("nests 1,000 objects, and not one more", () => {
  const nested = (depth) => Array.from({ length: depth }).reduce((inner) => [inner], 0);
  const deep = structured.encode(nested(1000));
  assert.ok(isDeepStrictEqual(structured.decode(deep), nested(1000)));
  assert.throws(() => structured.encode(nested(1001)), invalid);
  assert.throws(() => structured.encode(nested(100_000)), invalid);
  const one = Uint8Array.of(1, ...Array.from({ length: 1001 }, () => [14, 1]).flat(), 0x80);
  assert.throws(() => structured.decode(one), corrupt);
  const million = new Uint8Array(2_000_001).fill(1);
  for (let at = 1; at < million.length; at += 2) million[at] = 14;
  assert.throws(() => structured.decode(million), corrupt);
});

test("a getter may encode meanwhile, with and without a failure", () => {
  const inner = structured.encode({ inner: "x".repeat(1000), list: [1] });
  const large = "y".repeat(200_000);
  const value = {
    first: 1,
    get large() {
      return structured.encode(large).length;
    },
    get second() {
      assert.throws(() => structured.encode([[() => 1]]), invalid);
      return structured.encode({ inner: "x".repeat(1000), list: [1] });
    },
    third: 3,
  };
  value.self = value;
  const back = structured.decode(structured.encode(value));
  assert.deepEqual([back.first, back.large, back.second, back.third], [1, 200_005, inner, 3]);
  assert.equal(back.self, back);
});

test("random values come back, as from structuredClone", (t) => {
  const rng = generator(newSeed(t));
  for (let round = 0; round < 400; round++) {
    const value = randomValue(rng);
    const back = structured.decode(structured.encode(value));
    assert.ok(isDeepStrictEqual(back, structuredClone(value)), inspect(value, { depth: 9 }));
  }
});

test("bytes cut short, changed, or random are corrupt or a value: nothing else, and soon", (t) => {
  const rng = generator(newSeed(t));
  let refused = 0;
  for (let round = 0; round < 400; round++) {
    const bytes = structured.encode(randomValue(rng));
    for (const hostile of mutate(rng, bytes)) {
      try {
        structured.decode(hostile);
      } catch (error) {
        assert.ok(error instanceof TailstoneError && error.code === "corrupt", inspect(error));
        refused++;
      }
    }
    assert.throws(() => structured.decode(bytes.subarray(0, rng.below(bytes.length))), corrupt);
    assert.throws(() => structured.decode(Uint8Array.of(...bytes, 0x80)), corrupt);
  }
  assert.ok(refused > 400);
});

test("lengths without their bytes take no memory, and tags without meaning none of it", () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  for (const tag of [8, 9, 10, 11, 12, 14, 31, 32, 33, 36]) {
    assert.throws(() => structured.decode(Uint8Array.of(1, tag, ...huge)), corrupt, `tag ${tag}`);
    assert.throws(() => structured.decode(Uint8Array.of(1, tag)), corrupt, `tag ${tag}`);
  }
  for (let tag = 47; tag < 0x40; tag++) assert.throws(() => structured.decode(Uint8Array.of(1, tag, 0)), corrupt);
  assert.throws(() => structured.decode(Uint8Array.of(1, 0)), corrupt);
  assert.throws(() => structured.decode(Uint8Array.of(1, 14, 1, 0)), corrupt);
  for (const version of [0, 2, 255]) assert.throws(() => structured.decode(Uint8Array.of(version, 0x80)), corrupt);
  assert.throws(() => structured.decode(new Uint8Array(0)), corrupt);
  assert.throws(() => structured.decode(new Uint8Array(1000).fill(0xff)), corrupt);
  // Arrays of nothing but holes, by the thousand: each is a few bytes, though some engines would reserve 128 MiB for one.
  for (const [length, ...groups] of [[2 ** 32 - 1, 0xff, 0xff, 0xff, 0xff, 0x0f], [2 ** 24, 0x80, 0x80, 0x80, 0x08]]) {
    const holes = Array.from({ length: 1000 }, () => [12, ...groups, 0]).flat();
    const many = structured.decode(Uint8Array.of(1, 14, 0xe8, 0x07, ...holes));
    assert.ok(many.length === 1000 && many.every((array) => array.length === length));
  }
  for (const text of [[0x41, 0xff], [0x42, 0xc3, 0x28], [9, 3, 0xed, 0xa0, 0x80]]) {
    assert.throws(() => structured.decode(Uint8Array.of(1, ...text)), corrupt, "not UTF-8");
  }
  // An array's length cannot come as one of its names, nor a prototype as a property.
  const length = Uint8Array.of(1, 12, 1, 0x46, ...Buffer.from("length"), 0x85, 0);
  assert.throws(() => structured.decode(length), corrupt);
  const proto = structured.decode(structured.encode(JSON.parse('{"__proto__":{"admin":true}}')));
  assert.equal(Object.getPrototypeOf(proto), Object.prototype);
  assert.equal(proto.admin, undefined);
});
