/**
 * An open store: its place, its file, its engine, and the operations that need all three.
 *
 * One at a time: who calls waits for each promise before the next call.
 */

import { AnswerReader } from "./answers.js";
import { OP } from "./codes.js";
import { Engine, type Ran } from "./engine.js";
import { TailstoneError } from "./errors.js";
import { readFully, type StoreFile, writeFully } from "./handle.js";
import { openEngine, type OpenedEngine } from "./opening.js";
import type { Place } from "./place.js";
import type { Held, Opened, Place as Where, PutArguments, Recovery } from "./protocol.js";
import { RequestWriter } from "./request.js";

/** How much is moved at a time, in bytes. */
const PIECE = 4 << 20;

interface Hold {
  file: StoreFile;
  offset: number;
  length: number;
}

interface Spool {
  file: StoreFile;
  length: number;
}

export class Holder {
  readonly #place: Place;
  #file: StoreFile;
  #engine: Engine;
  #recovery: Recovery;
  #holds = new Map<number, Hold>();
  #spools = new Map<number, Spool>();
  #names = 0;
  /** Files that are no longer in use and still being read. */
  #retired = new Set<StoreFile>();

  private constructor(place: Place, file: StoreFile, { engine, recovery }: OpenedEngine) {
    this.#place = place;
    this.#file = file;
    this.#engine = engine;
    this.#recovery = recovery;
  }

  /** Opens the store in `place`, and recovers it. Lets go of the place when that fails. */
  static async open(place: Place): Promise<Holder> {
    let file: StoreFile | undefined;
    try {
      file = await place.openCurrent();
      return new Holder(place, file, openEngine(file.handle, place.bound));
    } catch (error) {
      file?.handle.close();
      place.release();
      throw error;
    }
  }

  /** The engine. It changes with an import. */
  get engine(): Engine {
    return this.#engine;
  }

