/**
 * Files go into the shelf: small ones together, in batches that are stored all or none; large ones as streams, in memory
 * that does not depend on their length.
 */

import { type Item, type Library, thumbKey } from "./library.js";

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
  /** Files that the browser could not read, moved or removed since they were picked. */
  unread: string[];
}

/** Larger files go as streams. */
const STREAMED_FROM = 1 << 20;
/** Streams longer than this are counted on their way, so that the progress moves. */
const COUNTED_FROM = 8 << 20;
/** What is read before it is stored. */
const BATCH_BYTES = 4 << 20;
const BATCH_FILES = 256;

type Loaded = { name: string; type: string; bytes: Uint8Array<ArrayBuffer> };

/**
 * Stores files under their names, in the place of what had those names; flushed when this resolves. A signal ends it
 * between two batches or within a stream: what was stored by then stays.
 */
export async function putAll(
  library: Library,
  incoming: Iterable<Incoming>,
  onProgress: (progress: Progress) => void = () => {},
  signal?: AbortSignal,
): Promise<Progress> {
  const start = performance.now();
  const progress: Progress = { files: 0, bytes: 0, ms: 0, unread: [] };
  const advance = (files: number, bytes: number) => {
    progress.files += files;
    progress.bytes += bytes;
    progress.ms = performance.now() - start;
    onProgress(progress);
    library.onWork(files, bytes);
  };
  const stored: string[] = [];
  // One batch is on its way into the store while the next is read.
  let underway: Promise<unknown> = Promise.resolve();
  const send = async (batch: readonly Incoming[]) => {
    const loaded = await load(batch, progress.unread);
    await underway;
    underway = putBatch(library, loaded).then((bytes) => {
      stored.push(...loaded.map(({ name }) => name));
      advance(loaded.length, bytes);
    });
    // Whoever awaits it next sees it fail; until then it is not a rejection that nobody saw.
    underway.catch(() => {});
  };
  let batch: Incoming[] = [];
  let batchBytes = 0;
  for (const each of incoming) {
    if (signal?.aborted) break;
    if (each.file.size >= STREAMED_FROM) {
      await underway;
      await putLarge(library, each, advance, signal);
      stored.push(each.name);
      continue;
    }
    batch.push(each);
    batchBytes += each.file.size;
    if (batch.length < BATCH_FILES && batchBytes < BATCH_BYTES) continue;
    await send(batch);
    batch = [];
    batchBytes = 0;
  }
  if (!signal?.aborted) await send(batch);
  await underway;
  await library.files.flush();
  progress.ms = performance.now() - start;
  // Most have been noticed by now, in this tab as in the others; the last ones may be on their way.
  await library.changed(stored);
  return progress;
}

async function load(batch: readonly Incoming[], unread: string[]): Promise<Loaded[]> {
  const read = batch.map(async ({ name, file }) => {
    try {
      return { name, type: file.type, bytes: new Uint8Array(await file.arrayBuffer()) };
    } catch {
      unread.push(name);
      return undefined;
    }
  });
  return (await Promise.all(read)).filter((loaded) => loaded !== undefined);
}

async function putBatch(library: Library, loaded: readonly Loaded[]): Promise<number> {
  if (loaded.length === 0) return 0;
  const stored = Date.now();
  await library.files.setMany(loaded.map(({ name, bytes }) => [name, bytes] as const));
  await library.notes.setMany(loaded.map(({ name, type, bytes }) => [name, { type, stored, size: bytes.length }] as const));
  await dropThumbs(library, loaded.map(({ name }) => name));
  return loaded.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

async function putLarge(
  library: Library,
  { name, file }: Incoming,
  advance: (files: number, bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  let told = 0;
  if (file.size < COUNTED_FROM) await library.files.putStream(name, file);
  else {
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        told += chunk.length;
        advance(0, chunk.length);
        controller.enqueue(chunk);
      },
    });
    await library.files.putStream(name, file.stream().pipeThrough(counter, signal === undefined ? {} : { signal }));
  }
  await library.notes.set(name, { type: file.type, stored: Date.now(), size: file.size });
  await dropThumbs(library, [name]);
  advance(1, file.size - told);
}

/** Thumbnails of what was under these names before. */
async function dropThumbs(library: Library, names: readonly string[]): Promise<void> {
  const before = names.map((name) => library.items.get(name)).filter((item): item is Item => item !== undefined);
  if (before.length > 0) await library.thumbs.deleteMany(before.map(thumbKey));
}
