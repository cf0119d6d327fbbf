/**
 * `tailstone/keyval`: the functions of idb-keyval 6, by the same names and with the same arguments, on a store.
 *
 * Keys and values are those of IndexedDB, and lists come in its order. Calls resolve when a value is accepted: the next page
 * finds it, and it is on stable storage a moment later, as with IndexedDB's relaxed durability. `promisifyRequest` is missing: there are no
 * requests here. What idb-keyval has stored is taken over by `migrate`.
 *
 * @packageDocumentation
 */

import { fromStoreKey, sortEntries, toStoreKey, type ValidKey } from "./keyval-key.js";
import { defaultStore, Encoded, type UseStore } from "./keyval-store.js";
import { structured } from "./structured.js";

export { TailstoneError } from "./errors.js";
export type { ValidKey } from "./keyval-key.js";
export { createStore, type UseStore } from "./keyval-store.js";
export { migrate, type Migration } from "./migrate.js";

/** The value of `key`, or undefined. */
export async function get<T = any>(key: ValidKey, store: UseStore = defaultStore): Promise<T | undefined> {
  const storeKey = toStoreKey(key);
  return (await store((db) => db.get(storeKey))) as T | undefined;
}

/** Sets the value of `key`. Fails with `invalid` on keys and values that IndexedDB would refuse, and on objects of the browser. */
export async function set(key: ValidKey, value: any, store: UseStore = defaultStore): Promise<void> {
  const storeKey = toStoreKey(key);
  await store((db) => db.set(storeKey, value));
}

/** Sets all of `entries`, or none if one of them fails. Of the same key twice the last one counts. */
export async function setMany(entries: [ValidKey, any][], store: UseStore = defaultStore): Promise<void> {
  const changes = entries.map(([key, value]) => [toStoreKey(key), value] as const);
  await store((db) => db.setMany(changes));
}

/** The values of `keys`, in their order, with undefined for those that have none. */
export async function getMany<T = any>(
  keys: ValidKey[],
  store: UseStore = defaultStore,
): Promise<(T | undefined)[]> {
  const storeKeys = keys.map(toStoreKey);
  return (await store((db) => db.getMany(storeKeys))) as (T | undefined)[];
}

/**
 * Sets the value of `key` to what `updater` makes of the old one, which no change of another tab comes between: when there
 * is one, `updater` is called again. It returns at once, not with a promise.
 */
export async function update<T = any>(
  key: ValidKey,
  updater: (oldValue: T | undefined) => T,
  store: UseStore = defaultStore,
): Promise<void> {
  const storeKey = toStoreKey(key);
  await store((db) =>
    db.update(storeKey, (old) => {
      const value = updater(old as T | undefined);
      // To the store undefined means to delete; in IndexedDB it is a value.
      return value === undefined ? UNDEFINED : value;
    }),
  );
}

const UNDEFINED = new Encoded(structured.encode(undefined) as Uint8Array<ArrayBuffer>);

/** Deletes `key`, if it is there. */
export async function del(key: ValidKey, store: UseStore = defaultStore): Promise<void> {
  const storeKey = toStoreKey(key);
  await store((db) => db.delete(storeKey));
}

/** Deletes all of `keys`, or none if one of them is invalid. */
export async function delMany(keys: ValidKey[], store: UseStore = defaultStore): Promise<void> {
  const storeKeys = keys.map(toStoreKey);
  await store((db) => db.deleteMany(storeKeys));
}

/** Deletes all keys of the store. */
export async function clear(store: UseStore = defaultStore): Promise<void> {
  await store((db) => db.clear());
}

/** All keys, in IndexedDB's order: numbers, dates, strings, binary (as `ArrayBuffer`), arrays. */
export async function keys<KeyType extends ValidKey>(store: UseStore = defaultStore): Promise<KeyType[]> {
  const found: [ValidKey, undefined][] = [];
  await store(async (db) => {
    for await (const key of db.keys({ as: "bytes" })) found.push([fromStoreKey(key), undefined]);
  });
  return sortEntries(found).map(([key]) => key as KeyType);
}

/** All values, in the order of their keys. */
export async function values<T = any>(store: UseStore = defaultStore): Promise<T[]> {
  return (await entries<ValidKey, T>(store)).map(([, value]) => value);
}

/** All keys with their values, in the order of the keys. */
export async function entries<KeyType extends ValidKey, ValueType = any>(
  store: UseStore = defaultStore,
): Promise<[KeyType, ValueType][]> {
  const found: [ValidKey, unknown][] = [];
  await store(async (db) => {
    for await (const [key, value] of db.entries({ as: "bytes" })) found.push([fromStoreKey(key), value]);
  });
  return sortEntries(found) as [KeyType, ValueType][];
}
