/** The page: what is shown, and what the buttons do. The shelf itself is in `library.ts`. */

import { TailstoneError } from "tailstone";
import { drawCore, drawLegend } from "./core.js";
import { fromDrop, fromInput } from "./gather.js";
import { type Incoming, Library } from "./library.js";
import { preview } from "./preview.js";
import { row } from "./row.js";
import { startTheme } from "./theme.js";
import * as words from "./words.js";

/** Rows shown at first, and with each "Show more". */
const ROWS = 200;

const $ = <E extends HTMLElement = HTMLElement>(id: string): E => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as E;
};
const button = (id: string) => $<HTMLButtonElement>(id);
const input = (id: string) => $<HTMLInputElement>(id);
const dialog = (id: string) => $<HTMLDialogElement>(id);

let library: Library;
let shown = ROWS;
/** Set while an operation runs that must not meet another. */
let busy = false;

void start();

async function start(): Promise<void> {
  const { dataset } = document.documentElement;
  try {
    library = await Library.open(new URLSearchParams(location.search).get("store") ?? "shelf", {
      onDegraded: ({ message }) =>
        warn(`${sentence(message)} It is gone when this page is closed; export what you want to keep.`),
    });
  } catch (error) {
    showFailure(error);
    dataset["ready"] = "failed";
    return;
  }
  // For the console, and for tests.
  Object.assign(globalThis, { library });
  listen();
  await refresh();
  startTheme(button("theme"), () => refreshCore());
  new ResizeObserver(() => refreshCore()).observe($("core"));
  dataset["ready"] = "open";
}

function showFailure(error: unknown): void {
  const code = error instanceof TailstoneError ? error.code : "failed";
  $("backend").dataset["state"] = "failed";
  $("backend").textContent = code;
  for (const control of document.querySelectorAll<HTMLButtonElement>("main button")) control.disabled = true;
  warn(
    code === "locked"
      ? "The shelf is open in another tab. Close it there and reload this page."
      : sentence(message(error)),
  );
}

function listen(): void {
  button("pick-files").onclick = () => input("files").click();
  button("pick-folder").onclick = () => input("folder").click();
  for (const id of ["files", "folder"]) {
    input(id).onchange = () => {
      const incoming = fromInput(input(id));
      input(id).value = "";
      void store(incoming);
    };
  }
  listenForDrops();
  button("export").onclick = () => exclusively(exportStore);
  button("verify").onclick = () => exclusively(async () => say(sentence((await library.db.verify()).summary)));
  button("import").onclick = () => input("store-file").click();
  input("store-file").onchange = () => {
    const file = input("store-file").files?.[0];
    input("store-file").value = "";
    if (file !== undefined) void importStore(file);
  };
  input("filter").oninput = () => {
    shown = ROWS;
    drawRows();
  };
  button("more").onclick = () => {
    shown += ROWS;
    drawRows();
  };
  $("lookup").onsubmit = (event) => {
    event.preventDefault();
    void lookUp(input("key").value);
  };
  button("preview-close").onclick = () => dialog("preview").close();
}

function listenForDrops(): void {
  const zone = $("drop");
  // The whole page takes drops: a file that misses the zone would otherwise replace the page.
  addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.dataset["over"] = "";
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) delete zone.dataset["over"];
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    delete zone.dataset["over"];
    if (event.dataTransfer !== null) void fromDrop(event.dataTransfer).then(store);
  });
}

async function store(incoming: Incoming[]): Promise<void> {
  if (incoming.length === 0) return;
  await exclusively(async () => {
    const total = incoming.reduce((sum, { file }) => sum + file.size, 0);
    const bar = $<HTMLProgressElement>("progress-bar");
    bar.value = 0;
    setBusyView(true);
    try {
      const done = await library.put(incoming, ({ files, bytes, ms }) => {
        bar.value = total === 0 ? 1 : bytes / total;
        const speed = ms > 0 ? `, ${words.rate(bytes, ms)}` : "";
        $("progress-text").textContent = `${words.count(files, "file")} of ${incoming.length.toLocaleString("en")}${speed}`;
      });
      const what = `${words.count(done.files, "file")}, ${words.bytes(done.bytes)}`;
      $("rate").textContent = `${what} in ${(done.ms / 1000).toFixed(2)} s: ${words.rate(done.bytes, done.ms)}`;
      // For the console, and for tests, as `library` is.
      Object.assign(globalThis, { lastImport: { ...done, incoming } });
      say(`Stored ${what}.`);
    } finally {
      setBusyView(false);
      await refresh();
    }
  });
}

async function exportStore(): Promise<void> {
  save(await library.db.exportFile(), `${library.db.name}.tsl`);
}

async function importStore(file: File): Promise<void> {
  const present = library.items.size;
  const text = `Everything on the shelf (${words.count(present, "file")}) is replaced by the contents of ${file.name}, if that is a store.`;
  if (present > 0 && !(await confirm("Replace the shelf?", text, "Replace"))) return;
  await exclusively(async () => {
    const recovery = await library.importFile(file);
    await refresh();
    say(`Imported ${words.count(library.items.size, "file")}: ${recovery.summary}.`);
  });
}

