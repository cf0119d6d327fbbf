/**
 * Takes over what idb-keyval left in IndexedDB. The old database is read and never changed.
 *
 * A key that the store has already is newer, and stays as it is. A finished migration leaves a mark in a bucket of its own,
 * so that a later call does not bring back what has been deleted since.
 */

import { TailstoneError } from "./errors.js";
import { toStoreKey, type ValidKey } from "./keyval-key.js";
import { createStore, DEFAULT_DATABASE, DEFAULT_STORE, Encoded, type UseStore } from "./keyval-store.js";
import { structured } from "./structured.js";

/** The bucket of the marks: by the name of a migrated object store, when that was. */
const MARKS = "tailstone/migrated";

/** At most so many keys are read at a time, */
const CHUNK_KEYS = 100;

/** and about so many bytes of values set in one batch. */
const CHUNK_BYTES = 4 << 20;

/** What a migration did. */
export interface Migration {
  /** How many keys it has copied. */
  copied: number;
  /** The keys whose values cannot be stored here, such as a `CryptoKey`. They are where they were. */
  refused: ValidKey[];
}

/**
 * Copies what idb-keyval keeps as `dbName` and `storeName` into the store of these names, once: later calls, and those
 * of other tabs, find it done and copy nothing. Keys that the store has already are kept; wait for the result before the
 * first write. What is copied goes in batches, each all or none; after a failure a later call copies the rest.
 */
export async function migrate(dbName = DEFAULT_DATABASE, storeName = DEFAULT_STORE): Promise<Migration> {
  const run = async (): Promise<Migration> => {
    const migration: Migration = { copied: 0, refused: [] };
    const marks = createStore(dbName, MARKS);
    if (await marks((db) => db.has(storeName))) return migration;
    const old = await openOld(dbName);
    try {
      if (old?.objectStoreNames.contains(storeName)) {
        await copy(old, storeName, createStore(dbName, storeName), migration);
      }
    } finally {
      old?.close();
    }
    await marks((db) => db.set(storeName, new Date()));
    return migration;
  };
  // Of two at once the second would not see what is written after the first.
  const { locks } = globalThis.navigator ?? {};
  return locks === undefined ? run() : locks.request(`tailstone-migrate/${dbName}`, run);
}

/** The old database, or undefined if there is none; it is not created. */
function openOld(dbName: string): Promise<IDBDatabase | undefined> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(dbName);
    let missing = false;
    request.onupgradeneeded = () => {
      missing = true;
      request.transaction?.abort();
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => (missing ? resolve(undefined) : reject(unreadable(request)));
  });
}

async function copy(old: IDBDatabase, storeName: string, store: UseStore, migration: Migration): Promise<void> {
  let range: IDBKeyRange | null = null;
  for (;;) {
    const source: IDBObjectStore = old.transaction(storeName).objectStore(storeName);
    const [keys, values] = await Promise.all([
      result(source.getAllKeys(range, CHUNK_KEYS)),
      result(source.getAll(range, CHUNK_KEYS)),
    ]);
    if (keys.length === 0) return;
    range = IDBKeyRange.lowerBound(keys.at(-1), true);
    await copyChunk(keys, values, store, migration);
  }
}

async function copyChunk(keys: ValidKey[], values: unknown[], store: UseStore, migration: Migration): Promise<void> {
  const storeKeys = keys.map(toStoreKey);
  const taken = await store((db) => Promise.all(storeKeys.map((key) => db.has(key))));
  let batch: [string | Uint8Array, Encoded][] = [];
  let bytes = 0;
  const flush = async () => {
    await store((db) => db.setMany(batch));
    migration.copied += batch.length;
    batch = [];
    bytes = 0;
  };
  for (const [place, key] of keys.entries()) {
    if (taken[place]) continue;
    try {
      const value = new Encoded(await structured.encode(values[place]));
      batch.push([storeKeys[place]!, value]);
      bytes += value.bytes.length;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "invalid") throw error;
      migration.refused.push(key);
    }
    if (bytes >= CHUNK_BYTES) await flush();
  }
  if (batch.length > 0) await flush();
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(unreadable(request));
  });
}

function unreadable({ error: cause }: IDBRequest): TailstoneError {
  return new TailstoneError("io", "the old database could not be read", { cause });
}
