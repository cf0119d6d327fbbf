/**
 * What was under a name before, as far as the store still has it, and how to get it back.
 *
 * The store orders versions but does not date them; the notes beside the files are dated, and each was written right
 * behind its file.
 */

import type { About } from "./about.js";
import { typeByName } from "./kinds.js";
import { type Library, safeType, thumbKey } from "./library.js";

export interface Version {
  version: number;
  /** Length in bytes. */
  size: number;
  /** Whether this is where the file was removed. */
  deleted: boolean;
  type: string;
  /** When it was stored, if that was noted. */
  stored: number | undefined;
}

/** Versions looked for; a file that changes every second would have more than anyone reads. */
const VERSIONS_MAX = 100;

/** The versions of a file, newest first. */
export async function versionsOf(library: Library, name: string): Promise<Version[]> {
  const [past, noted] = await Promise.all([
    library.files.history(name, VERSIONS_MAX),
    library.notes.history(name, 2 * VERSIONS_MAX),
  ]);
  const written = noted.filter(({ deleted }) => !deleted);
  const notes = await Promise.all(
    written.map(async ({ version }) => ({ version, about: await library.notes.getVersion(name, version) })),
  );
  return past.map(({ version, size, deleted }, index) => {
    const until = past[index - 1]?.version ?? Infinity;
    const about = notes.find((note) => note.version > version && note.version < until && note.about?.size === size)?.about;
    return { version, size, deleted, type: about?.type || typeByName(name), stored: about?.stored };
  });
}

/** A version's bytes. */
export async function readVersion(library: Library, name: string, { version, type }: Version): Promise<Blob | undefined> {
  const bytes = await library.files.getVersion(name, version);
  library.onWork(1, bytes?.length ?? 0);
  return bytes && new Blob([bytes], { type: safeType(type) });
}

/** Makes a version the newest one again. Nothing is lost: what was newest becomes one more earlier version. */
export async function restore(library: Library, name: string, { version, type }: Version): Promise<void> {
  const bytes = await library.files.getVersion(name, version);
  if (bytes === undefined) throw new Error(`that version of ${name} is no longer in the store`);
  const about: About = { type, stored: Date.now(), size: bytes.length };
  await library.files.set(name, bytes, { durability: "strict" });
  await Promise.all([library.notes.set(name, about), library.thumbs.delete(thumbKey({ name, size: bytes.length }))]);
  library.onWork(1, bytes.length);
  await library.changed([name]);
}
