/**
 * The workloads themselves, run in the realm that the lane asks for: a page's main thread or a dedicated worker.
 *
 * Values are made before the clock starts and compared after it has stopped, every one of them; between two workloads
 * the peer may finish in the background what it has put off. A clock of a page ticks every 100 us: only whole loops are
 * timed.
 */

import type { Bytes, Entry, OpenOptions, Store } from "./adapter.ts";
import { check, entriesOf, keyOf, numbers, valueOf } from "./data.ts";
import { load } from "./peers/load.ts";
import type { Scale } from "./workloads.ts";

export type Step =
  | { do: "open"; peer: string; options: OpenOptions }
  | { do: "reopen"; peer: string; options: OpenOptions; keys: number; workload: string }
  | { do: "fill"; keys: number }
  | { do: "write" | "read" | "rewrite" | "compact" | "tab"; scale: Scale }
  | { do: "scan"; keys: number; scale: Scale }
  | { do: "close" };

/** Microseconds for each operation, by workload. */
export type Figures = Record<string, number>;

const SIZES = { small: 100, "10k": 10_000, "1m": 1 << 20, "16m": 16 << 20 };
const RANGE = 64 * 1024;
const FILL_BATCH = 5000;

let store: Store | undefined;

export async function carryOut(step: Step): Promise<Figures> {
  switch (step.do) {
    case "open":
      return { open: await opening(step.peer, step.options, "absent", undefined) };
    case "reopen": {
      const number = step.keys >> 1;
      const expected = valueOf(number, SIZES.small);
      return { [step.workload]: await opening(step.peer, step.options, keyOf("k", number), expected) };
    }
    case "close":
      await store?.flush?.();
      await store?.close();
      store = undefined;
      return {};
  }
  if (store === undefined) throw new Error(`${step.do} before a store is open`);
  switch (step.do) {
    case "fill":
      return fill(store, step.keys);
    case "write":
      return write(store, step.scale);
    case "read":
      return read(store, step.scale);
    case "scan":
      return scan(store, step.keys, step.scale);
    case "rewrite":
      return rewrite(store, step.scale);
    case "compact":
      return compact(store, step.scale);
    case "tab":
      return secondTab(store, step.scale);
  }
}

/** From before the peer's code is asked for to its first answer. */
async function opening(peer: string, options: OpenOptions, key: string, expected: Bytes | undefined): Promise<number> {
  let found: Bytes | undefined;
  const took = await timed(1, async () => {
    const open = await load(peer);
    store = await open(options);
    found = await store.get(key);
  });
  if (expected !== undefined) check(found, expected, key);
  else if (found !== undefined) throw new Error("an empty store has a value");
  return took;
}

async function fill(store: Store, keys: number): Promise<Figures> {
  for (let first = 0; first < keys; first += FILL_BATCH) {
    await store.setMany(entriesOf("k", first, Math.min(FILL_BATCH, keys - first), SIZES.small));
  }
  return {};
}

async function write(store: Store, scale: Scale): Promise<Figures> {
  const figures: Figures = {};
  const put = async (workload: string, prefix: string, count: number, size: number) => {
    const entries = entriesOf(prefix, 0, count, size);
    await settle(store, scale);
    figures[workload] = await timed(count, () => setEach(store, entries));
  };
  await fill(store, scale.keys);
  await setEach(store, entriesOf("warm", 0, Math.min(100, scale.single), SIZES.small));
  await put("put-100", "single", scale.single, SIZES.small);

  const together = entriesOf("together", 0, scale.concurrent, SIZES.small);
  await settle(store, scale);
  figures["put-concurrent"] = await timed(together.length, async () => {
    await Promise.all(together.map(([key, value]) => store.set(key, value)));
  });

  const batches = Array.from({ length: scale.batches }, (_, at) =>
    entriesOf("batch", at * scale.batch, scale.batch, SIZES.small),
  );
  await settle(store, scale);
  figures["put-batch"] = await timed(scale.batches * scale.batch, async () => {
    for (const batch of batches) await store.setMany(batch);
  });

  await put("put-10k", "10k", scale.of10k, SIZES["10k"]);
  await put("put-1m", "1m", scale.of1m, SIZES["1m"]);
  await put("put-16m", "16m", scale.of16m, SIZES["16m"]);
  await settle(store, scale);
  // What was written by each of them is there.
  const written = [...batches.flat(), ...together, ...entriesOf("single", 0, scale.single, SIZES.small)];
  const found = await store.getMany(written.map(([key]) => key));
  written.forEach(([key, value], at) => check(found[at], value, key));
  return figures;
}

