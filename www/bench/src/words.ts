/** Figures in the words that people read: a unit that fits, two or three digits. */

import type { Unit } from "./workloads.ts";

export function said(figure: number, unit: Unit): string {
  if (unit === "bytes") {
    if (figure < 1000) return `${Math.round(figure)} B`;
    if (figure < 1_000_000) return `${digits(figure / 1000)} kB`;
    return `${digits(figure / 1_000_000)} MB`;
  }
  if (figure < 1000) return `${digits(figure)} µs`;
  if (figure < 1_000_000) return `${digits(figure / 1000)} ms`;
  return `${digits(figure / 1_000_000)} s`;
}

export function times(ratio: number): string {
  return `${digits(ratio)}×`;
}

export function digits(figure: number): string {
  if (figure >= 100) return Math.round(figure).toLocaleString("en");
  return figure >= 10 ? figure.toFixed(1) : figure.toFixed(2);
}
