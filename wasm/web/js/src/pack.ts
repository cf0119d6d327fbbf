/**
 * Bytes on their way between the page and its worker: small ones share one buffer, large ones travel in their own.
 *
 * Every buffer is moved, none is cloned: cloning a mebibyte costs milliseconds, moving it microseconds, and moving
 * thousands of tiny buffers would cost more than copying them into one.
 */

/** Bytes in a message: a place in its shared buffer, or a buffer of their own. */
export type Bytes = readonly [offset: number, length: number] | Uint8Array<ArrayBuffer>;

/** From this length on bytes travel in a buffer of their own. */
const OWN_BUFFER_FROM = 16 * 1024;

/** Collects the bytes of one message. */
export class Packer {
  #shared = new Uint8Array(1024);
  #length = 0;
  /** The buffers that the message moves, besides the shared one. */
  readonly moved: ArrayBuffer[] = [];

  /** Takes a copy of `bytes`: what the caller does to them afterwards does not show. */
  add(bytes: Uint8Array): Bytes {
    const [place, room] = this.reserve(bytes.length);
    room.set(bytes);
    return place;
  }

  /** Room for `length` bytes, to be filled before the next call. */
  reserve(length: number): [Bytes, Uint8Array<ArrayBuffer>] {
    if (length >= OWN_BUFFER_FROM) {
      const own = new Uint8Array(length);
      this.moved.push(own.buffer);
      return [own, own];
    }
    const start = this.#length;
    const end = start + length;
    if (end > this.#shared.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#shared.length));
      grown.set(this.#shared.subarray(0, start));
      this.#shared = grown;
    }
    this.#length = end;
    return [[start, length], this.#shared.subarray(start, end)];
  }

  /** The shared buffer; it is moved with the message, so the packer ends here. */
  finish(): ArrayBuffer {
    this.moved.push(this.#shared.buffer);
    return this.#shared.buffer;
  }
}

/** The bytes where they lie: valid as long as the message's shared buffer. */
export function borrow(place: Bytes, shared: ArrayBuffer): Uint8Array<ArrayBuffer> {
  return place instanceof Uint8Array ? place : new Uint8Array(shared, place[0], place[1]);
}

/** The bytes in a buffer that is the caller's alone. */
export function take(place: Bytes, shared: ArrayBuffer): Uint8Array<ArrayBuffer> {
  return place instanceof Uint8Array ? place : new Uint8Array(shared.slice(place[0], place[0] + place[1]));
}
