/** Dexie: one table whose keys lie outside of the values. */

import { Dexie } from "dexie";
import type { Bytes, Entry, Open } from "../adapter.ts";

export const open: Open = async ({ name, durability }) => {
  const db = new Dexie(name, { chromeTransactionDurability: durability });
  db.version(1).stores({ entries: "" });
  await db.open();
  const table = db.table<Bytes, string>("entries");
  return {
    set: async (key, value) => void (await table.put(value, key)),
    get: async (key) => table.get(key),
    setMany: async (entries) =>
      void (await table.bulkPut(
        entries.map(([, value]) => value),
        entries.map(([key]) => key),
      )),
    getMany: async (keys) => table.bulkGet(keys),
    scan: async () => {
      const [keys, values] = await Promise.all([table.toCollection().primaryKeys(), table.toArray()]);
      return keys.map((key, at): Entry => [key, values[at] as Bytes]);
    },
    close: () => db.close(),
  };
};
