/**
 * What is known to be on stable storage of a store's file, written down behind the byte that says which file that is.
 *
 * Invariant: what a record says was flushed before it was written, and counts for the file of that number alone. It may be
 * old, or missing, but never says too much. The first one of a file is flushed; later ones get to the disk in their own time.
 */

import type { Handle } from "./handle.js";

/** Behind the byte, and apart from it: tail as a float, number of the file, check. */
const AT = 8;
const LENGTH = 16;
/** A record is written at most once a second, unless the store has grown by so many bytes. */
const EVERY_MS = 1000;
const EVERY_BYTES = 1 << 20;

export class FlushedBound {
  readonly #pointer: Handle;
  #number: number;
  #tail: number | undefined;
  #isDurable: boolean;
  #writtenAt = 0;

  /** The bound for the file of this number, as `pointer` has it. */
  constructor(pointer: Handle, number: number) {
    this.#pointer = pointer;
    this.#number = number;
    const record = new Uint8Array(LENGTH);
    const view = new DataView(record.buffer);
    const isThere = pointer.read(record, { at: AT }) === LENGTH && view.getUint32(12) === check(view);
    this.#tail = isThere && view.getUint32(8) === number ? view.getFloat64(0) : undefined;
    this.#isDurable = this.#tail !== undefined;
  }

  /** How many bytes of the file are known to have been flushed. */
  get tail(): number | undefined {
    return this.#tail;
  }

  /** Says that the file was flushed up to `tail`; `isLast` that nothing follows soon. */
  flushed(tail: number, isLast = false): void {
    const before = this.#tail ?? Number.NEGATIVE_INFINITY;
    const isDue = isLast || tail - before >= EVERY_BYTES || Date.now() - this.#writtenAt >= EVERY_MS;
    if (!this.#isDurable || (tail !== before && isDue)) this.#write(tail);
  }

  /** Starts anew with another file, of which nothing is known. */
  replace(number: number): void {
    this.#number = number;
    this.#tail = undefined;
    this.#isDurable = false;
  }

  #write(tail: number): void {
    const record = new DataView(new ArrayBuffer(LENGTH));
    record.setFloat64(0, tail);
    record.setUint32(8, this.#number);
    record.setUint32(12, check(record));
    try {
      if (this.#pointer.write(new Uint8Array(record.buffer), { at: AT }) !== LENGTH) return;
      if (!this.#isDurable) this.#pointer.flush();
    } catch {
      // Without a record less is known, and nothing is lost.
      return;
    }
    this.#tail = tail;
    this.#isDurable = true;
    this.#writtenAt = Date.now();
  }
}

/** Tells a record from one that was written in part, and from zeros. */
function check(record: DataView): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < 12; at++) hash = Math.imul(hash ^ record.getUint8(at), 0x01000193);
  return hash >>> 0;
}
