/** localforage over IndexedDB; it has no calls for many keys, so that many is many calls at once. */

import localforage from "localforage";
import type { Bytes, Entry, Open } from "../adapter.ts";

export const open: Open = async ({ name }) => {
  const store = localforage.createInstance({ name, driver: localforage.INDEXEDDB });
  await store.ready();
  const set = async (key: string, value: Bytes) => void (await store.setItem(key, value));
  const get = async (key: string) => (await store.getItem<Bytes>(key)) ?? undefined;
  return {
    set,
    get,
    setMany: async (entries) => void (await Promise.all(entries.map(([key, value]) => set(key, value)))),
    getMany: (keys) => Promise.all(keys.map(get)),
    scan: async () => {
      const found: Entry[] = [];
      await store.iterate<Bytes, void>((value, key) => void found.push([key, value]));
      return found;
    },
    close: () => {},
  };
};
