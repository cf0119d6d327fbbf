/**
 * A key-value store in the browser, in one file of the browser's own file system.
 *
 * The store lives in a dedicated worker; this module is its face on the page. Values are bytes. A value is stored when
 * its promise resolves; it is on stable storage when a later `flush` resolves.
 */

import { Connection } from "./connection.js";
import { fromWire, TailstoneError } from "./errors.js";
import { type Bytes, type Packer, take } from "./pack.js";
import type { Backend, Recovery, Stats, Verdict } from "./protocol.js";

export { type ErrorCode, TailstoneError } from "./errors.js";
export type { Backend, Recovery, Stats, Verdict } from "./protocol.js";

/** A key: text is stored as its UTF-8 bytes. Keys are told apart by a 64-bit hash. */
export type Key = string | Uint8Array;

/** A value: one byte at least, and not the single byte 0, which is how a deletion looks. A `Blob` is streamed. */
export type Value = Uint8Array | ArrayBuffer | Blob;

export interface OpenOptions {
  /** How long to wait for another tab to let go of the store, in milliseconds; one second unless said. */
  patience?: number;
  /**
   * Called when the browser refuses its file system, as some private windows do, and the store lives in memory and
   * ends with the page. Without this callback `db.durable` is the only sign.
   */
  onDegraded?: (reason: TailstoneError) => void;
}

/** Opens the store called `name`, and creates it when there is none; recovers it after an unfinished write. */
export async function open(name: string, options: OpenOptions = {}): Promise<Db> {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const connection = new Connection(worker);
  try {
    const { result } = await connection.call("open", () => ({ name, patience: options.patience ?? 1000 }));
    if (result.refused !== undefined) options.onDegraded?.(fromWire(result.refused));
    return new Db(name, connection, result.backend, result.recovery);
  } catch (error) {
    connection.end(closed());
    throw error;
  }
}

/** Removes the store called `name` with everything in it. It must not be open. */
export async function destroy(name: string): Promise<void> {
  const root = await navigator.storage.getDirectory();
  try {
    const stores = await root.getDirectoryHandle("tailstone");
    await stores.removeEntry(encodeURIComponent(name), { recursive: true });
  } catch (cause) {
    const kind = cause instanceof Error ? cause.name : "";
    if (kind === "NotFoundError") return;
    const locked = kind === "NoModificationAllowedError";
    throw new TailstoneError(locked ? "locked" : "io", `the store ${name} could not be removed`, { cause });
  }
}

/** An open store. Calls made without waiting in between travel together, and are carried out in their order. */
export class Db {
  /** The name it was opened with. */
  readonly name: string;
  /** Where its bytes lie. */
  readonly backend: Backend;
  readonly #connection: Connection;
  readonly #flushWhenHidden: () => void;
  #recovery: Recovery;

  /** @internal */
  constructor(name: string, connection: Connection, backend: Backend, recovery: Recovery) {
    this.name = name;
    this.backend = backend;
    this.#connection = connection;
    this.#recovery = recovery;
    this.#flushWhenHidden = () => {
      if (document.visibilityState === "hidden") this.flush().catch(() => {});
    };
    // A hidden page may be discarded without another word.
    globalThis.document?.addEventListener("visibilitychange", this.#flushWhenHidden);
  }

  /** Whether the store outlives the page. */
  get durable(): boolean {
    return this.backend === "opfs";
  }

  /** What the last open, or the last import, found. */
  get recovery(): Recovery {
    return this.#recovery;
  }

  /** Stores `value` under `key`, in the place of what was there. */
  async set(key: Key, value: Value): Promise<void> {
    await this.#connection.call("set", (packer) => ({
      key: packer.add(keyBytes(key)),
      value: value instanceof Blob ? value : packer.add(value instanceof Uint8Array ? value : new Uint8Array(value)),
    }));
  }

  /** The value of `key`, in a buffer that is the caller's alone. */
  async get(key: Key): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { result, shared } = await this.#connection.call("get", withKey(key));
    return bytesOf(result, shared);
  }

  /** At most `length` bytes of a value, from `offset` on; fewer at its end. The rest of it is not read. */
  async getRange(key: Key, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (!isCount(offset) || !isCount(length)) {
      throw new TailstoneError("invalid", "offset and length of a range are whole numbers, not negative");
    }
    const { result, shared } = await this.#connection.call("range", (packer) => ({
      ...withKey(key)(packer),
      offset,
      length,
    }));
    return bytesOf(result, shared);
  }

  /** Whether `key` has a value. */
  async has(key: Key): Promise<boolean> {
    return (await this.size(key)) !== undefined;
  }

  /** Length of the value of `key` in bytes, without reading it. */
  async size(key: Key): Promise<number | undefined> {
    return (await this.#connection.call("size", withKey(key))).result;
  }

  /** Removes `key`, and says whether it had a value. */
  async delete(key: Key): Promise<boolean> {
    return (await this.#connection.call("delete", withKey(key))).result;
  }

  /** Resolves once everything stored before is on stable storage. */
  async flush(): Promise<void> {
    await this.#connection.call("flush", nothing);
  }

  /** What the store holds and takes. */
  async stats(): Promise<Stats> {
    return (await this.#connection.call("stats", nothing)).result;
  }

  /** Reads every byte of the store and checks it. */
  async verify(): Promise<Verdict> {
    return (await this.#connection.call("verify", nothing)).result;
  }

  /** The store as a file, the same that the command line reads. */
  async exportFile(): Promise<Blob> {
    return (await this.#connection.call("export", nothing)).result;
  }

  /**
   * Replaces the contents with those of a store file. The file is first copied beside the store and read through as a
   * whole; if it is not a store, or is damaged, or there is no room for it, the contents stay as they are.
   */
  async importFile(file: Blob): Promise<Recovery> {
    this.#recovery = (await this.#connection.call("import", () => ({ file }))).result;
    return this.#recovery;
  }

  /** Flushes, lets go of the file and ends the worker. Closing twice is fine. */
  async close(): Promise<void> {
    globalThis.document?.removeEventListener("visibilitychange", this.#flushWhenHidden);
    try {
      await this.#connection.call("close", nothing);
    } catch (error) {
      if (!(error instanceof TailstoneError && error.code === "closed")) throw error;
    } finally {
      this.#connection.end(closed());
    }
  }
}

const nothing = () => ({});

const encoder = new TextEncoder();

function keyBytes(key: Key): Uint8Array {
  return typeof key === "string" ? encoder.encode(key) : key;
}

function withKey(key: Key): (packer: Packer) => { key: Bytes } {
  return (packer) => ({ key: packer.add(keyBytes(key)) });
}

function bytesOf(place: Bytes | undefined, shared: ArrayBuffer): Uint8Array<ArrayBuffer> | undefined {
  return place === undefined ? undefined : take(place, shared);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function closed(): TailstoneError {
  return new TailstoneError("closed", "the store was closed");
}
