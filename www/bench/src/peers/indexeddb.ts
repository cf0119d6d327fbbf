/** IndexedDB without a library: one object store, one transaction for each call, its durability asked for. */

import type { Bytes, Entry, Open } from "../adapter.ts";

const STORE = "values";

export const open: Open = async ({ name, durability }) => {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE);
  const db = await answer(opening);
  const reading = () => db.transaction(STORE, "readonly").objectStore(STORE);
  const writing = (write: (store: IDBObjectStore) => void) =>
    new Promise<void>((resolve, reject) => {
      const transaction = db.transaction(STORE, "readwrite", { durability });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      write(transaction.objectStore(STORE));
    });
  return {
    set: (key, value) => writing((store) => store.put(value, key)),
    get: (key) => answer<Bytes | undefined>(reading().get(key)),
    setMany: (entries) =>
      writing((store) => {
        for (const [key, value] of entries) store.put(value, key);
      }),
    getMany: (keys) => {
      const store = reading();
      return Promise.all(keys.map((key) => answer<Bytes | undefined>(store.get(key))));
    },
    scan: async () => {
      const store = reading();
      const [keys, values] = await Promise.all([
        answer(store.getAllKeys() as IDBRequest<string[]>),
        answer(store.getAll() as IDBRequest<Bytes[]>),
      ]);
      return keys.map((key, at): Entry => [key, values[at] as Bytes]);
    },
    close: () => db.close(),
  };
};

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
