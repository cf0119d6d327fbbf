/**
 * Where a store keeps its file, and how another file takes its place.
 *
 * In the browser's file system a store is a folder with two slots, `0.tsl` and `1.tsl`, and a one-byte file `current`
 * that names the one in use. Replacing the contents fills the other slot, flushes it, and overwrites that byte: whatever
 * moment the browser dies at, one slot or the other is found whole. (Renaming over a file is not atomic everywhere.)
 * The handle on `current` is held while the store is open, and thereby locks the store.
 */

import { TailstoneError } from "./errors.js";
import { type Handle, MemoryHandle } from "./handle.js";
import type { Backend } from "./protocol.js";

export interface Place {
  readonly backend: Backend;
  /** A handle on the file in use. */
  openCurrent(): Promise<Handle>;
  /** A handle on an empty file beside it. */
  openSpare(): Promise<Handle>;
  /** Makes the spare the current one. Both handles stay open. */
  promoteSpare(): void;
  /** Discards whatever lies beside the file in use; its handle has been closed. */
  discardSpare(): Promise<void>;
  /** Lets another tab have the store. */
  release(): void;
}

type Slot = 0 | 1;

/** How long to wait between two attempts at a locked store. */
const RETRY_AFTER_MS = 25;

/** Whether an attempt failed because somebody else holds the file. */
function isLocked(error: unknown): boolean {
  return error instanceof Error && error.name === "NoModificationAllowedError";
}

export class OpfsPlace implements Place {
  readonly backend = "opfs";
  readonly #folder: FileSystemDirectoryHandle;
  readonly #pointer: Handle;
  #slot: Slot;

  private constructor(folder: FileSystemDirectoryHandle, pointer: Handle, slot: Slot) {
    this.#folder = folder;
    this.#pointer = pointer;
    this.#slot = slot;
  }

  /** Takes the store called `name`; waits up to `patience` milliseconds for another tab to let go of it. */
  static async take(root: FileSystemDirectoryHandle, name: string, patience: number): Promise<OpfsPlace> {
    const stores = await root.getDirectoryHandle("tailstone", { create: true });
    const folder = await stores.getDirectoryHandle(encodeURIComponent(name), { create: true });
    const file = await folder.getFileHandle("current", { create: true });
    const pointer = await lock(file, name, Date.now() + patience);
    try {
      const place = new OpfsPlace(folder, pointer, readSlot(pointer));
      await place.discardSpare();
      return place;
    } catch (error) {
      pointer.close();
      throw error;
    }
  }

  openCurrent(): Promise<Handle> {
    return this.#open(this.#slot);
  }

  async openSpare(): Promise<Handle> {
    const handle = await this.#open(other(this.#slot));
    handle.truncate(0);
    return handle;
  }

  promoteSpare(): void {
    const slot = other(this.#slot);
    writeSlot(this.#pointer, slot);
    this.#slot = slot;
  }

  async discardSpare(): Promise<void> {
    try {
      await this.#folder.removeEntry(fileName(other(this.#slot)));
    } catch (error) {
      if (!(error instanceof Error && error.name === "NotFoundError")) throw error;
    }
  }

  release(): void {
    this.#pointer.close();
  }

  async #open(slot: Slot): Promise<Handle> {
    const file = await this.#folder.getFileHandle(fileName(slot), { create: true });
    return file.createSyncAccessHandle();
  }
}

/** A store that ends with its page. */
export class MemoryPlace implements Place {
  readonly backend = "memory";

  async openCurrent(): Promise<Handle> {
    return new MemoryHandle();
  }

  async openSpare(): Promise<Handle> {
    return new MemoryHandle();
  }

  promoteSpare(): void {}

  async discardSpare(): Promise<void> {}

  release(): void {}
}

async function lock(file: FileSystemFileHandle, name: string, deadline: number): Promise<Handle> {
  for (;;) {
    try {
      return await file.createSyncAccessHandle();
    } catch (cause) {
      if (!isLocked(cause)) throw cause;
      if (Date.now() >= deadline) {
        throw new TailstoneError("locked", `the store ${name} is open in another tab`, { cause });
      }
    }
    // A page that was reloaded lets go of its files a moment after the new one starts.
    await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  }
}

const ZERO = "0".charCodeAt(0);

function readSlot(pointer: Handle): Slot {
  const byte = new Uint8Array([ZERO]);
  pointer.read(byte, { at: 0 });
  const slot = (byte[0] ?? ZERO) - ZERO;
  if (slot === 0 || slot === 1) return slot;
  throw new TailstoneError("corrupt", "the file that names the store's current slot is damaged");
}

function writeSlot(pointer: Handle, slot: Slot): void {
  const written = pointer.write(new Uint8Array([ZERO + slot]), { at: 0 });
  if (written !== 1) throw new TailstoneError("quota", "the browser grants no more space");
  pointer.flush();
}

function other(slot: Slot): Slot {
  return slot === 0 ? 1 : 0;
}

function fileName(slot: Slot): string {
  return `${slot}.tsl`;
}
