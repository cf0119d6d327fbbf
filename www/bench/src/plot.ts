/**
 * Draws panels as SVG: a dot at each median on a logarithmic scale, a line from the lowest to the highest sample, and
 * the figure in words. Colours are the classes' business, so that one drawing serves dark and light.
 */

import { panelsOf, type Panel } from "./panels.ts";
import type { Results } from "./results.ts";
import { said, times } from "./words.ts";
import type { Unit } from "./workloads.ts";

const WIDTH = 368;
const NAME = 112;
const TRACK = 140;
const ROW = 21;
const HEAD = 26;
const FOOT = 20;

/** What the README shows: the workloads that most apps meet. */
const SHOWN = ["put-100", "put-concurrent", "put-1m", "get-100", "get-concurrent", "get-1m", "reopen-100k", "reopen-1m"];

export function heightOf(panel: Panel): number {
  return HEAD + panel.rows.length * ROW + FOOT;
}

/** One panel as an element of its own. */
export function drawPanel(panel: Panel): string {
  const label = `${captionOf(panel)}: ${panel.rows.map(({ peer, figure }) => `${peer.title} ${said(figure.median, panel.unit)}`).join(", ")}`;
  return `<svg class="panel" viewBox="0 0 ${WIDTH} ${heightOf(panel)}" role="img" aria-label="${escaped(label)}">${inside(panel)}</svg>`;
}

/** The page's most telling panels in one file that stands for itself, in two columns. */
export function draw(results: Results): string {
  const all = panelsOf(results, "main");
  const panels = SHOWN.flatMap((workload) => all.filter((panel) => panel.workload === workload));
  const gap = 24;
  const ends = [64, 64];
  const placed = panels.map((panel) => {
    const column = (ends[0] ?? 0) <= (ends[1] ?? 0) ? 0 : 1;
    const [left, top] = [gap + column * (WIDTH + gap), ends[column] ?? 0];
    ends[column] = top + heightOf(panel) + gap;
    return `<g transform="translate(${left} ${top})">${inside(panel)}</g>`;
  });
  const [width, height] = [3 * gap + 2 * WIDTH, Math.max(...ends)];
  const about = `${results.browser}, ${results.machine.cores} cores, ${results.date.slice(0, 10)}. Time for each operation, main thread; less is better. Dots are medians, lines the spread.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="tailstone and its peers in a browser">
<style>${STYLE}</style>
<rect class="sheet" width="${width}" height="${height}" rx="10"/>
<text class="heading" x="${gap}" y="30">tailstone and its peers in a browser</text>
<text class="soft" x="${gap}" y="48">${escaped(about)}</text>
${placed.join("\n")}
</svg>
`;
}

const LIGHT = "--sheet:#fffdfa;--ink:#24211d;--soft:#6c655c;--line:#ddd6cb;--accent:#a8481f;--peer:#6f7f8c";
const DARK = "--sheet:#201d1a;--ink:#ece6dd;--soft:#a39a8d;--line:#3d3832;--accent:#e48a5a;--peer:#8fa0ad";
const STYLE =
  `svg{${LIGHT};font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}` +
  `@media(prefers-color-scheme:dark){svg{${DARK}}}` +
  "text{fill:var(--ink)}.sheet{fill:var(--sheet)}.heading{font-size:16px;font-weight:600}.title{font-weight:600}" +
  ".soft{fill:var(--soft);font-size:11px}.end{text-anchor:end}.middle{text-anchor:middle}.grid{stroke:var(--line)}" +
  ".dot{fill:var(--peer)}.whisker{stroke:var(--peer);stroke-width:2;opacity:.55}" +
  ".ours .dot{fill:var(--accent)}.ours .whisker{stroke:var(--accent)}.ours text{font-weight:600}";

function captionOf({ title, durability }: Panel): string {
  return durability === undefined ? title : `${title}, ${durability}`;
}

function inside(panel: Panel): string {
  const { rows, unit } = panel;
  const lowest = Math.log10(Math.max(0.01, Math.min(...rows.map(({ figure }) => figure.lowest))));
  const highest = Math.log10(Math.max(0.01, ...rows.map(({ figure }) => figure.highest)));
  // Whole decades, one at least.
  const [first, last] = [Math.floor(lowest), Math.max(Math.ceil(highest), Math.floor(lowest) + 1)];
  const across = (figure: number) =>
    round(NAME + 8 + (TRACK * (Math.log10(Math.max(0.01, figure)) - first)) / (last - first));
  const bottom = HEAD + rows.length * ROW;
  const decades = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const sparse = decades.length > 4 ? 2 : 1;
  const grid = decades.map((decade, at) => {
    const x = across(10 ** decade);
    const word = at % sparse === 0 ? `<text class="soft middle" x="${x}" y="${bottom + 13}">${decadeOf(decade, unit)}</text>` : "";
    return `<line class="grid" x1="${x}" x2="${x}" y1="${HEAD - 2}" y2="${bottom}"/>${word}`;
  });
  const ours = rows.find(({ peer }) => isOurs(peer.id))?.figure.median;
  const marks = rows.map(({ peer, figure }, at) => {
    const y = HEAD + at * ROW + ROW / 2;
    const ratio = ours === undefined || isOurs(peer.id) || ours === 0 ? "" : times(figure.median / ours);
    const mine = isOurs(peer.id);
    return (
      `<g${mine ? ' class="ours"' : ""}><text class="end" x="${NAME}" y="${y + 4}">${escaped(peer.title)}</text>` +
      `<line class="whisker" x1="${across(figure.lowest)}" x2="${across(figure.highest)}" y1="${y}" y2="${y}"/>` +
      `<circle class="dot" cx="${across(figure.median)}" cy="${y}" r="${mine ? 5 : 4}"/>` +
      `<text x="${NAME + TRACK + 18}" y="${y + 4}">${said(figure.median, unit)}</text>` +
      `<text class="soft end" x="${WIDTH}" y="${y + 4}">${ratio}</text></g>`
    );
  });
  return `<text class="title" x="0" y="14">${escaped(captionOf(panel))}</text>${grid.join("")}${marks.join("")}`;
}

const isOurs = (peer: string) => peer.startsWith("tailstone");

function decadeOf(decade: number, unit: Unit): string {
  if (unit === "bytes") return ["1 B", "10 B", "100 B", "1 kB", "10 kB", "100 kB", "1 MB", "10 MB", "100 MB", "1 GB"][decade] ?? "";
  if (decade < 0) return `${10 ** decade} µs`;
  return ["1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"][decade] ?? "";
}

const round = (figure: number) => Math.round(figure * 10) / 10;

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
