/** Reads what the engine answered, answer by answer. */

import { ANSWER, LARGE_BYTES } from "./codes.js";
import { CODES, fromWire, TailstoneError } from "./errors.js";

const decoder = new TextDecoder();

export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);

/** One answer, where it lies. */
export class Answer {
  readonly kind: number;
  readonly #reader: AnswerReader;
  readonly #at: number;
  readonly #length: number;

  constructor(reader: AnswerReader, kind: number, at: number, length: number) {
    this.#reader = reader;
    this.kind = kind;
    this.#at = at;
    this.#length = length;
  }

  /** The error that this is, if it is one. */
  get error(): TailstoneError | undefined {
    if (this.kind !== ANSWER.error) return undefined;
    const { view } = this.#reader;
    let at = this.#at + 4;
    const text = () => {
      const length = view.getUint32(at, true);
      at += 4 + length;
      return textOf(this.#reader.bytes.subarray(at - length, at));
    };
    const code = CODES[view.getUint32(this.#at, true)] ?? "io";
    const [message, name, reason] = [text(), text(), text()];
    return fromWire({ code, message, cause: name === "" ? undefined : { name, message: reason } });
  }

  /** A value in a buffer that is the caller's alone. */
  value(): Uint8Array<ArrayBuffer> | undefined {
    switch (this.kind) {
      case ANSWER.value:
        return this.#reader.copy(this.#at, this.#length);
      case ANSWER.versioned:
        return this.#reader.copy(this.#at + 16, this.#length - 16);
      case ANSWER.extent:
        return this.#reader.nextLarge();
      default:
        return undefined;
    }
  }

  /** Version and generation of a value, which `put if` compares. */
  version(): { version: number; generation: number } | undefined {
    const at = this.kind === ANSWER.versioned ? this.#at : this.#at + 16;
    if (this.kind !== ANSWER.versioned && this.kind !== ANSWER.extent) return undefined;
    const { view } = this.#reader;
    return { version: view.getFloat64(at, true), generation: view.getUint32(at + 8, true) };
  }

  number(): number | undefined {
    return this.kind === ANSWER.number ? this.#reader.view.getFloat64(this.#at, true) : undefined;
  }

  /** Where a value lies in the file. */
  extent(): { offset: number; length: number } | undefined {
    if (this.kind !== ANSWER.extent) return undefined;
    const { view } = this.#reader;
    return { offset: view.getFloat64(this.#at, true), length: view.getFloat64(this.#at + 8, true) };
  }

  page(): Page {
    const { view } = this.#reader;
    const count = view.getUint32(this.#at, true);
    const cursorLength = view.getUint32(this.#at + 4, true);
    let at = this.#at + 8;
    const more = cursorLength !== END;
    const cursor = more ? this.#reader.copy(at, cursorLength) : undefined;
    at = padded(at + (more ? cursorLength : 0));
    const entries: PageEntry[] = [];
    for (let n = 0; n < count; n++) {
      const [keyLength, kind, length] = [0, 4, 8].map((word) => view.getUint32(at + word, true)) as [number, number, number];
      const key = at + 12;
      const inline = kind === ANSWER.value;
      entries.push({
        key: this.#reader.copy(key, keyLength),
        value: inline ? this.#reader.copy(key + keyLength, length) : undefined,
      });
      at = padded(key + keyLength + (inline ? length : 0));
    }
    return { entries, cursor };
  }

  list(): HistoryEntry[] {
    const { view } = this.#reader;
    const count = view.getUint32(this.#at, true);
    return Array.from({ length: count }, (_, n) => {
      const at = this.#at + 8 + 24 * n;
      return {
        version: view.getFloat64(at, true),
        size: view.getFloat64(at + 8, true),
        deleted: view.getUint32(at + 16, true) !== 0,
      };
    });
  }
}

/** One change of a key that is still in the file. */
export interface HistoryEntry {
  /** Where the store ended behind this change, in bytes: what `getVersion` takes. */
  version: number;
  /** Length of the value in bytes; 0 for a deletion. */
  size: number;
  /** Whether the key was deleted by it. */
  deleted: boolean;
}

export interface PageEntry {
  key: Uint8Array<ArrayBuffer>;
  /** Left out when values were not asked for, or this one is to be asked for by itself. */
  value: Uint8Array<ArrayBuffer> | undefined;
}

export interface Page {
  entries: PageEntry[];
  /** Where the next page begins, unless this was the last. */
  cursor: Uint8Array | undefined;
}

const END = 0xffffffff;

function padded(at: number): number {
  return (at + 3) & ~3;
}

export class AnswerReader {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly #large: ArrayBuffer[];
  #at = 0;

  constructor(answers: ArrayBuffer, large: ArrayBuffer[] = []) {
    this.bytes = new Uint8Array(answers);
    this.view = new DataView(answers);
    this.#large = [...large];
  }

  get done(): boolean {
    return this.#at >= this.bytes.length;
  }

  /** How far it has read. */
  get at(): number {
    return this.#at;
  }

  next(): Answer {
    const kind = this.view.getUint32(this.#at, true);
    const length = this.view.getUint32(this.#at + 4, true);
    const start = this.#at + 8;
    this.#at = padded(start + length);
    return new Answer(this, kind, start, length);
  }

  copy(start: number, length: number): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(start, start + length);
  }

  /** Values of `LARGE_BYTES` and more come beside the answers, in their order. */
  nextLarge(): Uint8Array<ArrayBuffer> {
    const buffer = this.#large.shift();
    if (buffer === undefined) throw new TailstoneError("io", `a value of more than ${LARGE_BYTES} bytes is missing`);
    return new Uint8Array(buffer);
  }
}
