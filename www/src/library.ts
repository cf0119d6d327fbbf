/**
 * The shelf: files under their names in one bucket of a store, with notes and thumbnails in two others.
 *
 * `items` follows what every tab does, a moment later. A note is written behind its file, so that what is described is
 * there; the files are all that matters, and the rest is made again or done without.
 */

import { type Bytes, type Db, open, type OpenOptions, type Recovery } from "tailstone";
import { type About, aboutCodec } from "./about.js";
import { typeByName } from "./kinds.js";

/** A bucket of bytes. */
type ByteBucket = Db<Uint8Array<ArrayBuffer>, Bytes>;

/** A file on the shelf. */
export interface Item {
  name: string;
  /** Length in bytes. */
  size: number;
  /** Media type; empty when nobody knows. */
  type: string;
  /** When it was stored, in milliseconds since 1970, if that was noted. */
  stored: number | undefined;
}

/** Names that are held in memory; a search asks the store for the others. */
const LISTED_MAX = 10_000;
/** Keys asked about in one go. */
const ASKED_AT_ONCE = 1000;
/** How long changes gather before they are looked at, in milliseconds: the least, and as a multiple of what looking took. */
const GATHER_MS = 80;
const GATHER_SHARE = 4;
/** Longer values are read as a stream, whose bytes the browser may keep out of memory. */
const STREAMED_FROM = 1 << 20;

export class Library {
  readonly files: ByteBucket;
  readonly notes: Db<About>;
  readonly thumbs: ByteBucket;
  items: Map<string, Item> = new Map();
  /** All files in the store, `items` or not. */
  total = 0;
  /** Runs after `items` changed. */
  onChange: () => void = () => {};
  /** Runs after operations on values, with how many there were and their bytes. */
  onWork: (ops: number, bytes: number) => void = () => {};
  readonly #changed = new Set<string>();
  #all = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();
  #roundMs = 0;

  private constructor(files: ByteBucket, notes: Db<About>, thumbs: ByteBucket) {
    this.files = files;
    this.notes = notes;
    this.thumbs = thumbs;
    const follow = ({ key }: { key: string | undefined }) => this.#noticed(key);
    files.watch("", follow);
    notes.watch("", follow);
  }

  /** Opens the store called `name`, and lists what is in its bucket `files`. */
  static async open(name: string, options: Pick<OpenOptions, "onDegraded"> = {}): Promise<Library> {
    // The past of a file is there until somebody says that it may go.
    const files = await open(name, { ...options, bucket: "files", compactAt: false });
    const notes = await open(name, { bucket: "meta", codec: aboutCodec });
    const thumbs = await open(name, { bucket: "thumbs" });
    const library = new Library(files, notes, thumbs);
    await library.refresh();
    return library;
  }

  /** Lists the whole shelf anew. */
  refresh(): Promise<void> {
    this.#all = true;
    return this.#catchUp();
  }

  /** Takes note that files changed, and waits until `items` says so. */
  changed(names: Iterable<string>): Promise<void> {
    for (const name of names) this.#changed.add(name);
    return this.#catchUp();
  }

  /** Names beginning with `prefix`, in the order of their bytes; from the store itself. */
  async find(prefix: string, limit: number): Promise<Item[]> {
    const names: string[] = [];
    for await (const name of this.files.keys({ prefix, limit })) names.push(name);
    return this.#describe(names);
  }

  /** The file called `name`. */
  async read(name: string): Promise<Blob | undefined> {
    const [item] = await this.#describe([name]);
    if (item === undefined) return undefined;
    const { size } = item;
    const type = safeType(item.type);
    if (size < STREAMED_FROM) {
      const bytes = await this.files.get(name);
      this.onWork(1, bytes?.length ?? 0);
      return bytes && new Blob([bytes], { type });
    }
    const stream = await this.files.stream(name);
    const blob = stream && (await new Response(stream, type === "" ? {} : { headers: { "content-type": type } }).blob());
    this.onWork(1, size);
    return blob;
  }

  /** The first `length` bytes of the file called `name`; the rest is not read. */
  async head(name: string, length: number): Promise<Uint8Array> {
    const head = await this.files.getRange(name, 0, length);
    this.onWork(1, head?.length ?? 0);
    return head ?? new Uint8Array();
  }

  /** Takes a file from the shelf. Its versions stay in the store until that is compacted. */
  async remove(name: string): Promise<void> {
    const item = this.items.get(name);
    await this.files.delete(name);
    await Promise.all([this.notes.delete(name), item && this.thumbs.delete(thumbKey(item))]);
    this.onWork(1, 0);
    await this.changed([name]);
  }

  /** Replaces everything in the store with the contents of a store file. */
  async import(file: Blob): Promise<Recovery> {
    const recovery = await this.files.import(file);
    await this.refresh();
    return recovery;
  }

  #noticed(key: string | undefined): void {
    if (key === undefined) this.#all = true;
    else this.#changed.add(key);
    // Errors have come up at the call that caused them; the next change, or a reload, lists again.
    this.#timer ??= setTimeout(() => this.#catchUp().catch(() => {}), Math.max(GATHER_MS, GATHER_SHARE * this.#roundMs));
  }

  /** Brings `items` up to date, one round at a time. */
  #catchUp(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const round = this.#running.then(async () => {
      const start = performance.now();
      if (this.#all) {
        this.#all = false;
        this.#changed.clear();
        const listed = await this.find("", LISTED_MAX);
        this.items = new Map(listed.map((item) => [item.name, item]));
      } else if (this.#changed.size > 0) {
        const names = [...this.#changed];
        this.#changed.clear();
        const present = new Map((await this.#describe(names)).map((item) => [item.name, item]));
        for (const name of names) {
          const item = present.get(name);
          if (item === undefined) this.items.delete(name);
          else this.items.set(name, item);
        }
      } else return;
      this.total = Math.max(await this.files.count(), this.items.size);
      this.onChange();
      this.#roundMs = performance.now() - start;
    });
    this.#running = round.catch(() => {});
    return round;
  }

  /** What is known of those of `names` that are there. */
  async #describe(names: readonly string[]): Promise<Item[]> {
    const items: Item[] = [];
    for (let at = 0; at < names.length; at += ASKED_AT_ONCE) {
      const asked = names.slice(at, at + ASKED_AT_ONCE);
      // Made in one turn, so that they travel as one message.
      const [notes, sizes] = await Promise.all([
        this.notes.getMany(asked),
        Promise.all(asked.map((name) => this.files.size(name))),
      ]);
      asked.forEach((name, index) => {
        const size = sizes[index];
        if (size !== undefined) items.push(itemOf(name, size, notes[index]));
      });
    }
    return items;
  }
}

/** Where the thumbnail of a file lies: another size is another picture. */
export function thumbKey({ name, size }: Pick<Item, "name" | "size">): string {
  return `${name}\u0000${size}`;
}

/** A type that a header can hold. */
export function safeType(type: string): string {
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : "";
}

export function itemOf(name: string, size: number, about: About | undefined): Item {
  const fits = about?.size === size;
  const type = fits && about.type !== "" ? about.type : typeByName(name);
  return { name, size, type, stored: fits ? about.stored : undefined };
}
