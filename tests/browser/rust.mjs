/**
 * Runs a build of tests in Rust in a worker of a real browser: `node rust.mjs FOLDER`.
 *
 * FOLDER holds `tests.js` and `tests_bg.wasm`, the bindings of one test program. What `wasm-bindgen-test` asks of the one
 * who runs it is done here: a few functions in the worker, and a list of its exports that are tests.
 */

import { launch, newProfile, removeFolder } from "./harness.mjs";
import { serve } from "../../www/serve.mjs";

const WORKER = `
  import init, * as bindings from "./tests.js";
  self.__wbg_test_invoke = (call) => call();
  self.__wbg_test_output_writeln = (line) => self.postMessage({ line: String(line) });
  const listeners = {};
  for (const method of ["debug", "log", "info", "warn", "error"]) {
    const original = console[method];
    console[method] = (...args) => {
      original.apply(console, args);
      listeners[method]?.(args);
    };
  }
  try {
    const wasm = await init({ module_or_path: "./tests_bg.wasm" });
    const context = new bindings.WasmBindgenTestContext(false);
    for (const method of ["debug", "log", "info", "warn", "error"]) {
      listeners[method] = bindings["__wbgtest_console_" + method];
    }
    const tests = Object.keys(wasm).filter((name) => name.startsWith("__wbgt_"));
    context.include_ignored(false);
    context.filtered_count(0);
    self.postMessage({ good: await context.run(tests.map((name) => wasm[name])) && tests.length > 0 });
  } catch (error) {
    self.postMessage({ line: String(error?.stack ?? error) });
    self.postMessage({ good: false });
  }
`;

/** The longest that all tests of one program may take. */
const TIMEOUT_MS = 120_000;

const site = await serve({ folder: process.argv[2] });
const profile = await newProfile();
const context = await launch(profile);
try {
  const page = await context.newPage();
  await page.route("**/blank.html", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
  await page.route("**/worker.js", (route) => route.fulfill({ contentType: "text/javascript", body: WORKER }));
  await page.goto(`${site.url}blank.html`);
  await page.exposeFunction("print", (line) => console.log(line));
  const good = await page.evaluate(
    (timeout) =>
      new Promise((resolve) => {
        const worker = new Worker("./worker.js", { type: "module" });
        const give = (good) => (worker.terminate(), resolve(good));
        setTimeout(() => print("the tests take too long").then(() => give(false)), timeout);
        worker.onerror = (event) => print(event.message || "the worker broke").then(() => give(false));
        worker.onmessage = ({ data }) => (data.line === undefined ? give(data.good) : print(data.line));
      }),
    TIMEOUT_MS,
  );
  process.exitCode = good ? 0 : 1;
} finally {
  await context.close();
  await removeFolder(profile);
  await site.stop();
}
