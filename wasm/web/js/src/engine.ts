/**
 * The engine on one handle: its memory, and the calls that need a view of it.
 *
 * Views of the engine's memory die when it grows, so each is made for one copy and never kept.
 */

import { ANSWER } from "./codes.js";
import { AnswerReader } from "./answers.js";
import { initSync, intactUpTo as intactUpToIn, salvage as salvageInto, WebStore } from "../generated/tailstone_web.js";
import type { Handle } from "./handle.js";
import type { Recovery, Stats, Verdict } from "./protocol.js";
import { keyBytes, RequestWriter } from "./request.js";

let memory: WebAssembly.Memory | undefined;

/** Whether the engine's code is loaded. */
export function isLoaded(): boolean {
  return memory !== undefined;
}

/** Loads the engine's code; once a thread. */
export function load(module: WebAssembly.Module): void {
  memory ??= initSync({ module }).memory;
}

/** What came of a rescue. */
export interface Salvaged {
  /** Entries taken over. */
  rescued: number;
  /** Entries left out, because their bytes are not those that were written. */
  damaged: number;
  /** Bytes that belong to no entry. */
  lost: number;
  /** Length of what they were taken into. */
  bytes: number;
}

/** Where the entries of a file end that are sound down to `from`; less than that if damage reaches below it. */
export function intactUpTo(handle: Handle, from: number, end = Number.POSITIVE_INFINITY): number {
  return intactUpToIn(handle, from, end);
}

/** Writes every sound entry of one file into another, which is empty, and flushes that. */
export function salvage(from: Handle, into: Handle): Salvaged {
  return salvageInto(from, into) as Salvaged;
}

/** The outcome of one run: answers, and beside them the values too large to lie among them. */
export interface Ran {
  answers: ArrayBuffer;
  large: ArrayBuffer[];
}

export class Engine {
  readonly store: WebStore;

  constructor(handle: Handle, generation: number) {
    this.store = new WebStore(handle, generation);
  }

  /** Carries out the first `length` bytes of `ops`. */
  run(ops: ArrayBuffer, length: number): Ran {
    const answered = this.runInside(ops, length);
    const start = this.store.output();
    const answers = buffer().slice(start, start + answered);
    return { answers, large: this.store.extents() > 0 ? this.#readLarge(answers) : [] };
  }

  /** The same; the answers stay in the engine's memory until the next call, at `output()`. */
  runInside(ops: ArrayBuffer, length: number): number {
    const at = this.store.input(length);
    new Uint8Array(buffer(), at, length).set(new Uint8Array(ops, 0, length));
    return this.store.run(length);
  }

  /** A view of what the last run answered, dead with the next call. */
  view(start: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(buffer(), this.store.output() + start, length);
  }

  /** The keys that the last change touched, as records; empty unless `watch` was asked for. */
  changes(): ArrayBuffer | undefined {
    const length = this.store.changesLen();
    if (length === 0) return undefined;
    const at = this.store.changes();
    return buffer().slice(at, at + length);
  }

  stats(): Stats {
    return this.store.stats() as Stats;
  }

  recovery(): Recovery {
    const found = this.store.recovery() as Omit<Recovery, "summary">;
    return { ...found, summary: summaryOf(found) };
  }

  verify(): Verdict {
    const found = this.store.verify() as Omit<Verdict, "summary">;
    const what = found.sound ? "sound" : `${found.damagedEntries} damaged`;
    return { ...found, summary: `${found.entries} entries in ${found.fileBytes} bytes: ${what}` };
  }

  /** Carries out what a writer holds, without values beside the answers. */
  runOps(writer: RequestWriter): ArrayBuffer {
    const answered = this.runInside(writer.buffer, writer.length);
    return this.view(0, answered).slice().buffer;
  }

  /** Stores a value that is at hand, with one copy of it into the engine's memory. */
  set(bucket: string, key: Uint8Array, expiresAt: number, value: Uint8Array): void {
    const head = new RequestWriter().bucket(bucket);
    head.headOfSet(key, expiresAt, value.length);
    const length = (head.length + value.length + 3) & ~3;
    const at = this.store.input(length);
    const into = new Uint8Array(buffer(), at, length);
    into.set(new Uint8Array(head.buffer, 0, head.length));
    into.set(value, head.length);
    into.fill(0, head.length + value.length);
    const answered = this.store.run(length);
    const { error } = new AnswerReader(this.view(0, answered).slice().buffer).next();
    if (error !== undefined) throw error;
  }

  /** Stores a value of `length` bytes that `pull` gives piece by piece. */
  setFrom(bucket: string, key: Uint8Array, expiresAt: number, length: number, pull: (into: Uint8Array) => number): void {
    this.store.setFrom(keyBytes(bucket), key, length, expiresAt, { pull });
  }

  /** The values of `EXTENT` answers, read from the file into buffers of their own. */
  #readLarge(answers: ArrayBuffer): ArrayBuffer[] {
    const large: ArrayBuffer[] = [];
    for (const reader = new AnswerReader(answers); !reader.done; ) {
      const answer = reader.next();
      if (answer.kind !== ANSWER.extent) continue;
      const { offset, length } = answer.extent() ?? { offset: 0, length: 0 };
      const value = new Uint8Array(length);
      this.store.readFile(offset, value);
      large.push(value.buffer);
    }
    return large;
  }
}

function summaryOf({ outcome, tail, cutBytes, fileBytes, damagedEntries }: Omit<Recovery, "summary">): string {
  if (fileBytes === 0) return "a new store";
  const cut = cutBytes > 0 ? `, ${cutBytes} bytes of ${outcome === "UnusedSpace" ? "unused space" : "an unfinished write"} cut off` : "";
  const damage = damagedEntries > 0 ? `, ${damagedEntries} damaged` : "";
  return `${tail} bytes of entries${damage}${cut}`;
}

function buffer(): ArrayBuffer {
  return (memory as WebAssembly.Memory).buffer as ArrayBuffer;
}
