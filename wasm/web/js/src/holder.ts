/** The open store in its worker: its place, its handle, its engine, and the operations that need all three. */

import { WebStore } from "../generated/tailstone_web.js";
import { copyIn, copyOut } from "./blobs.js";
import { TailstoneError, toWire } from "./errors.js";
import type { Handle } from "./handle.js";
import { MemoryPlace, OpfsPlace, type Place } from "./place.js";
import type { Opened, Recovery, Stats, Verdict } from "./protocol.js";

export class Holder {
  readonly #place: Place;
  #handle: Handle;
  #store: WebStore;

  private constructor(place: Place, handle: Handle, store: WebStore) {
    this.#place = place;
    this.#handle = handle;
    this.#store = store;
  }

  static async open(name: string, patience: number): Promise<[Holder, Opened]> {
    checkName(name);
    let place: Place;
    let refused: Opened["refused"];
    const root = await opfsRoot();
    if (root instanceof TailstoneError) {
      place = new MemoryPlace();
      refused = toWire(root);
    } else {
      place = await OpfsPlace.take(root, name, patience);
    }
    try {
      const [handle, store] = await start(() => place.openCurrent());
      const holder = new Holder(place, handle, store);
      return [holder, { backend: place.backend, refused, recovery: holder.recovery() }];
    } catch (error) {
      place.release();
      throw error;
    }
  }

  /** The engine. It changes with an import. */
  get store(): WebStore {
    return this.#store;
  }

  recovery(): Recovery {
    return this.#store.recovery() as Recovery;
  }

  stats(): Stats {
    return this.#store.stats() as Stats;
  }

  verify(): Verdict {
    return this.#store.verify() as Verdict;
  }

  exportFile(): Promise<Blob> {
    return copyOut(this.#store);
  }

  /** Puts `file` in the place of the store, if it is one from its first byte to its last. */
  async importFile(file: Blob): Promise<Recovery> {
    const [handle, store] = await this.#prepare(file);
    const [oldHandle, oldStore] = [this.#handle, this.#store];
    try {
      this.#place.promoteSpare();
    } catch (error) {
      await this.#discard(handle, store);
      throw error;
    }
    this.#handle = handle;
    this.#store = store;
    await this.#discard(oldHandle, oldStore);
    return this.recovery();
  }

  close(): void {
    try {
      this.#store.close();
    } finally {
      this.#handle.close();
      this.#place.release();
    }
  }

  /** A checked, flushed copy of `file` beside the store. */
  async #prepare(file: Blob): Promise<[Handle, WebStore]> {
    try {
      const [handle, store] = await start(async () => {
        const spare = await this.#place.openSpare();
        try {
          await copyIn(file, spare);
        } catch (error) {
          spare.close();
          throw error;
        }
        return spare;
      });
      const verdict = store.verify() as Verdict;
      if (!verdict.sound) {
        await this.#discard(handle, store);
        throw new TailstoneError("corrupt", `the file was not imported: ${verdict.summary}`);
      }
      store.sync();
      return [handle, store];
    } catch (error) {
      await this.#place.discardSpare();
      throw error;
    }
  }

  async #discard(handle: Handle, store: WebStore): Promise<void> {
    store.free();
    handle.close();
    await this.#place.discardSpare();
  }
}

/** Opens the engine on a handle; closes the handle if the engine refuses what it finds. */
async function start(open: () => Promise<Handle>): Promise<[Handle, WebStore]> {
  const handle = await open();
  try {
    return [handle, new WebStore(handle)];
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** The root of the browser's file system, or why there is none. */
async function opfsRoot(): Promise<FileSystemDirectoryHandle | TailstoneError> {
  const refuse = (cause?: unknown) =>
    new TailstoneError("io", "the browser refuses its file system here; the store lives in memory", { cause });
  // Contexts that are not secure have no `navigator.storage`, whatever its type says.
  const storage = navigator.storage as StorageManager | undefined;
  if (storage?.getDirectory === undefined || typeof FileSystemFileHandle !== "function") return refuse();
  if (!("createSyncAccessHandle" in FileSystemFileHandle.prototype)) return refuse();
  try {
    return await storage.getDirectory();
  } catch (cause) {
    return refuse(cause);
  }
}

/** Longest name of a store, once encoded: what file systems allow of a name, with room to spare. */
const LONGEST_NAME = 200;

function checkName(name: string): void {
  const encoded = encodeURIComponent(name);
  if (encoded === "" || encoded === "." || encoded === ".." || encoded.length > LONGEST_NAME) {
    throw new TailstoneError("invalid", "a store's name has 1 to 200 characters, and is not `.` or `..`");
  }
}
