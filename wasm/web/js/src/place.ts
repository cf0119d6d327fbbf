/**
 * Where a store keeps its files, and how another file takes the place of the one in use.
 *
 * A place is held by one holder at a time. Whatever moment a process dies at, the next one finds the old file or the new
 * one, whole.
 */

import type { FlushedBound } from "./flushed-bound.js";
import { MemoryHandle, type StoreFile } from "./handle.js";
import type { Backend } from "./protocol.js";

export interface Place {
  readonly backend: Backend;
  /** The file in use; made when there is none. */
  openCurrent(): Promise<StoreFile>;
  /** An empty file beside it. */
  openSpare(): Promise<StoreFile>;
  /** Makes that file the one in use, durably, in one step. */
  promote(spare: StoreFile): void;
  /** Whether a promotion failed so that nobody knows which file the next holder will find: neither may go then. */
  readonly unsure: boolean;
  /** An empty file for a value on its way. */
  openSpool(): Promise<StoreFile>;
  /** What is known to be on stable storage of the file in use, where a place keeps that. */
  readonly bound?: FlushedBound;
  /** Lets somebody else have the store. */
  release(): void;
}

/** A store that ends with its thread. */
export class MemoryPlace implements Place {
  readonly backend = "memory";
  readonly unsure = false;

  openCurrent = file;
  openSpare = file;
  openSpool = file;

  promote(): void {}

  release(): void {}
}

async function file(): Promise<StoreFile> {
  const handle = new MemoryHandle();
  return { handle, remove: async () => handle.close() };
}
