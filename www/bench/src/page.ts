/**
 * The page of results: runs the benchmark in this browser, shows what was measured here or read from a file, and saves
 * it. Everything that it shows comes from one `Results`.
 */

import type { Lane } from "./adapter.ts";
import { verdicts } from "./bars.ts";
import { peerOf, PEERS } from "./catalogue.ts";
import { stagesIn } from "./frames.ts";
import { panelsOf, wirePanel, type Panel } from "./panels.ts";
import { runPeer, shuffled, type NewStage, type Sample } from "./plan.ts";
import { drawPanel } from "./plot.ts";
import { addSamples, emptyResults, type Results } from "./results.ts";
import { said, times } from "./words.ts";
import { SCALES, type Scale } from "./workloads.ts";

const GROUPS: [group: Panel["group"], title: string, note: string][] = [
  ["open", "Opening", "On a page loaded anew, from before the store's code is fetched to its first answer; nothing is cached."],
  ["write", "Writing", "Until the promise resolves; what that promises differs, and is said with the stores above."],
  ["read", "Reading", "Values of the same session. Where there are no ranges, the whole value is read and cut; sqlite cuts by substr."],
  ["rewrite", "Overwriting and compacting", "Sizes are those of the closed store. Where there is no compaction, the browser decides."],
  ["tabs", "A second tab", "While the first tab has the store open. sqlite's and wa-sqlite's pools of files are one worker's."],
  ["wire", "On the wire", "What an app imports of each, minified. IndexedDB is built in."],
];

/** What the build knows. */
interface About extends Pick<Results, "versions" | "wire"> {
  /** Where a kept run lies, if there is one. */
  kept?: string;
}

let about: About = { versions: {}, wire: {} };
let shown: Results | undefined;
let stopping = false;

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no #${id} on the page`);
  return found as T;
}

function made(tag: string, text = "", className = ""): HTMLElement {
  const node = document.createElement(tag);
  node.textContent = text;
  node.className = className;
  return node;
}

listPeers();
element("start").onclick = () => void run();
element("stop").onclick = () => {
  stopping = true;
  tell("Stopping after this peer.");
};
element("save").onclick = save;
element("load").onclick = () => element("file").click();
element<HTMLInputElement>("file").onchange = () => void readFile();
element("theme").onclick = () => {
  const next = document.documentElement.dataset["theme"] === "dark" ? "light" : "dark";
  document.documentElement.dataset["theme"] = next;
  localStorage.setItem("theme", next);
};
for (const input of document.querySelectorAll<HTMLInputElement>("input[name=lane]")) input.onchange = show;
void start();

async function start(): Promise<void> {
  const asked = new URLSearchParams(location.search);
  const scale = element<HTMLSelectElement>("scale");
  if (asked.has("tiny")) scale.add(new Option("tiny", "tiny", true, true));
  about = (await (await fetch("pkg/bench/about.json")).json()) as About;
  if (about.kept !== undefined) take((await (await fetch(about.kept)).json()) as Results, "A kept run.");
  document.documentElement.dataset["ready"] = "";
}

