/**
 * The shelf: files in a store, each under its name, and a list of the names.
 *
 * A plain store knows hashes of keys and cannot list them, so the names lie as JSON under a key that no file can have.
 * Values go in before the list that names them: whatever moment the page dies at, what the list names is there.
 */

import { type Db, open, type OpenOptions, type Recovery, TailstoneError } from "tailstone";

/** The key of the list. No file name holds a zero character. */
export const DIRECTORY_KEY = "\u0000directory";

/** A file on the shelf. */
export interface Item {
  name: string;
  /** Length in bytes. */
  size: number;
  /** Media type, as the browser guessed it; empty when it could not. */
  type: string;
  /** When it was stored, in milliseconds since 1970. */
  added: number;
  /**
   * Set for what a plain store cannot hold, the empty file and the one zero byte: such a file is in the list alone, and
   * is `size` zeros.
   */
  listed?: true;
}

/** A file to be stored. */
export interface Incoming {
  name: string;
  file: File;
}

/** How far storing has come. */
export interface Progress {
  files: number;
  bytes: number;
  ms: number;
}

/** Larger files are streamed; smaller ones are read and travel together. */
const STREAMED_FROM = 8 << 20;

/** How much is read before it is sent. */
const BATCH_BYTES = 8 << 20;
const BATCH_FILES = 256;

/** How often the list is written while many files are stored. */
const LIST_EVERY_MS = 2000;

export class Library {
  readonly db: Db;
  readonly items = new Map<string, Item>();
  /** Whether the store has a list of names; one that was made elsewhere may not. */
  listed = true;

  private constructor(db: Db) {
    this.db = db;
  }

  static async open(name: string, options?: OpenOptions): Promise<Library> {
    const library = new Library(await open(name, options));
    await library.#readList();
    return library;
  }

  /** Stores files under their names, in the place of what had those names; flushed when this resolves. */
  async put(incoming: Iterable<Incoming>, onProgress: (progress: Progress) => void = () => {}): Promise<Progress> {
    const start = performance.now();
    const progress: Progress = { files: 0, bytes: 0, ms: 0 };
    let batch: Promise<Item>[] = [];
    let batchBytes = 0;
    let listedAt = start;
    const settle = async () => {
      const settled = await Promise.allSettled(batch);
      batch = [];
      batchBytes = 0;
      for (const outcome of settled) {
        if (outcome.status === "rejected") continue;
        this.items.set(outcome.value.name, outcome.value);
        progress.files += 1;
        progress.bytes += outcome.value.size;
      }
      progress.ms = performance.now() - start;
      onProgress({ ...progress });
      const refused = settled.find((outcome) => outcome.status === "rejected");
      if (refused !== undefined || performance.now() - listedAt > LIST_EVERY_MS) {
        await this.#writeList();
        listedAt = performance.now();
      }
      if (refused !== undefined) throw refused.reason;
    };
    for (const { name, file } of incoming) {
      batch.push(this.#putOne(name, file));
      batchBytes += file.size;
      if (batch.length >= BATCH_FILES || batchBytes >= BATCH_BYTES) await settle();
    }
    await settle();
    await this.#writeList();
    await this.db.flush();
    progress.ms = performance.now() - start;
    return progress;
  }

  /** The file called `name`. */
  async read(name: string): Promise<Blob | undefined> {
    const item = this.items.get(name);
    const type = item?.type ?? "";
    if (item?.listed) return new Blob([new Uint8Array(item.size)], { type });
    const bytes = await this.db.get(name);
    return bytes === undefined ? undefined : new Blob([bytes], { type });
  }

  /** The first `length` bytes of the file called `name`; the rest is not read. */
  async head(name: string, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const item = this.items.get(name);
    return item?.listed ? new Uint8Array(item.size) : this.db.getRange(name, 0, length);
  }

  async remove(name: string): Promise<void> {
    this.items.delete(name);
    await this.#writeList();
    await this.db.delete(name);
    await this.db.flush();
  }

  /** Replaces everything with the contents of a store file. */
  async importFile(file: Blob): Promise<Recovery> {
    const recovery = await this.db.importFile(file);
    await this.#readList();
    return recovery;
  }

  async #putOne(name: string, file: File): Promise<Item> {
    const item: Item = { name, size: file.size, type: file.type, added: Date.now() };
    if (file.size >= STREAMED_FROM) {
      try {
        await this.db.set(name, file);
        return item;
      } catch (error) {
        // A stream of nothing but zeros is refused; the same bytes in one piece are not.
        if (!(error instanceof TailstoneError && error.code === "invalid")) throw error;
      }
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (bytes.length === 0 || (bytes.length === 1 && bytes[0] === 0)) {
      await this.db.delete(name);
      return { ...item, listed: true };
    }
    await this.db.set(name, bytes);
    return item;
  }

  async #readList(): Promise<void> {
    this.items.clear();
    const bytes = await this.db.get(DIRECTORY_KEY);
    this.listed = bytes !== undefined || (await this.db.stats()).liveKeys === 0;
    if (bytes === undefined) return;
    for (const item of parseList(bytes)) this.items.set(item.name, item);
  }

  async #writeList(): Promise<void> {
    const list = JSON.stringify({ version: 1, files: [...this.items.values()] });
    await this.db.set(DIRECTORY_KEY, new TextEncoder().encode(list));
    this.listed = true;
  }
}

/** The items of a list; what is not one is passed over, since a store may come from anywhere. */
function parseList(bytes: Uint8Array): Item[] {
  try {
    const { files } = JSON.parse(new TextDecoder().decode(bytes)) as { files?: unknown };
    return Array.isArray(files) ? files.filter(isItem) : [];
  } catch {
    return [];
  }
}

function isItem(value: unknown): value is Item {
  if (typeof value !== "object" || value === null) return false;
  const { name, size, type, added } = value as Partial<Record<keyof Item, unknown>>;
  return (
    typeof name === "string" && typeof type === "string" && Number.isSafeInteger(size) && Number.isFinite(added)
  );
}
