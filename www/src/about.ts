/**
 * What is noted about a file, in a bucket beside the files': its type and when it was stored.
 *
 * A note may be missing or of another version of the file, since the command line writes none: it counts only while its
 * size is the file's.
 */

import type { Codec } from "tailstone";

export interface About {
  /** Media type, as the browser guessed it; empty when it could not. */
  type: string;
  /** When the file was stored, in milliseconds since 1970. */
  stored: number;
  /** Length in bytes of the file that this is about; no file's where the note cannot be read. */
  size: number;
}

const UNREADABLE: About = { type: "", stored: 0, size: -1 };

/** JSON that forgives: a store may come from anywhere. */
export const aboutCodec: Codec<About> = {
  encode: (about) => new TextEncoder().encode(JSON.stringify(about)),
  decode(bytes) {
    try {
      const { type, stored, size } = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Record<keyof About, unknown>>;
      const holds = typeof type === "string" && typeof stored === "number" && typeof size === "number";
      return holds && Number.isFinite(stored) ? { type, stored, size } : UNREADABLE;
    } catch {
      return UNREADABLE;
    }
  },
};
