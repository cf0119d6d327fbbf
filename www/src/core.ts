/** The store drawn to scale, as geologists draw a core: every file a layer, in the order they were stored. */

import { make } from "./elements.js";
import { type Kind, kindOf, KINDS } from "./kinds.js";
import type { Item } from "./library.js";
import { bytes } from "./words.js";

/** Layers narrower than this many pixels have no line between them. */
const NARROWEST_WITH_LINE = 3;

/** What the file holds beside the files themselves. */
export interface Lengths {
  /** The whole file, in bytes. */
  file: number;
  /** What compaction would give back. */
  dead: number;
}

export class Core {
  readonly #canvas: HTMLCanvasElement;
  readonly #legend: HTMLElement;
  #layers: Item[] = [];
  #live = 0;
  #lengths: Lengths = { file: 0, dead: 0 };

  constructor(canvas: HTMLCanvasElement, legend: HTMLElement, show: (name: string) => void) {
    this.#canvas = canvas;
    this.#legend = legend;
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.onpointermove = ({ offsetX }) => {
      const item = this.#at(offsetX);
      canvas.title = item === undefined ? "" : `${item.name}, ${bytes(item.size)}`;
      canvas.style.cursor = item === undefined ? "" : "pointer";
    };
    canvas.onclick = ({ offsetX }) => {
      const item = this.#at(offsetX);
      if (item !== undefined) show(item.name);
    };
  }

  update(items: Iterable<Item>, lengths: Lengths): void {
    this.#layers = [...items].sort((a, b) => (a.stored ?? 0) - (b.stored ?? 0));
    this.#live = this.#layers.reduce((sum, { size }) => sum + size, 0);
    this.#lengths = lengths;
    this.draw();
    this.#drawLegend();
  }

  /** Draws the layers, then what the store needs for itself, then, hatched, what is no longer in use. */
  draw(): void {
    const canvas = this.#canvas;
    const pen = canvas.getContext("2d");
    if (pen === null) return;
    const scale = devicePixelRatio;
    const width = (canvas.width = Math.max(1, Math.round(canvas.clientWidth * scale)));
    const height = (canvas.height = Math.max(1, Math.round(canvas.clientHeight * scale)));
    const style = getComputedStyle(canvas);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const colours = new Map([...KINDS.keys()].map((kind) => [kind, colour(`--k-${kind}`)]));
    pen.fillStyle = colour("--line");
    pen.fillRect(0, 0, width, height);
    const whole = this.#whole;
    if (whole === 0) return;
    let at = 0;
    for (const item of this.#layers) {
      const from = (at / whole) * width;
      at += item.size;
      const to = (at / whole) * width;
      pen.fillStyle = colours.get(kindOf(item.name, item.type)) ?? "";
      pen.fillRect(from, 0, to - from, height);
      if (to - from >= NARROWEST_WITH_LINE * scale) {
        pen.fillStyle = colour("--sheet");
        pen.fillRect(to - scale, 0, scale, height);
      }
    }
    const dead = Math.min(this.#lengths.dead, whole - at);
    hatch(pen, ((whole - dead) / whole) * width, width, height, colour("--gap"), scale);
  }

  #drawLegend(): void {
    const sums = new Map<Kind, number>();
    for (const { name, type, size } of this.#layers) {
      const kind = kindOf(name, type);
      sums.set(kind, (sums.get(kind) ?? 0) + size);
    }
    const present = [...KINDS].filter(([kind]) => (sums.get(kind) ?? 0) > 0);
    const lines = present.map(([kind, name]) => line(`k-${kind}`, `${name} ${bytes(sums.get(kind) ?? 0)}`));
    const rest = this.#whole - this.#live - this.#lengths.dead;
    if (rest > 0) lines.push(line("k-rest", `names, notes, thumbnails ${bytes(rest)}`));
    this.#legend.replaceChildren(...lines);
  }

  get #whole(): number {
    return Math.max(this.#lengths.file, this.#live);
  }

  #at(x: number): Item | undefined {
    const wanted = (x / Math.max(1, this.#canvas.clientWidth)) * this.#whole;
    let at = 0;
    return this.#layers.find(({ size }) => (at += size) > wanted);
  }
}

function hatch(pen: CanvasRenderingContext2D, from: number, to: number, height: number, colour: string, scale: number): void {
  pen.save();
  pen.beginPath();
  pen.rect(from, 0, to - from, height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5 * scale;
  for (let x = from - height; x < to; x += 6 * scale) {
    pen.beginPath();
    pen.moveTo(x, height);
    pen.lineTo(x + height, 0);
    pen.stroke();
  }
  pen.restore();
}

function line(swatch: string, text: string): HTMLElement {
  return make("li", "", make("i", swatch), text);
}
