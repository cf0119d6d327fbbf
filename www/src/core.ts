/** The store drawn to scale, as geologists draw a core: every file a layer, in the order they were stored. */

import type { Item } from "./library.js";
import { bytes, type Kind, kindOf, KINDS } from "./words.js";

/** Layers narrower than this many pixels have no line between them. */
const NARROWEST_WITH_LINE = 3;

/** Draws the layers, then what is no longer in use, hatched. */
export function drawCore(canvas: HTMLCanvasElement, items: Iterable<Item>, storeBytes: number): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const scale = devicePixelRatio;
  const width = Math.max(1, Math.round(canvas.clientWidth * scale));
  const height = Math.max(1, Math.round(canvas.clientHeight * scale));
  canvas.width = width;
  canvas.height = height;
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const colours = new Map([...KINDS.keys()].map((kind) => [kind, colour(`--k-${kind}`)]));

  context.fillStyle = colour("--line");
  context.fillRect(0, 0, width, height);
  const layers = [...items].sort((a, b) => a.added - b.added);
  const live = layers.reduce((sum, item) => sum + item.size, 0);
  const whole = Math.max(storeBytes, live);
  if (whole === 0) return;
  let at = 0;
  for (const item of layers) {
    const from = (at / whole) * width;
    at += item.size;
    const to = (at / whole) * width;
    context.fillStyle = colours.get(kindOf(item.name, item.type)) ?? "";
    context.fillRect(from, 0, to - from, height);
    if (to - from >= NARROWEST_WITH_LINE) {
      context.fillStyle = colour("--sheet");
      context.fillRect(to - scale, 0, scale, height);
    }
  }
  hatch(context, (at / whole) * width, width, height, colour("--gap"), scale);
}

function hatch(context: CanvasRenderingContext2D, from: number, to: number, height: number, colour: string, scale: number): void {
  context.save();
  context.beginPath();
  context.rect(from, 0, to - from, height);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = scale;
  for (let x = from - height; x < to; x += 6 * scale) {
    context.beginPath();
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
    context.stroke();
  }
  context.restore();
}

/** The kinds present and their sizes, with the rest of the file. */
export function drawLegend(list: HTMLElement, items: Iterable<Item>, storeBytes: number): void {
  const sums = new Map<Kind, number>();
  let live = 0;
  for (const { name, type, size } of items) {
    const kind = kindOf(name, type);
    sums.set(kind, (sums.get(kind) ?? 0) + size);
    live += size;
  }
  const entries = [...KINDS].filter(([kind]) => (sums.get(kind) ?? 0) > 0);
  const lines = entries.map(([kind, name]) => line(`var(--k-${kind})`, `${name} ${bytes(sums.get(kind) ?? 0)}`));
  const rest = storeBytes - live;
  if (rest > 0) {
    const stripes = "repeating-linear-gradient(135deg, var(--gap) 0 1px, var(--line) 1px 4px)";
    lines.push(line(stripes, `padding, earlier versions, the list ${bytes(rest)}`));
  }
  list.replaceChildren(...lines);
}

function line(background: string, text: string): HTMLElement {
  const item = document.createElement("li");
  const swatch = document.createElement("i");
  swatch.style.background = background;
  item.append(swatch, text);
  return item;
}
