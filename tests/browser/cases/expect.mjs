/** What a case holds results against, in a page as in Node; a difference is an error that shows both sides. */

/** Fails unless both are alike: numbers, texts, bytes, and lists and records of such. */
export function equal(actual, expected, what = "the result") {
  const [got, wanted] = [shown(actual), shown(expected)];
  if (got !== wanted) throw new Error(`${what}: ${cut(got)} and not ${cut(wanted)}`);
}

export function ok(condition, what) {
  if (!condition) throw new Error(what);
}

/** Fails unless `call` fails with the package's error and this code; gives the error. */
export async function fails(code, call, TailstoneError, what = String(call)) {
  let error;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  ok(error !== undefined, `${what}: it was carried out, where ${code} was due`);
  ok(error instanceof TailstoneError, `${what}: threw ${error?.stack ?? error}`);
  equal(error.code, code, `${what}: code of "${error.message}"`);
  return error;
}

/** Bytes that tell their place and their value apart from others; the same for one length and seed. */
export function pattern(length, seed = 0) {
  const bytes = new Uint8Array(length);
  const first = (length + seed * 101) | 0;
  for (let at = 0; at < length; at++) bytes[at] = first + Math.imul(at, 31) + Math.imul(at >> 8, 7);
  return bytes;
}

/** Fails unless `actual` is a `Uint8Array` of just these bytes. */
export function sameBytes(actual, expected, what = "the bytes") {
  ok(actual instanceof Uint8Array, `${what}: ${shown(actual)} is no Uint8Array`);
  equal(actual.length, expected.length, `length of ${what}`);
  for (let at = 0; at < expected.length; at++) {
    if (actual[at] !== expected[at]) throw new Error(`${what}: byte ${at} is ${actual[at]} and not ${expected[at]}`);
  }
}

export const bytesOf = (text) => new TextEncoder().encode(text);

export const textOf = (bytes) => (bytes === undefined ? undefined : new TextDecoder("utf-8", { fatal: true }).decode(bytes));

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks until the answer is yes; ten seconds at most. */
export async function until(ask, what = String(ask)) {
  const deadline = Date.now() + 10_000;
  while (!(await ask())) {
    ok(Date.now() < deadline, `never came true: ${what}`);
    await pause(10);
  }
}

/** All that an iterable gives. */
export async function gathered(iterable) {
  const all = [];
  for await (const item of iterable) all.push(item);
  return all;
}

/** All that a stream gives, as one. */
export async function drained(stream) {
  const pieces = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function shown(value) {
  const text = JSON.stringify(value, (_, part) => {
    if (part instanceof Uint8Array) return `bytes ${Array.from(part.subarray(0, 64))} of ${part.length}`;
    if (part === undefined) return "(nothing)";
    if (typeof part === "bigint") return `${part}n`;
    if (part instanceof Map) return { map: [...part] };
    if (part instanceof Date) return `date ${part.getTime()}`;
    return part;
  });
  return text ?? String(value);
}

const cut = (text) => (text.length > 400 ? `${text.slice(0, 400)}…` : text);
