/** tailstone: `open` from a page, `openSync` inside of a worker. */

import { open as openStore } from "tailstone";
import type { Bytes, Entry, Open } from "../adapter.ts";

export const open: Open = async ({ name, lane, durability }) => {
  if (lane === "worker") return (await import("./tailstone-sync.ts")).open(name, durability);
  const db = await openStore(name, { durability, compactAt: false });
  return {
    set: (key, value) => db.set(key, value),
    get: (key) => db.get(key),
    setMany: (entries) => db.setMany(entries),
    getMany: (keys) => db.getMany(keys),
    async scan() {
      const found: Entry[] = [];
      for await (const entry of db.entries()) found.push(entry);
      return found;
    },
    range: async (key, offset, length) => (await db.getRange(key, offset, length)) as Bytes,
    flush: () => db.flush(),
    compact: () => db.compact(),
    close: () => db.close(),
  };
};
