/** The page: opens the shelf, and ties what is seen to what it does. */

import { TailstoneError } from "tailstone";
import { Core } from "./core.js";
import { $, button, canvas, input } from "./elements.js";
import { fromDrop, fromInput } from "./gather.js";
import { type Incoming, putAll } from "./intake.js";
import { Library } from "./library.js";
import { List } from "./list.js";
import { Pulse } from "./pulse.js";
import { compact, drawStorage, persist } from "./storage.js";
import { Tabs } from "./tabs.js";
import { confirm, save, say, warn } from "./talk.js";
import { startTheme } from "./theme.js";
import { Thumbs } from "./thumbs.js";
import { restore, versionsOf } from "./versions.js";
import { Viewer } from "./viewer.js";
import * as words from "./words.js";

const TITLE = document.title;

let library: Library;
let list: List;
let viewer: Viewer;
let thumbs: Thumbs;
/** Set while an operation runs that must not meet another. */
let busy = false;

void start();

async function start(): Promise<void> {
  const { dataset } = document.documentElement;
  const name = new URLSearchParams(location.search).get("store") ?? "shelf";
  const tabs = new Tabs(name);
  const pulse = new Pulse(tabs);
  let core: Core | undefined;
  startTheme(button("theme"), () => {
    pulse.draw();
    core?.draw();
  });
  try {
    library = await Library.open(name, {
      onDegraded: ({ message }) =>
        warn(`${words.sentence(message)} The shelf is gone when this page is closed: export what you want to keep.`),
    });
  } catch (error) {
    showFailure(error);
    dataset["ready"] = "failed";
    return;
  }
  // For the console, and for tests.
  Object.assign(globalThis, { library });
  thumbs = new Thumbs(library);
  viewer = new Viewer(library, (name) => void remove(name));
  const show = (name: string) => void attempt(() => viewer.show(name));
  list = new List(library, thumbs, { show, download: (name) => void attempt(() => download(name)), remove: (name) => void remove(name) });
  const drawn = (core = new Core(canvas("core"), $("legend"), show));
  library.onWork = (ops, bytes) => pulse.add(ops, bytes);
  library.onChange = () => {
    list.draw();
    void attempt(() => viewer.refresh());
    void redraw(drawn);
  };
  tabs.onCount = (count) => {
    $("tabs").hidden = count < 2;
    $("tabs").textContent = `${words.number(count)} tabs in step`;
  };
  if (library.files.durable) tabs.join();
  showBackend();
  listen();
  list.draw();
  await redraw(drawn);
  dataset["ready"] = "open";
}

function showFailure(error: unknown): void {
  const chip = $("backend");
  chip.dataset["state"] = "failed";
  chip.textContent = error instanceof TailstoneError ? error.code : "failed";
  for (const part of document.querySelectorAll<HTMLElement>("main, .skip")) part.hidden = true;
  warn(`The shelf could not be opened. ${words.reason(error)}`, true);
}

function showBackend(): void {
  const { durable, recovery } = library.files;
  $("backend").dataset["state"] = durable ? "durable" : "memory";
  $("backend").textContent = durable ? "kept on this device" : "in memory only";
  showRecovery(recovery.outcome === "Empty" ? "new and empty" : recovery.summary, recovery.cutBytes > 0);
}

function showRecovery(summary: string, isNotable: boolean): void {
  $("recovery").textContent = words.sentence(summary);
  $("recovery").classList.toggle("notable", isNotable);
}

/** Draws what follows from the store's size; one drawing at a time, and one more for all that came meanwhile. */
async function redraw(core: Core): Promise<void> {
  redrawing ??= (async () => {
    do {
      again = false;
      const stats = await drawStorage(library).catch(() => undefined);
      if (stats !== undefined) core.update(library.items.values(), { file: stats.fileBytes, dead: stats.compactionSavings });
    } while (again);
    redrawing = undefined;
  })();
  again = true;
  await redrawing;
}
let redrawing: Promise<void> | undefined;
let again = false;

function listen(): void {
  button("pick-files").onclick = () => input("files").click();
  button("pick-folder").onclick = () => input("folder").click();
  // Phones have files to pick, and no folders.
  button("pick-folder").hidden = !("webkitdirectory" in input("folder")) || matchMedia("(hover: none)").matches;
  for (const id of ["files", "folder"]) {
    input(id).onchange = () => {
      const incoming = fromInput(input(id));
      input(id).value = "";
      void store(incoming);
    };
  }
  listenForDrops();
  button("export").onclick = () => void exclusively(async () => save(await library.files.export(), `${library.files.name}.tsl`));
  button("verify").onclick = () => void exclusively(async () => say(words.sentence((await library.files.verify()).summary)));
  button("persist").onclick = () => void exclusively(() => persist(library));
  button("compact").onclick = () => void askToCompact();
  button("import").onclick = () => input("store-file").click();
  input("store-file").onchange = () => {
    const file = input("store-file").files?.[0];
    input("store-file").value = "";
    if (file !== undefined) void importStore(file);
  };
  button("past").onclick = () => void attempt(() => lookBack(input("search").value));
  for (const view of ["rows", "tiles"] as const) {
    button(`view-${view}`).onclick = () => {
      $("rows").dataset["view"] = view;
      for (const other of ["rows", "tiles"]) button(`view-${other}`).setAttribute("aria-pressed", String(other === view));
    };
  }
  addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
    if (event.key !== "/" || isTyping || document.querySelector("dialog[open]") !== null) return;
    event.preventDefault();
    input("search").focus();
  });
}

