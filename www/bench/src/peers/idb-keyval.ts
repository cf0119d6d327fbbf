/** idb-keyval, as its README uses it, in a database of its own. */

import * as keyval from "idb-keyval";
import type { Bytes, Open } from "../adapter.ts";

export const open: Open = async ({ name }) => {
  const store = keyval.createStore(name, "keyval");
  return {
    set: (key, value) => keyval.set(key, value, store),
    get: (key) => keyval.get<Bytes>(key, store),
    setMany: (entries) => keyval.setMany(entries as [string, Bytes][], store),
    getMany: (keys) => keyval.getMany<Bytes | undefined>(keys, store),
    scan: () => keyval.entries<string, Bytes>(store),
    close: () => {},
  };
};
