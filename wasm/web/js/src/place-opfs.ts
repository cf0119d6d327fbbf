/**
 * A place in the browser's own file system: a folder for each store, with numbered files `N.tsl` and one byte, in the file
 * `current`, that says which of them is in use.
 *
 * Compaction and import fill another file, flush it and overwrite that byte: renaming over a file is not atomic in every
 * browser, writing one byte is. The handle on `current` is held as long as the store is open. From its byte 8 on it says how
 * much of that file is known to be on stable storage.
 */

import { TailstoneError } from "./errors.js";
import { FlushedBound } from "./flushed-bound.js";
import type { Handle, StoreFile } from "./handle.js";
import type { Place } from "./place.js";

/** How long a page that has gone may take to let go of its files, in milliseconds. */
const PATIENCE_MS = 5000;
const RETRY_AFTER_MS = 25;
const NUMBERS = 255;
/** Says that no file was replaced yet: the one in use has number 0, and may still have to be made. */
const NONE = 255;

export class OpfsPlace implements Place {
  readonly backend = "opfs";
  readonly bound: FlushedBound;
  readonly #folder: FileSystemDirectoryHandle;
  readonly #pointer: Handle;
  #number: number;
  #isNew: boolean;
  #unsure = false;
  #spares = new Map<StoreFile, number>();
  #spools = 0;

  private constructor(folder: FileSystemDirectoryHandle, pointer: Handle) {
    this.#folder = folder;
    this.#pointer = pointer;
    const byte = Uint8Array.of(NONE);
    // Written at once, so that overwriting it later takes no space: that may be when there is none left.
    const isFirst = pointer.read(byte, { at: 0 }) === 0;
    if (isFirst) writeIfRoom(pointer, byte);
    this.#isNew = byte[0] === NONE;
    this.#number = this.#isNew ? 0 : (byte[0] ?? 0);
    this.bound = new FlushedBound(pointer, this.#number);
    // There is no file yet, so all that will be found there was written from here on.
    if (isFirst) this.bound.flushed(0);
  }

  /** Takes the store called `name`, and removes what an earlier holder left unfinished. */
  static async take(root: FileSystemDirectoryHandle, name: string): Promise<OpfsPlace> {
    const stores = await root.getDirectoryHandle(STORES, { create: true });
    const folder = await stores.getDirectoryHandle(folderName(name), { create: true });
    const pointer = await lock(await folder.getFileHandle("current", { create: true }), name);
    try {
      const place = new OpfsPlace(folder, pointer);
      for await (const entry of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) {
        if (entry !== "current" && entry !== `${place.#number}.tsl`) await folder.removeEntry(entry);
      }
      return place;
    } catch (error) {
      pointer.close();
      throw error;
    }
  }

  get unsure(): boolean {
    return this.#unsure;
  }

  async openCurrent(): Promise<StoreFile> {
    try {
      return await this.#open(`${this.#number}.tsl`, this.#isNew);
    } catch (cause) {
      if ((cause as Error).name !== "NotFoundError") throw cause;
      throw new TailstoneError("corrupt", `the store's file ${this.#number}.tsl is missing`, { cause });
    }
  }

  async openSpare(): Promise<StoreFile> {
    // Files that are still being read keep their numbers.
    for (let step = 1; step < NUMBERS; step++) {
      const number = (this.#number + step) % NUMBERS;
      try {
        const spare = await this.#open(`${number}.tsl`);
        spare.handle.truncate(0);
        this.#spares.set(spare, number);
        return spare;
      } catch (error) {
        if (!isLocked(error)) throw error;
      }
    }
    throw new TailstoneError("io", "too many old files are still being read");
  }

  promote(spare: StoreFile): void {
    const number = this.#spares.get(spare) ?? this.#number;
    const written = this.#pointer.write(new Uint8Array([number]), { at: 0 });
    if (written !== 1) throw new TailstoneError("quota", "the browser grants no more space");
    this.#unsure = true;
    this.#pointer.flush();
    this.#unsure = false;
    this.#number = number;
    this.#isNew = false;
    this.#spares.delete(spare);
    this.bound.replace(number);
  }

  async openSpool(): Promise<StoreFile> {
    const spool = await this.#open(`spool-${this.#spools++}`);
    spool.handle.truncate(0);
    return spool;
  }

  release(): void {
    this.#pointer.close();
  }

  async #open(name: string, create = true): Promise<StoreFile> {
    const file = await this.#folder.getFileHandle(name, { create });
    const handle: Handle = await file.createSyncAccessHandle();
    const remove = async () => {
      handle.close();
      await this.#folder.removeEntry(name);
    };
    return { handle, remove };
  }
}

/** The folder that all stores of an origin lie in. */
export const STORES = "tailstone";

/** The folder of a store. */
export function folderName(name: string): string {
  return encodeURIComponent(name);
}

/** The root of the browser's file system, or why there is none. */
export async function opfsRoot(): Promise<FileSystemDirectoryHandle | TailstoneError> {
  try {
    // Contexts that are not secure have no `navigator.storage`, whatever its type says, and some browsers no such handles.
    if (!("createSyncAccessHandle" in FileSystemFileHandle.prototype)) throw new Error("there are no file handles");
    return await navigator.storage.getDirectory();
  } catch (cause) {
    return new TailstoneError("io", "the browser refuses its file system here; the store lives in memory", { cause });
  }
}

function writeIfRoom(handle: Handle, bytes: Uint8Array): void {
  try {
    handle.write(bytes, { at: 0 });
  } catch {
    // Without it a compaction that meets a full disk is refused, and nothing else.
  }
}

function isLocked(error: unknown): boolean {
  return (error as Error).name === "NoModificationAllowedError";
}

async function lock(file: FileSystemFileHandle, name: string): Promise<Handle> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await file.createSyncAccessHandle();
    } catch (cause) {
      if (!isLocked(cause)) throw cause;
      if (Date.now() >= deadline) throw new TailstoneError("locked", `the file of the store ${name} is in use`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  }
}
