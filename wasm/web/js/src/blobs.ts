/** Files and stores in pieces: neither is ever held in memory as a whole. */

import type { WebStore } from "../generated/tailstone_web.js";
import { type Handle, writeFully } from "./handle.js";

/** How much is moved at a time. */
const PIECE = 4 << 20;

/** A blob that the engine pulls synchronously, as a worker may. */
export class BlobSource {
  readonly #blob: Blob;
  readonly #reader = new FileReaderSync();
  #at = 0;
  #piece = new Uint8Array(0);

  constructor(blob: Blob) {
    this.#blob = blob;
  }

  /** Fills `into` as far as the blob goes. */
  pull(into: Uint8Array): number {
    if (this.#piece.length === 0) {
      const end = Math.min(this.#blob.size, this.#at + PIECE);
      if (this.#at === end) return 0;
      this.#piece = new Uint8Array(this.#reader.readAsArrayBuffer(this.#blob.slice(this.#at, end)));
      this.#at = end;
    }
    const part = this.#piece.subarray(0, into.length);
    into.set(part);
    this.#piece = this.#piece.subarray(part.length);
    return part.length;
  }
}

/** Copies a blob to the start of an empty file. */
export async function copyIn(blob: Blob, handle: Handle): Promise<void> {
  for (let at = 0; at < blob.size; at += PIECE) {
    const piece = await blob.slice(at, at + PIECE).arrayBuffer();
    writeFully(handle, new Uint8Array(piece), at);
  }
}

/** The store up to its tail, as a blob. Bytes below the tail never change, so writes may go on meanwhile. */
export async function copyOut(store: WebStore): Promise<Blob> {
  const tail = store.tail();
  const pieces: Blob[] = [];
  for (let at = 0; at < tail; at += PIECE) {
    const piece = new Uint8Array(Math.min(PIECE, tail - at));
    store.readFile(at, piece);
    // A blob belongs to the browser, which moves large ones out of memory; waiting lets it keep up.
    pieces.push(new Blob([piece]));
    if (pieces.length % 16 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  return new Blob(pieces, { type: "application/octet-stream" });
}
