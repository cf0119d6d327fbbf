/** Figures as people read them. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return `${Math.round(count)} B`;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${UNITS[unit]}`;
}

export function number(value: number): string {
  return Math.round(value).toLocaleString("en");
}

export function count(value: number, singular: string): string {
  return `${number(value)} ${singular}${value === 1 ? "" : "s"}`;
}

export function rate(byteCount: number, ms: number): string {
  return `${bytes((byteCount / Math.max(ms, 1)) * 1000)} per second`;
}

const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });
const hour = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });
const second = new Intl.DateTimeFormat("en", { timeStyle: "medium", hour12: false });

/** A time of storing; nothing where none was noted. */
export function moment(ms: number | undefined): string {
  if (ms === undefined) return "";
  const date = new Date(ms);
  return date.toDateString() === new Date().toDateString() ? `today, ${hour.format(date)}` : day.format(date);
}

/** The same to the second. */
export function instant(ms: number | undefined): string {
  return ms === undefined ? "" : `${day.format(ms)}, ${second.format(ms)}`;
}

/** What an error says, as a sentence. */
export function reason(error: unknown): string {
  return sentence(error instanceof Error ? error.message : String(error));
}

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