/** Reads what `write` has written. */
async function read(store: Store, scale: Scale): Promise<Figures> {
  const figures: Figures = {};
  const below = numbers(1);
  const get = async (workload: string, prefix: string, wanted: number[], size: number) => {
    const keys = wanted.map((number) => keyOf(prefix, number));
    await settle(store, scale);
    const found: (Bytes | undefined)[] = [];
    figures[workload] = await timed(keys.length, () => getEach(store, keys, found));
    wanted.forEach((number, at) => check(found[at], valueOf(number, size), keys[at] ?? ""));
  };
  const draw = (count: number, bound: number) => Array.from({ length: count }, () => below(bound));
  const inOrder = (count: number) => Array.from({ length: count }, (_, at) => at);

  await getEach(store, draw(Math.min(100, scale.single), scale.keys).map((number) => keyOf("k", number)), []);
  await get("get-100", "k", draw(scale.single, scale.keys), SIZES.small);

  const together = draw(scale.concurrent, scale.keys);
  let found: (Bytes | undefined)[] = [];
  await settle(store, scale);
  figures["get-concurrent"] = await timed(together.length, async () => {
    found = await Promise.all(together.map((number) => store.get(keyOf("k", number))));
  });
  together.forEach((number, at) => check(found[at], valueOf(number, SIZES.small), `together ${number}`));

  const many = Array.from({ length: scale.batches }, () => draw(scale.batch, scale.keys));
  found = [];
  await settle(store, scale);
  figures["get-many"] = await timed(scale.batches * scale.batch, async () => {
    for (const batch of many) found.push(...(await store.getMany(batch.map((number) => keyOf("k", number)))));
  });
  many.flat().forEach((number, at) => check(found[at], valueOf(number, SIZES.small), `many ${number}`));

  await get("get-10k", "10k", draw(scale.of10k, scale.of10k), SIZES["10k"]);
  await get("get-1m", "1m", inOrder(scale.of1m), SIZES["1m"]);
  await get("get-16m", "16m", inOrder(scale.of16m), SIZES["16m"]);
  figures["range"] = await ranges(store, scale, draw(scale.ranges, SIZES["16m"] - RANGE));
  return figures;
}

/** Parts of one long value; a peer without ranges reads it whole and cuts. */
async function ranges(store: Store, scale: Scale, offsets: number[]): Promise<number> {
  const key = keyOf("16m", 0);
  const whole = valueOf(0, SIZES["16m"]);
  const found: (Bytes | undefined)[] = [];
  // A few are enough where each costs a whole value.
  const asked = store.range === undefined ? offsets.slice(0, 5) : offsets;
  await settle(store, scale);
  const took = await timed(asked.length, async () => {
    for (const offset of asked) {
      if (store.range === undefined) found.push((await store.get(key))?.slice(offset, offset + RANGE));
      else found.push(await store.range(key, offset, RANGE));
    }
  });
  asked.forEach((offset, at) => check(found[at], whole.slice(offset, offset + RANGE), `range at ${offset}`));
  return took;
}

/** All of a store that was filled with `keys` keys, for each of them. */
async function scan(store: Store, keys: number, scale: Scale): Promise<Figures> {
  let found: Entry[] = [];
  await settle(store, scale);
  const took = await timed(keys, async () => {
    found = await store.scan();
  });
  if (found.length !== keys) throw new Error(`the scan found ${found.length} keys instead of ${keys}`);
  const values = new Map(found);
  for (const [key, value] of entriesOf("k", 0, keys, SIZES.small)) check(values.get(key), value, key);
  return { scan: took };
}

async function rewrite(store: Store, scale: Scale): Promise<Figures> {
  let took = 0;
  for (let generation = 1; generation <= scale.rewrites; generation++) {
    for (let first = 0; first < scale.keys; first += scale.batch) {
      const count = Math.min(scale.batch, scale.keys - first);
      const entries = entriesOf("k", first, count, SIZES.small, generation);
      took += (await timed(1, async () => store.setMany(entries))) / (scale.keys * scale.rewrites);
    }
  }
  await settle(store, scale);
  return { overwrite: took };
}

/** The whole of it once; afterwards every key has its last value. */
async function compact(store: Store, scale: Scale): Promise<Figures> {
  const figures: Figures = {};
  if (store.compact !== undefined) figures["compact"] = await timed(1, async () => store.compact?.());
  const expected = entriesOf("k", 0, scale.keys, SIZES.small, scale.rewrites);
  const found = await store.getMany(expected.map(([key]) => key));
  expected.forEach(([key, value], at) => check(found[at], value, key));
  return figures;
}

/** In a tab beside the one that has the store open. */
async function secondTab(store: Store, scale: Scale): Promise<Figures> {
  const entries = entriesOf("tab", 0, scale.single, SIZES.small);
  await setEach(store, entriesOf("warm", 0, Math.min(100, scale.single), SIZES.small));
  await settle(store, scale);
  const put = await timed(entries.length, () => setEach(store, entries));
  await settle(store, scale);
  const found: (Bytes | undefined)[] = [];
  const get = await timed(entries.length, () => getEach(store, entries.map(([key]) => key), found));
  entries.forEach(([key, value], at) => check(found[at], value, key));
  return { "tab-put": put, "tab-get": get };
}

async function setEach(store: Store, entries: Entry[]): Promise<void> {
  for (const [key, value] of entries) {
    const done = store.set(key, value);
    if (done instanceof Promise) await done;
  }
}

async function getEach(store: Store, keys: string[], found: (Bytes | undefined)[]): Promise<void> {
  for (const key of keys) {
    const value = store.get(key);
    found.push(value instanceof Promise ? await value : value);
  }
}

/** Microseconds for each of `count`. */
async function timed(count: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return ((performance.now() - start) * 1000) / count;
}

/** Lets a peer end what it does in the background, so that the next workload does not pay for it. */
async function settle(store: Store, { restMs }: Scale): Promise<void> {
  await store.flush?.();
  await new Promise((resolve) => setTimeout(resolve, restMs));
}
