/**
 * A real browser on the built page: what all tests here and the demo share.
 *
 * The browser is the system's, found as CHROME or as `chromium` on PATH; every profile is a fresh folder, removed at the
 * end. A private context would keep OPFS behind another implementation than the one that people meet.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "../../www/serve.mjs";

const WWW = fileURLToPath(new URL("../../www/", import.meta.url));

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function findBrowser() {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found =
    process.env.CHROME ?? names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  assert(found, "no browser: set CHROME, or install chromium");
  return found;
}

/** Serves the built page. */
export function serveBuilt() {
  assert(existsSync(join(WWW, "pkg/tailstone/index.js")), "the page is not built: run `cargo xtask www`");
  return serve({ folder: WWW });
}

export const newProfile = () => mkdtemp(join(tmpdir(), "tailstone-browser-"));

export const removeFolder = (folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 });

/** A browser on a profile, closed in good order. */
export function launch(profile, options = {}) {
  return chromium.launchPersistentContext(profile, {
    executablePath: findBrowser(),
    headless: true,
    args: ARGS,
    acceptDownloads: true,
    ...options,
  });
}

/**
 * A browser on a profile that can be killed, spoken to over its debugging port. It is a process group of its own, so that
 * killing takes all its processes and nobody else's.
 */
export async function launchKillable(profile) {
  const args = [...ARGS, "--headless=new", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"];
  const child = spawn(findBrowser(), args, { detached: true, stdio: "ignore" });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const port = await until(() => {
    const file = join(profile, "DevToolsActivePort");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n")[0] : undefined;
  });
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const kill = async () => {
    process.kill(-child.pid, "SIGKILL");
    await gone;
    await rm(join(profile, "DevToolsActivePort"), { force: true });
    await browser.close().catch(() => {});
  };
  return { context: browser.contexts()[0], kill };
}

/** Asks until there is an answer; ten seconds at most. */
export async function until(ask) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert(Date.now() < deadline, `nothing came of ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The file that the built package exports under `subpath`, as the page addresses it; for a page, or for `"node"`. */
export function exported(subpath, condition = "browser") {
  const { exports } = JSON.parse(readFileSync(join(WWW, "pkg/tailstone/package.json"), "utf8"));
  const found = exports[subpath];
  assert(found !== undefined, `the package does not export ${subpath}`);
  const pick = (part) => (typeof part === "string" ? part : pick(part[condition] ?? part.default));
  return `./pkg/tailstone/${pick(found).replace(/^\.\//, "")}`;
}

/**
 * A page of the site with nothing on it, on which a test uses the package as a stranger would. `patch` runs in each of its
 * workers before the worker's own module, `prepare` in the page itself.
 */
export async function blankPage(context, url, { patch, prepare, entry = exported(".") } = {}) {
  const page = await context.newPage();
  watch(page);
  await page.route("**/blank.html", (route) =>
    route.fulfill({ contentType: "text/html", body: "<!doctype html><title>blank</title><link rel=icon href=data:,>" }),
  );
  await page.route("**/cases/*.mjs", (route) => {
    const path = fileURLToPath(new URL(`cases/${route.request().url().split("/").at(-1)}`, import.meta.url));
    return route.fulfill({ contentType: "text/javascript", path });
  });
  if (prepare !== undefined) await page.addInitScript(prepare);
  if (patch !== undefined) await patchWorkers(page, patch);
  await page.goto(`${url}blank.html`);
  await page.evaluate(loadPackage, entry);
  return page;
}

/** Gives a page the package, and what the tests say in it. */
export async function loadPackage(entry) {
  globalThis.tailstone = await import(entry);
  globalThis.expect = await import("./cases/expect.mjs");
  globalThis.bytesOf = expect.bytesOf;
  globalThis.textOf = expect.textOf;
  globalThis.pattern = expect.pattern;
  /** Runs `call`, and gives the code of the error that it fails with. */
  globalThis.codeOf = async (call) => {
    try {
      await call();
      return "none";
    } catch (error) {
      return error instanceof tailstone.TailstoneError ? error.code : `${error}`;
    }
  };
}

/** The page itself, ready. */
export async function openPage(context, url, query = "") {
  const page = await context.newPage();
  watch(page);
  await page.goto(`${url}index.html${query}`);
  await page.waitForSelector("html[data-ready]", { timeout: 20_000 });
  return page;
}

const complaints = new WeakMap();

/** Notes every error that the page or its workers print or throw. */
function watch(page) {
  const list = [];
  complaints.set(page, list);
  page.on("pageerror", (error) => list.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") list.push(message.text());
  });
}

/** Closes a page that must not have complained. */
export async function closeQuietly(page) {
  assert.deepEqual(complaints.get(page), [], "errors on the page's console");
  await page.close();
}

/** Runs `source` in every worker of the page before the worker's own module. */
export function patchWorkers(page, source) {
  return page.addInitScript((source) => {
    const Original = Worker;
    globalThis.Worker = class extends Original {
      constructor(url, options) {
        const patch = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
        const start = `import ${JSON.stringify(patch)}; import ${JSON.stringify(String(url))};`;
        super(URL.createObjectURL(new Blob([start], { type: "text/javascript" })), options);
      }
    };
  }, source);
}

/** What the page's worker makes of an expression. */
export async function askWorker(page, ask, argument) {
  const worker = page.workers()[0] ?? (await page.waitForEvent("worker"));
  return worker.evaluate(ask, argument);
}

/** The browser's own debugging protocol, on this page. */
export const debug = (page) => page.context().newCDPSession(page);

/** Ends the page's process, and waits until that has happened. */
export async function crash(page) {
  const session = await debug(page);
  const gone = page.waitForEvent("crash");
  session.send("Page.crash").catch(() => {});
  await gone;
}
