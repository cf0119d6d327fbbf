/**
 * The package's modules as these tests import them: one bundle of the sources, made anew in each run, on a store in memory
 * in the place of `index.ts`.
 */

import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const SRC = fileURLToPath(new URL("../../wasm/web/js/src/", import.meta.url));
const MEMORY = fileURLToPath(new URL("./memory_db.mjs", import.meta.url));

const MODULES = ["errors", "structured", "keyval-key", "keyval"];

const inMemory = {
  name: "in memory",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: MEMORY }));
  },
};

const { outputFiles } = await build({
  stdin: {
    contents: `${MODULES.map((name) => `export * from "./${name}.ts";`).join("\n")}
      export { control } from ${JSON.stringify(MEMORY)};`,
    resolveDir: SRC,
  },
  bundle: true,
  write: false,
  format: "esm",
  target: "es2022",
  plugins: [inMemory],
});

export const tailstone = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