/** The whole page takes drops: a file that missed a smaller target would take the page's place. */
function listenForDrops(): void {
  const { dataset } = document.documentElement;
  addEventListener("dragover", (event) => {
    event.preventDefault();
    dataset["over"] = "";
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) delete dataset["over"];
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    delete dataset["over"];
    if (event.dataTransfer !== null) void fromDrop(event.dataTransfer).then(store, (error) => say(words.reason(error)));
  });
}

async function store(incoming: Incoming[]): Promise<void> {
  if (incoming.length === 0) return;
  await exclusively(async () => {
    const total = incoming.reduce((sum, { file }) => sum + file.size, 0);
    const bar = $<HTMLProgressElement>("progress-bar");
    const ending = new AbortController();
    const stop = button("stop");
    stop.onclick = () => ending.abort();
    bar.value = 0;
    $("progress-text").textContent = `Storing ${words.count(incoming.length, "file")}`;
    $("idle").hidden = true;
    $("progress").hidden = false;
    try {
      const done = await putAll(
        library,
        incoming,
        ({ files, bytes }) => {
          bar.value = total === 0 ? 1 : bytes / total;
          document.title = `${Math.floor(bar.value * 100)} % stored · ${TITLE}`;
          $("progress-text").textContent =
            `${words.number(files)} of ${words.count(incoming.length, "file")}, ${words.bytes(bytes)} of ${words.bytes(total)}`;
        },
        ending.signal,
      );
      // For the console, and for tests, as `library` is.
      Object.assign(globalThis, { lastImport: { ...done, incoming } });
      const what = `${words.count(done.files, "file")}, ${words.bytes(done.bytes)}`;
      $("last").textContent = `${what} in ${(done.ms / 1000).toFixed(2)} s: ${words.rate(done.bytes, done.ms)}`;
      const unread = done.unread.length === 0 ? "" : ` The browser could not read ${words.count(done.unread.length, "file")}, such as ${done.unread[0]}.`;
      say(`Stored ${what}.${unread}`);
    } catch (error) {
      if (!ending.signal.aborted) throw error;
      say("Stopped. What was stored by then is on the shelf.");
    } finally {
      const hadFocus = document.activeElement === stop;
      $("idle").hidden = false;
      $("progress").hidden = true;
      if (hadFocus) button("pick-files").focus();
      document.title = TITLE;
      await library.changed([]);
    }
  });
}

async function importStore(file: File): Promise<void> {
  const { total } = library;
  const text = `All that is on the shelf (${words.count(total, "file")}) gives way to the contents of ${file.name}, if that is a store.`;
  if (total > 0 && !(await confirm("Replace the shelf?", text, "Replace"))) return;
  await exclusively(async () => {
    const recovery = await library.import(file);
    thumbs.forget();
    showRecovery(recovery.summary, recovery.cutBytes > 0);
    say(`Imported ${words.count(library.total, "file")}: ${recovery.summary}.`);
  });
}

async function askToCompact(): Promise<void> {
  const text = "The file is written anew without earlier versions of your files and without what was removed. They cannot be had back then.";
  if (await confirm("Compact the store?", text, "Compact")) await exclusively(() => compact(library));
}

/** A name that is not on the shelf may have been. */
async function lookBack(name: string): Promise<void> {
  const past = await versionsOf(library, name);
  if (past.length === 0) say(`The store knows nothing of ${name}.`);
  else await viewer.show(name);
}

async function download(name: string): Promise<void> {
  const blob = await library.read(name);
  if (blob === undefined) say(`${name} is not in the store.`);
  else save(blob, name.slice(name.lastIndexOf("/") + 1));
}

async function remove(name: string): Promise<void> {
  await attempt(async () => {
    await library.remove(name);
    say(`Removed ${name.slice(name.lastIndexOf("/") + 1)}.`, { label: "Undo", take: () => void attempt(() => undoRemoval(name)) });
  });
}

async function undoRemoval(name: string): Promise<void> {
  const version = (await versionsOf(library, name)).find(({ deleted }) => !deleted);
  if (version === undefined) say(`${name} is no longer in the store.`);
  else {
    await restore(library, name, version);
    say(`${name.slice(name.lastIndexOf("/") + 1)} is back.`);
  }
}

/** Runs one operation at a time. */
async function exclusively(operation: () => Promise<void>): Promise<void> {
  if (busy) {
    say("One moment: the last operation is not finished.");
    return;
  }
  busy = true;
  try {
    await attempt(operation);
  } finally {
    busy = false;
  }
}

/** Says what went wrong, if something did. */
async function attempt(operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    const isFull = error instanceof TailstoneError && error.code === "quota";
    say(isFull ? `There is no room left for that. ${words.reason(error)}` : words.reason(error));
  }
}
