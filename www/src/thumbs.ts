/**
 * Small pictures of pictures, made when a row of one is first seen and kept in the store, so that files from the command
 * line get theirs too. A picture that cannot be drawn has none.
 */

import { kindOf } from "./kinds.js";
import { type Item, type Library, thumbKey } from "./library.js";

/** The longest side, in pixels: a tile's on a dense screen. */
const SIDE = 360;
/** Smaller files are their own thumbnails. */
const OWN_MAX = 24 << 10;
/** Larger files are not decoded for a thumbnail. */
const SOURCE_MAX = 48 << 20;
/** Thumbnails that are made at a time. */
const LANES = 2;

export class Thumbs {
  readonly #library: Library;
  readonly #urls = new Map<string, Promise<string | undefined>>();
  readonly #waiting: (() => void)[] = [];
  #free = LANES;

  constructor(library: Library) {
    this.#library = library;
  }

  /** Whether there may be a thumbnail. */
  static has({ name, type, size }: Item): boolean {
    return type.startsWith("image/") && kindOf(name, type) === "image" && size > 0 && size <= SOURCE_MAX;
  }

  /** The address of the thumbnail; good until `forget`. */
  url(item: Item): Promise<string | undefined> {
    const key = `${thumbKey(item)}\u0000${item.stored ?? 0}`;
    let url = this.#urls.get(key);
    if (url === undefined) {
      url = this.#inLane(() => this.#find(item)).then(
        (blob) => blob && URL.createObjectURL(blob),
        () => undefined,
      );
      this.#urls.set(key, url);
    }
    return url;
  }

  /** Lets go of all pictures; after a change of everything. */
  forget(): void {
    for (const url of this.#urls.values()) void url.then((url) => url && URL.revokeObjectURL(url));
    this.#urls.clear();
  }

  async #find(item: Item): Promise<Blob | undefined> {
    const { thumbs } = this.#library;
    const isDrawing = item.type === "image/svg+xml";
    if (item.size <= OWN_MAX || isDrawing) return item.size > SOURCE_MAX / 8 ? undefined : this.#library.read(item.name);
    const kept = await thumbs.get(thumbKey(item));
    if (kept !== undefined) return new Blob([kept]);
    const whole = await this.#library.read(item.name);
    const small = whole && (await shrink(whole));
    if (small !== undefined) await thumbs.set(thumbKey(item), new Uint8Array(await small.arrayBuffer()));
    return small;
  }

  async #inLane<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

async function shrink(picture: Blob): Promise<Blob> {
  const whole = await createImageBitmap(picture);
  const factor = Math.min(1, SIDE / Math.max(whole.width, whole.height));
  const width = Math.max(1, Math.round(whole.width * factor));
  const height = Math.max(1, Math.round(whole.height * factor));
  const paper = new OffscreenCanvas(width, height);
  const pen = paper.getContext("2d");
  if (pen === null) throw new Error("no canvas to draw a thumbnail on");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(whole, 0, 0, width, height);
  whole.close();
  return paper.convertToBlob({ type: "image/webp", quality: 0.8 });
}
