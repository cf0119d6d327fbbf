/**
 * What the tests in Rust need of JavaScript: handles of real files, and a handle in memory that fails on demand.
 *
 * A counter of calls is always the handle's own, so that a test can assert the number exactly.
 */

const folder = async () => (await navigator.storage.getDirectory()).getDirectoryHandle("rust-tests", { create: true });

/** The sync access handle of a file of the browser's own file system, which is emptied if it is `fresh`. */
export async function openHandle(name, fresh) {
  const file = await (await folder()).getFileHandle(name, { create: true });
  const handle = await file.createSyncAccessHandle();
  if (fresh) handle.truncate(0);
  return handle;
}

/** A sync access handle over memory; what goes wrong is set from outside. */
export class FakeHandle {
  bytes = new Uint8Array(0);
  calls = { read: 0, write: 0, flush: 0, truncate: 0 };
  /** Most bytes that one write takes. */
  mostWritten = Infinity;
  /** Longest that the file can be made. */
  limit = Infinity;
  /** Says that it grew, and did not. */
  lies = false;
  failsWrites = false;
  failsFlushes = false;

  count(name) {
    const count = this.calls[name];
    this.calls[name] = 0;
    return count;
  }

  set(name, value) {
    this[name] = value;
  }

  read(into, { at }) {
    this.calls.read++;
    const found = this.bytes.subarray(at, at + into.length);
    into.set(found);
    return found.length;
  }

  write(from, { at }) {
    this.calls.write++;
    if (this.failsWrites) throw new DOMException("no space", "QuotaExceededError");
    const taken = from.subarray(0, Math.max(0, Math.min(this.mostWritten, this.limit - at)));
    if (at + taken.length > this.bytes.length) this.#resize(at + taken.length);
    this.bytes.set(taken, at);
    return taken.length;
  }

  truncate(size) {
    this.calls.truncate++;
    if (this.lies && size > this.bytes.length) return;
    if (size > this.limit) throw new DOMException("no space", "QuotaExceededError");
    this.#resize(size);
  }

  getSize() {
    return this.bytes.length;
  }

  flush() {
    this.calls.flush++;
    if (this.failsFlushes) throw new DOMException("the disk is gone", "InvalidStateError");
  }

  #resize(size) {
    const bytes = new Uint8Array(size);
    bytes.set(this.bytes.subarray(0, size));
    this.bytes = bytes;
  }
}

export const fakeHandle = () => new FakeHandle();

/** Counts the calls of a real handle. */
export function counted(handle) {
  const counting = new FakeHandle();
  for (const name of ["read", "write", "flush", "truncate"]) {
    counting[name] = (...args) => {
      counting.calls[name]++;
      return handle[name](...args);
    };
  }
  counting.getSize = () => handle.getSize();
  return counting;
}

/** Counts how often it was promoted; fails if it is told to. */
export const promotion = (fails) => ({
  count: 0,
  promote() {
    if (fails) throw new DOMException("no space", "QuotaExceededError");
    this.count++;
  },
});

/** A source of `length` bytes, each of which tells its place; breaks after `sound` of them. */
export function source(length, sound) {
  let at = 0;
  return {
    pull(into) {
      if (at >= sound) throw new TypeError("the source broke");
      const count = Math.min(into.length, length - at, 50_000);
      for (let n = 0; n < count; n++) into[n] = (at + n) % 251;
      at += count;
      return count;
    },
  };
}

/** What an error is, in two words. */
export const describe = (error) => `${error.code} ${error.cause?.name ?? "-"}`;
