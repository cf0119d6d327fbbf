/**
 * A place in a file of the runtime's own, for Node, Deno and Bun: the store is the file at a path, and another file takes
 * its place by being renamed over it.
 *
 * Invariant: a lock file beside the store keeps other processes of this package out; who ended without removing it is
 * found by its process number. Programs that lock the file itself, as the command line does, are not seen: runtimes have
 * no call for that.
 */

import * as fs from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { TailstoneError } from "./errors.js";
import type { Handle, StoreFile } from "./handle.js";
import type { Place } from "./place.js";

class FileHandle implements Handle {
  readonly #file: number;

  constructor(path: string) {
    // Made if it is not there, and left as it is if it is.
    this.#file = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o666);
  }

  read(into: Uint8Array, { at }: { at: number }): number {
    return fs.readSync(this.#file, into, 0, into.length, at);
  }

  write(from: Uint8Array, { at }: { at: number }): number {
    return fs.writeSync(this.#file, from, 0, from.length, at);
  }

  getSize(): number {
    return fs.fstatSync(this.#file).size;
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.#file, size);
  }

  flush(): void {
    fs.fsyncSync(this.#file);
  }

  close(): void {
    fs.closeSync(this.#file);
  }
}

export class FilePlace implements Place {
  readonly backend = "file";
  readonly #path: string;
  #unsure = false;
  #names = 0;
  readonly #paths = new Map<StoreFile, string>();

  private constructor(path: string) {
    this.#path = path;
  }

  /** Takes the store at `path`; its folder must be there. */
  static take(path: string): FilePlace {
    const place = new FilePlace(resolve(path));
    lock(place.#lockPath);
    // What an earlier holder left unfinished; nothing else has such names.
    const [folder, name] = [dirname(place.#path), basename(place.#path)];
    for (const left of fs.readdirSync(folder)) {
      if (left.startsWith(`${name}.tailstone-`)) fs.rmSync(join(folder, left), { force: true });
    }
    return place;
  }

  get unsure(): boolean {
    return this.#unsure;
  }

  async openCurrent(): Promise<StoreFile> {
    return this.#open(this.#path);
  }

  async openSpare(): Promise<StoreFile> {
    fs.rmSync(this.#sparePath, { force: true });
    return this.#open(this.#sparePath);
  }

  promote(spare: StoreFile): void {
    fs.renameSync(this.#sparePath, this.#path);
    this.#unsure = true;
    this.#paths.set(spare, this.#path);
    syncFolder(dirname(this.#path));
    this.#unsure = false;
  }

  async openSpool(): Promise<StoreFile> {
    const path = this.#spoolPath(this.#names++);
    fs.rmSync(path, { force: true });
    return this.#open(path);
  }

  release(): void {
    fs.rmSync(this.#lockPath, { force: true });
  }

  get #lockPath(): string {
    return `${this.#path}.lock`;
  }

  get #sparePath(): string {
    return `${this.#path}.tailstone-compacting`;
  }

  #spoolPath(number: number): string {
    return `${this.#path}.tailstone-spool-${number}`;
  }

  #open(path: string): StoreFile {
    const handle = new FileHandle(path);
    const file: StoreFile = {
      handle,
      remove: async () => {
        handle.close();
        const now = this.#paths.get(file);
        this.#paths.delete(file);
        // What another file was renamed over is gone already.
        if (now !== undefined && now !== this.#path) fs.rmSync(now, { force: true });
      },
    };
    this.#paths.set(file, path);
    return file;
  }
}

/** Makes the lock file, or says who has it. */
function lock(path: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      fs.writeFileSync(path, `${process.pid}\n`, { flag: "wx" });
      return;
    } catch (cause) {
      if ((cause as { code?: string }).code !== "EEXIST") throw cause;
      const holder = Number.parseInt(fs.readFileSync(path, "utf8"), 10);
      if (attempt > 0 || holder === process.pid || isRunning(holder)) {
        throw new TailstoneError("locked", `the store is open in process ${holder}; its lock is ${path}`, { cause });
      }
      fs.rmSync(path, { force: true });
    }
  }
}

/** Whether there may be such a process; one of another user is one. */
function isRunning(process_id: number): boolean {
  if (!Number.isSafeInteger(process_id) || process_id <= 0) return true;
  try {
    return process.kill(process_id, 0);
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}

/** Makes a rename durable, where folders can be opened. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = fs.openSync(path, "r");
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}
