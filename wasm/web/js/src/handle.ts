/** The synchronous file handle as the engine uses it, and the same thing in memory. */

import { TailstoneError } from "./errors.js";

/** What the engine needs of a `FileSystemSyncAccessHandle`. */
export interface Handle {
  read(into: Uint8Array, options: { at: number }): number;
  write(from: Uint8Array, options: { at: number }): number;
  getSize(): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** A file of a store, open. */
export interface StoreFile {
  readonly handle: Handle;
  /** Closes the handle, and the file is gone. */
  remove(): Promise<void>;
}

/** Writes all of `bytes` at `at`. */
export function writeFully(handle: Handle, bytes: Uint8Array, at: number): void {
  let done = 0;
  while (done < bytes.length) {
    const written = handle.write(bytes.subarray(done), { at: at + done });
    if (written <= 0) throw new TailstoneError("quota", "the browser grants no more space");
    done += written;
  }
}

/** Fills `into` from `at` on. */
export function readFully(handle: Handle, into: Uint8Array, at: number): void {
  for (let done = 0; done < into.length; ) {
    const read = handle.read(into.subarray(done), { at: at + done });
    if (read <= 0) throw new TailstoneError("io", "the file ends before its time");
    done += read;
  }
}

const PIECE = 1 << 20;

/** A handle in memory, for browsers that refuse their file system: pieces of one mebibyte, so that growing copies nothing. */
export class MemoryHandle implements Handle {
  #pieces: Uint8Array[] = [];
  #size = 0;

  read(into: Uint8Array, { at }: { at: number }): number {
    const length = Math.max(0, Math.min(into.length, this.#size - at));
    this.#walk(at, length, (piece, done) => into.set(piece, done));
    return length;
  }

  write(from: Uint8Array, { at }: { at: number }): number {
    if (at + from.length > this.#size) this.truncate(at + from.length);
    this.#walk(at, from.length, (piece, done) => piece.set(from.subarray(done, done + piece.length)));
    return from.length;
  }

  getSize(): number {
    return this.#size;
  }

  truncate(size: number): void {
    const before = this.#size;
    const pieces = Math.ceil(size / PIECE);
    try {
      while (this.#pieces.length < pieces) this.#pieces.push(new Uint8Array(PIECE));
    } catch (cause) {
      throw new TailstoneError("quota", "there is no more memory", { cause });
    }
    this.#pieces.length = pieces;
    this.#size = size;
    // What lies past the end reads as zeros when the end moves back there.
    if (size < before) this.#pieces.at(-1)?.fill(0, size % PIECE || PIECE);
  }

  flush(): void {}

  close(): void {
    this.#pieces = [];
    this.#size = 0;
  }

  #walk(at: number, length: number, visit: (part: Uint8Array, done: number) => void): void {
    for (let done = 0; done < length; ) {
      const start = (at + done) % PIECE;
      const end = Math.min(PIECE, start + length - done);
      const piece = this.#pieces[Math.floor((at + done) / PIECE)];
      if (piece !== undefined) visit(piece.subarray(start, end), done);
      done += end - start;
    }
  }
}
