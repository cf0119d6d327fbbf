/**
 * A stranger's machine: the package is packed as it would be published, and installed from that file alone into a folder
 * outside of the repository. The stranger's tools are those of this folder's lock file.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PKG = fileURLToPath(new URL("../../wasm/web/pkg/", import.meta.url));
const NPM = process.platform === "win32" ? "npm.cmd" : "npm";

const folders = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 }))));

/** A folder that is gone once the file's tests are over. */
export async function freshFolder() {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "tailstone-packaging-")));
  folders.push(folder);
  return folder;
}

let packed;

/** The path of the tarball, which is packed once for each file of tests. */
export function pack() {
  packed ??= freshFolder().then(async (folder) => {
    const listing = await run(NPM, ["pack", "--json", "--pack-destination", folder], { cwd: PKG });
    const [file] = await readdir(folder);
    assert(file?.endsWith(".tgz"), listing);
    return join(folder, file);
  });
  return packed;
}

/** A copy of `projects/NAME` with the package installed in it. */
export async function freshProject(name) {
  const folder = await freshFolder();
  await cp(join(HERE, "projects", name), folder, { recursive: true });
  await cp(join(HERE, "projects/visits.js"), join(folder, "visits.js"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  const quiet = ["--offline", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"];
  await run(NPM, ["install", ...quiet, await pack()], { cwd: folder });
  return folder;
}

/** The path of a file in the tools' packages, such as `vite/bin/vite.js`. */
export const tool = (path) => join(HERE, "node_modules", path);

/** Runs a program to its end, which must be good; resolves to what it printed on its standard output. */
export async function run(program, args, { cwd, env = {} } = {}) {
  const { code, stdout, stderr } = await outcome(program, args, { cwd, env });
  assert.equal(code, 0, `${program} ${args.join(" ")}: ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs a program to its end, whatever that is. */
export function outcome(program, args, { cwd, env = {} } = {}) {
  const child = spawn(program, args, { cwd, env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, ...env } });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Starts a server, waits until it says something that matches `ready`, and stops it once the test is over. */
export async function serving(t, program, args, { cwd, ready }) {
  const child = spawn(program, args, { cwd, env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined } });
  const gone = new Promise((resolve) => child.once("close", resolve));
  t.after(() => {
    child.kill();
    return gone;
  });
  let said = "";
  await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        said += text;
        if (ready.test(said)) resolve();
      });
    }
    child.once("error", reject);
    child.once("close", () => reject(new Error(`${program} ${args.join(" ")} ended:\n${said}`)));
  });
}

/** A port that was free a moment ago. */
export function freePort() {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