/** Removes what an earlier peer has left; its workers may take a moment to let go of their files. */
async function wipe(newStage: NewStage): Promise<void> {
  const stage = await newStage();
  try {
    for (let tries = 1; ; tries++) {
      try {
        return await stage.wipe();
      } catch (error) {
        if (tries === 10) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  } finally {
    await stage.close();
  }
}

function listPeers(): void {
  const list = element("peers");
  for (const { id, title, durability, meaning } of PEERS) {
    const label = made("label");
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", name: "peer", value: id, checked: true });
    label.append(box, made("span", title), made("small", `${durability}: ${meaning}`));
    list.append(label);
  }
}

async function run(): Promise<void> {
  const scale = SCALES[element<HTMLSelectElement>("scale").value as Scale["name"]];
  const rounds = Math.max(1, element<HTMLInputElement>("rounds").valueAsNumber || 1);
  const wanted = [...document.querySelectorAll<HTMLInputElement>("input[name=peer]:checked")].map((box) => peerOf(box.value));
  const runs = wanted.flatMap((peer) => peer.lanes.map((lane) => ({ peer, lane })));
  const bar = element<HTMLProgressElement>("bar");
  const { versions, wire } = about;
  const machine = { cores: navigator.hardwareConcurrency };
  const results = emptyResults({ scale: scale.name, machine, versions, wire }, browserName());
  const failures: string[] = [];
  stopping = false;
  bar.max = runs.length * rounds;
  bar.value = 0;
  document.documentElement.dataset["running"] = "";
  const newStage = stagesIn(element("stages"));
  try {
    await wipe(newStage).catch((error: unknown) => failures.push(String(error)));
    for (let round = 1; round <= rounds && !stopping; round++) {
      for (const { peer, lane } of shuffled(runs)) {
        if (stopping) break;
        tell(`Round ${round} of ${rounds}: ${peer.title}, ${laneName(lane)}`);
        const failed = (error: unknown) => {
          failures.push(`${peer.title}, ${laneName(lane)}: ${error instanceof Error ? error.message : String(error)}`);
        };
        const noted = (samples: Sample[]) => addSamples(results, peer, lane, samples);
        await runPeer(peer, lane, scale, round === 1, newStage).then(noted).catch(failed);
        await wipe(newStage).catch(failed);
        bar.value += 1;
        take(results, "Measured in this browser, just now.");
      }
    }
  } finally {
    delete document.documentElement.dataset["running"];
    tell(failures.length === 0 ? "Done." : `Done, but for ${failures.join("; ")}`);
  }
}

function take(results: Results, from: string): void {
  shown = results;
  element("from").textContent = from;
  show();
}

function show(): void {
  element("results").hidden = shown === undefined;
  element<HTMLButtonElement>("save").disabled = shown === undefined;
  if (shown === undefined) return;
  const { date, machine, browser, scale, versions } = shown;
  element("run").replaceChildren(
    ...[
      ["Date", new Date(date).toLocaleString()],
      ["Machine", [machine.cpu, `${machine.cores} cores`].filter(Boolean).join(", ")],
      ["Browser", browser],
      ["Counts", scale],
      ["Versions", Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")],
    ].map(([term, text]) => {
      const pair = made("div");
      pair.append(made("dt", term), made("dd", text));
      return pair;
    }),
  );
  showBars(shown);
  showPlots(shown);
}

function showBars(results: Results): void {
  element("bars").replaceChildren(
    ...verdicts(results).map(({ title, ours, theirs, atLeast, figures, met }) => {
      const row = made("tr");
      row.append(
        made("th", title),
        made("td", `${peerOf(ours).title} / ${peerOf(theirs).title}`, "pair"),
        made("td", figures === undefined ? "–" : `${said(figures.ours, "µs")} / ${said(figures.theirs, "µs")}`, "figures"),
        made("td", figures === undefined ? "–" : times(figures.ratio), "number"),
        made("td", `${atLeast}×`, "number"),
        made("td", met === undefined ? "not measured" : met ? "met" : "not met", met === undefined ? "open" : met ? "met" : "missed"),
      );
      return row;
    }),
  );
}

function showPlots(results: Results): void {
  const lane = document.querySelector<HTMLInputElement>("input[name=lane]:checked")?.value as Lane;
  const panels = [...panelsOf(results, lane), wirePanel(results)];
  element("plots").replaceChildren(
    ...GROUPS.flatMap(([group, title, note]) => {
      const found = panels.filter((panel) => panel.group === group && panel.rows.length > 0);
      if (found.length === 0) return [];
      const section = made("section", "", "group");
      const grid = made("div", "", "panels");
      grid.innerHTML = found.map(drawPanel).join("");
      section.append(made("h3", title), made("p", note, "soft"), grid);
      return [section];
    }),
  );
}

function save(): void {
  if (shown === undefined) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(shown, undefined, 1)], { type: "application/json" }));
  link.download = `tailstone-bench-${shown.date.slice(0, 10)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function readFile(): Promise<void> {
  const [file] = element<HTMLInputElement>("file").files ?? [];
  if (file === undefined) return;
  try {
    const read = JSON.parse(await file.text()) as Results;
    if (read.format !== 1 || typeof read.samples?.main !== "object") throw new Error("not a file of results");
    take(read, `From ${file.name}.`);
  } catch (error) {
    tell(`${file.name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const tell = (text: string) => void (element("status").textContent = text);

const laneName = (lane: Lane) => (lane === "main" ? "main thread" : "inside a worker");

/** What the browser calls itself, as short as it goes. */
function browserName(): string {
  const brands = (navigator as { userAgentData?: { brands: { brand: string; version: string }[] } }).userAgentData?.brands;
  const known = brands?.find(({ brand }) => !/not.*brand/i.test(brand));
  return known === undefined ? navigator.userAgent : `${known.brand} ${known.version}`;
}
