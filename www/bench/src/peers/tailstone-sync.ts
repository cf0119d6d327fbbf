/** tailstone inside of a worker: synchronous; strict is a flush behind every write. */

import { openSync } from "tailstone/worker";
import type { Bytes, Durability, Store } from "../adapter.ts";

export async function open(name: string, durability: Durability): Promise<Store> {
  const db = await openSync(name, { compactAt: false });
  const settled = durability === "strict" ? () => db.flush() : () => {};
  return {
    set(key, value) {
      db.set(key, value);
      settled();
    },
    get: (key) => db.get(key) as Bytes | undefined,
    setMany(entries) {
      db.setMany(entries);
      settled();
    },
    getMany: (keys) => db.getMany(keys) as (Bytes | undefined)[],
    scan: () => [...db.entries()],
    range: (key, offset, length) => db.getRange(key, offset, length) as Bytes,
    flush: () => db.flush(),
    close: () => db.close(),
  };
}
