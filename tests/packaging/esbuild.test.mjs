/** Plain esbuild, which follows no `new URL`: with everything in one file, and with the files put beside the bundle. */

import assert from "node:assert/strict";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import * as esbuild from "esbuild";
import { serve } from "../../www/serve.mjs";
import { freshProject } from "./stranger.mjs";
import { visit } from "./visitor.mjs";

test("esbuild, tailstone/inline", async (t) => {
  const folder = await freshProject("esbuild");
  await bundled(folder);
  assert.deepEqual(await readdir(join(folder, "dist")), ["main.js"]);
  await visited(t, folder);
});

test("esbuild, tailstone, its worker and wasm copied", async (t) => {
  const folder = await freshProject("esbuild");
  const main = join(folder, "main.js");
  await writeFile(main, (await readFile(main, "utf8")).replace("tailstone/inline", "tailstone"));
  await bundled(folder);
  for (const name of ["worker.js", "tailstone.wasm"]) {
    await copyFile(join(folder, "node_modules/tailstone", name), join(folder, "dist", name));
  }
  await visited(t, folder);
});

test("esbuild leaves out what is not used", async () => {
  const folder = await freshProject("esbuild");
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

async function bundled(folder) {
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

async function visited(t, folder) {
  const { url, stop } = await serve({ folder });
  t.after(stop);
  await visit(t, url);
}
