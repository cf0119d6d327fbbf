/** The stores of `tailstone/keyval`: each is opened by the first call that needs it, and once for all calls of the page. */

import { type Db, open } from "./index.js";
import { structured } from "./structured.js";

/**
 * A store of `createStore`: calls `use` with it, and opens it before if need be. It is what the functions of this module
 * take as their last argument, and a way to all else that a `Db` does, such as `watch`; its keys of other types than
 * strings are bytes there.
 */
export type UseStore = <R>(use: (db: Db<unknown>) => R | PromiseLike<R>) => Promise<R>;

/** The database and the store in it that idb-keyval uses unless told otherwise. */
export const DEFAULT_DATABASE = "keyval-store";
export const DEFAULT_STORE = "keyval";

/** A value whose bytes are made already. */
export class Encoded {
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }
}

/** `structured`, for values and for what has been encoded before. */
const codec = {
  encode: (value: unknown) => (value instanceof Encoded ? value.bytes : structured.encode(value)),
  decode: structured.decode,
};

const opened = new Map<string, Promise<Db<unknown>>>();

/** The bucket `storeName` of the store `dbName`. Opening that failed, or ended, is tried again by the next call. */
export function createStore(dbName: string, storeName: string): UseStore {
  const id = JSON.stringify([dbName, storeName]);
  return async (use) => {
    let opening = opened.get(id);
    if (opening === undefined) {
      opening = open<unknown>(dbName, { bucket: storeName, codec, durability: "relaxed" });
      opened.set(id, opening);
    }
    let db: Db<unknown> | undefined;
    try {
      db = await opening;
      return await use(db);
    } catch (error) {
      const ended = db === undefined || (error as { code?: unknown } | undefined)?.code === "closed";
      if (ended && opened.get(id) === opening) opened.delete(id);
      throw error;
    }
  };
}

/** The store that is used unless another is given. */
export const defaultStore = createStore(DEFAULT_DATABASE, DEFAULT_STORE);