  opened(): Opened {
    return { backend: this.#place.backend, recovery: this.#recovery };
  }

  run(ops: ArrayBuffer, length: number): Ran {
    return this.#engine.run(ops, length);
  }

  flush(): void {
    const { store } = this.#engine;
    store.drain();
    store.sync();
    this.#place.bound?.flushed(store.tail());
  }

  async put({ bucket, key, value, length, expiresAt }: PutArguments): Promise<undefined> {
    const readSync = blobReader();
    if (value instanceof ArrayBuffer) this.#putBytes(bucket, key, new Uint8Array(value, 0, length), expiresAt);
    else if (value.size < PIECE) this.#putBytes(bucket, key, new Uint8Array(await value.arrayBuffer()), expiresAt);
    else if (readSync !== undefined) {
      let at = 0;
      this.#engine.setFrom(bucket, new Uint8Array(key), expiresAt, value.size, (into) => {
        const piece = new Uint8Array(readSync(value.slice(at, at + into.length)));
        into.set(piece);
        at += piece.length;
        return piece.length;
      });
    } else {
      const spool = await this.spool();
      for (let at = 0; at < value.size; at += PIECE) this.piece(spool, await value.slice(at, at + PIECE).arrayBuffer());
      await this.putSpool(spool, { bucket, key }, expiresAt);
    }
  }

  #putBytes(bucket: string, key: ArrayBuffer, value: Uint8Array, expiresAt: number): void {
    if (value.length <= PIECE) {
      this.#engine.set(bucket, new Uint8Array(key), expiresAt, value);
      return;
    }
    let at = 0;
    const pull = (into: Uint8Array) => {
      const part = value.subarray(at, at + into.length);
      into.set(part);
      at += part.length;
      return part.length;
    };
    this.#engine.setFrom(bucket, new Uint8Array(key), expiresAt, value.length, pull);
  }

  async spool(): Promise<number> {
    this.#spools.set(++this.#names, { file: await this.#place.openSpool(), length: 0 });
    return this.#names;
  }

  piece(spool: number, bytes: ArrayBuffer): undefined {
    const { file, length } = this.#spooled(spool);
    writeFully(file.handle, new Uint8Array(bytes), length);
    this.#spools.set(spool, { file, length: length + bytes.byteLength });
  }

  /** Stores what a spool holds, and drops the spool. */
  async putSpool(spool: number, { bucket, key }: Where, expiresAt = 0): Promise<undefined> {
    const { file, length } = this.#spooled(spool);
    try {
      let at = 0;
      this.#engine.setFrom(bucket, new Uint8Array(key), expiresAt, length, (into) => {
        const part = into.subarray(0, Math.min(into.length, length - at));
        readFully(file.handle, part, at);
        at += part.length;
        return part.length;
      });
    } finally {
      await this.dropSpool(spool);
    }
  }

  async dropSpool(spool: number): Promise<undefined> {
    const found = this.#spools.get(spool);
    this.#spools.delete(spool);
    await found?.file.remove();
  }

  /** Holds the bytes of a value, or of the whole store, where they lie now. */
  hold(what: Where | { whole: true }): Held | undefined {
    let [offset, length] = [0, 0];
    if ("whole" in what) length = this.#engine.store.tail();
    else {
      const writer = new RequestWriter().bucket(what.bucket);
      writer.put(OP.locate, 0, new Uint8Array(what.key));
      const answer = new AnswerReader(this.#engine.runOps(writer)).next();
      if (answer.error !== undefined) throw answer.error;
      const extent = answer.extent();
      if (extent === undefined) return undefined;
      ({ offset, length } = extent);
    }
    // What is read later is read from the file alone.
    this.#engine.store.drain();
    this.#holds.set(++this.#names, { file: this.#file, offset, length });
    return { held: this.#names, length };
  }

  /** At most `length` bytes of what is held. */
  read(held: number, offset: number, length: number): ArrayBuffer {
    const hold = this.#holds.get(held);
    if (hold === undefined) throw new TailstoneError("closed", "the tab that held the value has gone; read it again");
    const bytes = new Uint8Array(Math.max(0, Math.min(length, hold.length - offset)));
    readFully(hold.file.handle, bytes, hold.offset + offset);
    return bytes.buffer;
  }

  async letGo(held: number): Promise<undefined> {
    const hold = this.#holds.get(held);
    this.#holds.delete(held);
    if (hold !== undefined && this.#retired.has(hold.file)) await this.#retire(hold.file);
  }

  /** Rewrites the store without what is no longer in use. */
  async compact(): Promise<undefined> {
    const spare = await this.#place.openSpare();
    try {
      this.#engine.store.compact(spare.handle, { promote: () => this.#place.promote(spare) });
    } catch (error) {
      await this.#discard(spare);
      throw error;
    }
    this.#place.bound?.flushed(this.#engine.store.tail());
    const before = this.#file;
    this.#file = spare;
    await this.#retire(before);
  }

  /** Puts a file in the place of the store, if it is one from its first byte to its last. */
  async import(source: { file: Blob } | { spool: number }): Promise<Recovery> {
    const spare = await this.#place.openSpare();
    let engine: Engine;
    try {
      if ("file" in source) await copyBlob(source.file, spare);
      else this.#copySpool(source.spool, spare);
      engine = new Engine(spare.handle, this.#engine.store.generation() + 1);
      const verdict = engine.verify();
      if (!verdict.sound) throw new TailstoneError("corrupt", `the file was not imported: ${verdict.summary}`);
      engine.store.sync();
      this.#place.promote(spare);
      this.#place.bound?.flushed(engine.store.tail());
    } catch (error) {
      await this.#discard(spare);
      throw error;
    } finally {
      if ("spool" in source) await this.dropSpool(source.spool);
    }
    const [before, file] = [this.#engine, this.#file];
    this.#engine = engine;
    this.#file = spare;
    this.#recovery = engine.recovery();
    before.store.free();
    await this.#retire(file);
    return this.#recovery;
  }

  async close(): Promise<undefined> {
    try {
      this.#engine.store.close();
      this.#place.bound?.flushed(this.#file.handle.getSize(), true);
    } finally {
      this.#file.handle.close();
      this.#holds.clear();
      for (const file of [...this.#retired, ...[...this.#spools.values()].map((spool) => spool.file)]) await file.remove();
      this.#place.release();
    }
  }

  /** Lets go of everything when the engine cannot be asked any more. What it had flushed is there for the next holder. */
  abandon(): void {
    this.#file.handle.close();
    this.#place.release();
  }

  #spooled(spool: number): Spool {
    const found = this.#spools.get(spool);
    if (found === undefined) throw new TailstoneError("closed", "the tab that took the stream has gone; send it again");
    return found;
  }

  #copySpool(spool: number, spare: StoreFile): void {
    const { file, length } = this.#spooled(spool);
    for (let at = 0; at < length; at += PIECE) {
      const piece = new Uint8Array(Math.min(PIECE, length - at));
      readFully(file.handle, piece, at);
      writeFully(spare.handle, piece, at);
    }
  }

  /** Removes a file that is no longer in use, once nothing reads it. */
  async #retire(file: StoreFile): Promise<void> {
    if ([...this.#holds.values()].some((hold) => hold.file === file)) this.#retired.add(file);
    else {
      this.#retired.delete(file);
      await file.remove();
    }
  }

  /** Removes a file that was not to be. */
  async #discard(spare: StoreFile): Promise<void> {
    // Either file may be found by the next holder: this one ends here, and both stay.
    if (this.#place.unsure) this.#engine.store.free();
    else await spare.remove();
  }
}

/** How a blob is read without waiting: workers of browsers have that. */
function blobReader(): ((blob: Blob) => ArrayBuffer) | undefined {
  const { FileReaderSync } = globalThis as { FileReaderSync?: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer } };
  if (FileReaderSync === undefined) return undefined;
  const reader = new FileReaderSync();
  return (blob) => reader.readAsArrayBuffer(blob);
}

async function copyBlob(blob: Blob, { handle }: StoreFile): Promise<void> {
  for (let at = 0; at < blob.size; at += PIECE) {
    writeFully(handle, new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer()), at);
  }
}
