/** Plain esbuild, which follows no `new URL`: with everything in one file, and with the files put beside the bundle. */

import assert from "node:assert/strict";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import * as esbuild from "esbuild";
import { serve } from "../../www/serve.mjs";
import { freshProject } from "./stranger.mjs";
import { visit } from "./visitor.mjs";

let folder;
before(async () => {
  folder = await freshProject("esbuild");
});

test("esbuild, tailstone/inline", async (t) => {
  await bundled();
  assert.deepEqual(await readdir(join(folder, "dist")), ["main.js"]);
  await visited(t);
});

test("esbuild, tailstone, its worker and wasm copied", async (t) => {
  const main = join(folder, "main.js");
  await writeFile(main, (await readFile(main, "utf8")).replace("tailstone/inline", "tailstone"));
  await bundled();
  for (const name of ["worker.js", "tailstone.wasm"]) {
    await copyFile(join(folder, "node_modules/tailstone", name), join(folder, "dist", name));
  }
  await visited(t);
});

test("esbuild leaves out what is not used", async () => {
  for (const entry of ["tailstone", "tailstone/worker", "tailstone/keyval", "tailstone/memory", "tailstone/inline"]) {
    const contents = `import "${entry}"; import { open as unused } from "${entry}"; console.log(1);`;
    const { outputFiles, warnings } = await esbuild.build({
      stdin: { contents, resolveDir: folder },
      bundle: true,
      format: "esm",
      minify: true,
      write: false,
      logLevel: "silent",
    });
    assert.equal(outputFiles[0].text, "console.log(1);\n", entry);
    // That an import without a name has no effect is what the package says of itself.
    assert(warnings.every(({ id }) => ["ignored-bare-import", "import-is-undefined"].includes(id)), `${warnings}`);
  }
});

async function bundled() {
  const { warnings } = await esbuild.build({
    absWorkingDir: folder,
    entryPoints: ["main.js"],
    bundle: true,
    format: "esm",
    outdir: "dist",
    logLevel: "silent",
  });
  assert.deepEqual(warnings, []);
}

async function visited(t) {
  const { url, stop } = await serve({ folder });
  t.after(stop);
  await visit(url);
}