async function lookUp(key: string): Promise<void> {
  await exclusively(async () => {
    if ((await library.db.has(key)) || library.items.has(key)) await show(key);
    else say(`There is nothing under ${key}.`);
  });
}

async function show(name: string): Promise<void> {
  const [note, cleanUp] = await preview(library, name, $("preview-body"));
  const box = dialog("preview");
  $("preview-title").textContent = name;
  $("preview-note").textContent = note;
  button("preview-download").onclick = () => void download(name);
  box.addEventListener("close", cleanUp, { once: true });
  box.showModal();
}

async function download(name: string): Promise<void> {
  const blob = await library.read(name);
  if (blob === undefined) say(`${name} is not in the store.`);
  else save(blob, name.slice(name.lastIndexOf("/") + 1));
}

async function remove(name: string): Promise<void> {
  await exclusively(async () => {
    await library.remove(name);
    await refresh();
    say(`Removed ${name}.`);
  });
}

/** Runs one operation at a time, and says what went wrong with it. */
async function exclusively(operation: () => Promise<void>): Promise<void> {
  if (busy) {
    say("One moment: the last operation is not finished.");
    return;
  }
  busy = true;
  try {
    await operation();
  } catch (error) {
    say(sentence(message(error)));
  } finally {
    busy = false;
  }
}

async function refresh(): Promise<void> {
  const { db, items } = library;
  const state = $("backend");
  state.dataset["state"] = db.durable ? "durable" : "memory";
  state.textContent = db.durable ? "kept on this device" : "in memory only";
  const stats = await db.stats();
  $("store-bytes").textContent = words.bytes(stats.fileBytes);
  $("store-files").textContent = library.listed
    ? items.size === 0
      ? "no files yet"
      : `in ${words.count(items.size, "file")}`
    : `${words.count(stats.liveKeys, "value")}, without a list of their names`;
  $("savings").textContent = stats.compactionSavings === 0 ? "nothing" : words.bytes(stats.compactionSavings);
  $("recovery").textContent = db.recovery.outcome === "Empty" ? "It was new, and empty." : sentence(db.recovery.summary);
  $("recovery").classList.toggle("notable", db.recovery.cutBytes > 0);
  drawRows();
  refreshCore(stats.fileBytes);
  await showQuota();
}

async function showQuota(): Promise<void> {
  // Contexts that are not secure have no `navigator.storage`.
  const estimate = await (navigator.storage as StorageManager | undefined)?.estimate();
  if (estimate?.quota === undefined || estimate.usage === undefined) return;
  $<HTMLMeterElement>("quota").value = estimate.usage / Math.max(1, estimate.quota);
  $("quota-text").textContent = `${words.bytes(estimate.usage)} of ${words.bytes(estimate.quota)} granted`;
}

let coreBytes = 0;

function refreshCore(storeBytes = coreBytes): void {
  coreBytes = storeBytes;
  drawCore($<HTMLCanvasElement>("core"), library.items.values(), storeBytes);
  drawLegend($("legend"), library.items.values(), storeBytes);
}

function drawRows(): void {
  const filter = input("filter").value.toLowerCase();
  const matching = [...library.items.values()].filter(({ name }) => name.toLowerCase().includes(filter));
  matching.sort((a, b) => b.added - a.added || a.name.localeCompare(b.name));
  const actions = {
    show: (name: string) => exclusively(() => show(name)),
    download: (name: string) => exclusively(() => download(name)),
    remove,
  };
  $("rows").replaceChildren(...matching.slice(0, shown).map((item) => row(item, actions)));
  $("table").hidden = matching.length === 0;
  $("empty").hidden = matching.length > 0;
  $("empty").textContent = emptyText();
  button("more").hidden = matching.length <= shown;
  button("more").textContent = `Show more (${(matching.length - shown).toLocaleString("en")} left)`;
}

function emptyText(): string {
  if (!library.listed) return "This store has no list of names. Look its keys up by hand, below.";
  if (library.items.size > 0) return "No name contains that.";
  return "The shelf is empty. What you store stays here across visits, until you remove it.";
}

function setBusyView(on: boolean): void {
  $("progress").hidden = !on;
  document.querySelector<HTMLElement>(".intake-idle")?.toggleAttribute("hidden", on);
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then, and holds the bytes itself.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function confirm(title: string, text: string, yes: string): Promise<boolean> {
  const box = dialog("confirm");
  $("confirm-title").textContent = title;
  $("confirm-text").textContent = text;
  $("confirm-yes").textContent = yes;
  box.returnValue = "no";
  box.showModal();
  return new Promise((resolve) => {
    box.addEventListener("close", () => resolve(box.returnValue === "yes"), { once: true });
  });
}

let hide: ReturnType<typeof setTimeout> | undefined;

function say(text: string): void {
  const status = $("status");
  status.textContent = text;
  status.dataset["shown"] = "";
  clearTimeout(hide);
  hide = setTimeout(() => delete status.dataset["shown"], 6000);
}

function warn(text: string): void {
  $("banner").textContent = text;
  $("banner").hidden = false;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
