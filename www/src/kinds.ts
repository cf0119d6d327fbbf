/** What kind of thing a file is, by what the browser said of it when it was stored, or else by its name. */

export type Kind = "image" | "text" | "code" | "media" | "archive" | "other";

/** The kinds in the order of the legend, with their names there. */
export const KINDS: ReadonlyMap<Kind, string> = new Map([
  ["image", "pictures"],
  ["text", "text"],
  ["code", "code"],
  ["media", "sound and film"],
  ["archive", "archives"],
  ["other", "other"],
]);

const ENDINGS = [
  ["code", "rs ts js mjs cjs tsx jsx py c h cc cpp hpp go java kt swift rb php sh sql html css wasm toml json yaml yml xml lock wit"],
  ["text", "txt md markdown rst csv tsv log tex ini cfg conf license pdf"],
  ["image", "png jpg jpeg gif webp avif svg ico bmp"],
  ["media", "mp3 wav ogg flac m4a mp4 webm mov mkv"],
  ["archive", "zip gz tgz bz2 xz zst 7z tar jar crate tsl"],
] as const;

const BY_ENDING: ReadonlyMap<string, Kind> = new Map(
  ENDINGS.flatMap(([kind, endings]) => endings.split(" ").map((ending) => [ending, kind] as const)),
);

/** Types of what a browser can show, for files that came without one. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["gif", "image/gif"],
  ["webp", "image/webp"],
  ["avif", "image/avif"],
  ["svg", "image/svg+xml"],
  ["bmp", "image/bmp"],
  ["ico", "image/x-icon"],
  ["mp3", "audio/mpeg"],
  ["wav", "audio/wav"],
  ["ogg", "audio/ogg"],
  ["flac", "audio/flac"],
  ["m4a", "audio/mp4"],
  ["mp4", "video/mp4"],
  ["webm", "video/webm"],
  ["mov", "video/quicktime"],
]);

export function kindOf(name: string, type: string): Kind {
  const byEnding = BY_ENDING.get(ending(name));
  if (byEnding !== undefined) return byEnding;
  if (type.startsWith("image/")) return "image";
  if (type.startsWith("audio/") || type.startsWith("video/")) return "media";
  if (type.startsWith("text/")) return "text";
  return "other";
}

/** The media type that a name promises; empty where it promises none that matters here. */
export function typeByName(name: string): string {
  return TYPES.get(ending(name)) ?? "";
}

export function ending(name: string): string {
  const file = name.slice(name.lastIndexOf("/") + 1);
  const dot = file.lastIndexOf(".");
  return dot < 0 ? "" : file.slice(dot + 1).toLowerCase();
}
