/**
 * Operations and bytes per second, of all tabs together, over the last minute. Nothing runs while nothing happens: the
 * clock stops once the minute has gone by.
 */

import { $, canvas } from "./elements.js";
import type { Tabs } from "./tabs.js";
import * as words from "./words.js";

const TICK_MS = 250;
const TICKS = 240;
/** Ticks that a rate is taken over: one second. */
const RATE_TICKS = 4;

export class Pulse {
  readonly #tabs: Tabs;
  readonly #ops = new Array<number>(TICKS).fill(0);
  readonly #bytes = new Array<number>(TICKS).fill(0);
  readonly #unsent = { ops: 0, bytes: 0 };
  #timer: ReturnType<typeof setInterval> | undefined;
  #idleTicks = 0;

  constructor(tabs: Tabs) {
    this.#tabs = tabs;
    tabs.onWork = (ops, bytes) => this.#add(ops, bytes);
    this.draw();
  }

  /** Counts what this tab did, and tells the others within a tick. */
  add(ops: number, bytes: number): void {
    this.#unsent.ops += ops;
    this.#unsent.bytes += bytes;
    this.#add(ops, bytes);
  }

  #add(ops: number, bytes: number): void {
    bump(this.#ops, ops);
    bump(this.#bytes, bytes);
    this.#idleTicks = 0;
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    const { ops, bytes } = this.#unsent;
    if (ops > 0 || bytes > 0) {
      this.#tabs.tell(ops, bytes);
      this.#unsent.ops = this.#unsent.bytes = 0;
    }
    this.draw();
    for (const ring of [this.#ops, this.#bytes]) {
      ring.shift();
      ring.push(0);
    }
    this.#idleTicks += 1;
    if (this.#idleTicks > TICKS) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  draw(): void {
    const seconds = (RATE_TICKS * TICK_MS) / 1000;
    const ops = sum(this.#ops.slice(-RATE_TICKS)) / seconds;
    const bytes = sum(this.#bytes.slice(-RATE_TICKS)) / seconds;
    $("rate-ops").textContent = words.number(ops);
    $("rate-bytes").textContent = words.bytes(bytes);
    $("pulse").toggleAttribute("data-live", ops > 0 || bytes > 0);
    this.#drawSpark();
  }

  /** The minute as bars, operations above the line and bytes below it, by their square roots: a lone read shows too. */
  #drawSpark(): void {
    const paper = canvas("spark");
    const pen = paper.getContext("2d");
    if (pen === null) return;
    const scale = devicePixelRatio;
    const width = (paper.width = Math.max(1, Math.round(paper.clientWidth * scale)));
    const height = (paper.height = Math.max(1, Math.round(paper.clientHeight * scale)));
    const style = getComputedStyle(paper);
    const middle = Math.round(height * 0.5);
    const groups = Math.max(1, Math.min(TICKS, Math.floor(width / (3 * scale))));
    const sides = [
      [this.#ops, "--accent", -1],
      [this.#bytes, "--k-text", 1],
    ] as const;
    pen.fillStyle = style.getPropertyValue("--line");
    pen.fillRect(0, middle, width, Math.max(1, Math.round(scale)));
    for (const [ring, colour, side] of sides) {
      const bars = grouped(ring, groups);
      const most = Math.max(...bars, 1);
      pen.fillStyle = style.getPropertyValue(colour);
      bars.forEach((value, index) => {
        if (value === 0) return;
        const length = Math.max(scale, Math.sqrt(value / most) * (middle - scale));
        const left = (index / groups) * width;
        pen.fillRect(left, side < 0 ? middle - length : middle + scale, Math.max(1, width / groups - scale), length);
      });
    }
  }
}

function bump(ring: number[], by: number): void {
  ring[ring.length - 1] = (ring.at(-1) ?? 0) + by;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function grouped(ring: readonly number[], groups: number): number[] {
  const bars = new Array<number>(groups).fill(0);
  ring.forEach((value, index) => {
    const bar = Math.floor((index * groups) / ring.length);
    bars[bar] = (bars[bar] ?? 0) + value;
  });
  return bars;
}
