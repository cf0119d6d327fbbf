/** Figures as people read them, and what kind of thing a file is. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return `${count} B`;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${UNITS[unit]}`;
}

export function count(number: number, singular: string): string {
  return `${number.toLocaleString("en")} ${singular}${number === 1 ? "" : "s"}`;
}

export function rate(byteCount: number, ms: number): string {
  return `${bytes(Math.round((byteCount / Math.max(ms, 1)) * 1000))} per second`;
}

const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });
const hour = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });

export function moment(ms: number): string {
  const date = new Date(ms);
  return date.toDateString() === new Date().toDateString() ? `today, ${hour.format(date)}` : day.format(date);
}

export type Kind = "image" | "text" | "code" | "media" | "archive" | "other";

/** The kinds in the order of the legend, with their names there. */
export const KINDS: ReadonlyMap<Kind, string> = new Map([
  ["image", "images"],
  ["text", "text"],
  ["code", "code"],
  ["media", "sound and film"],
  ["archive", "archives"],
  ["other", "other"],
]);

const BY_ENDING: ReadonlyMap<string, Kind> = new Map(
  (
    [
      ["code", "rs ts js mjs cjs tsx jsx py c h cc cpp hpp go java kt swift rb php sh sql html css wasm toml json yaml yml xml lock wit"],
      ["text", "txt md markdown rst csv tsv log tex ini cfg conf license pdf"],
      ["image", "png jpg jpeg gif webp avif svg ico bmp"],
      ["media", "mp3 wav ogg flac m4a mp4 webm mov mkv"],
      ["archive", "zip gz tgz bz2 xz zst 7z tar jar crate tsl"],
    ] as const
  ).flatMap(([kind, endings]) => endings.split(" ").map((ending) => [ending, kind] as const)),
);

export function kindOf(name: string, type: string): Kind {
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const byEnding = BY_ENDING.get(ending);
  if (byEnding !== undefined) return byEnding;
  if (type.startsWith("image/")) return "image";
  if (type.startsWith("audio/") || type.startsWith("video/")) return "media";
  if (type.startsWith("text/")) return "text";
  return "other";
}
