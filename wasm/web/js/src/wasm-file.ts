/** Where the engine's code comes from outside of browsers: the file beside this script. */

import { readFileSync } from "node:fs";

export async function compile(from: string | undefined): Promise<WebAssembly.Module> {
  const url = from === undefined ? new URL("./tailstone.wasm", import.meta.url) : from;
  const path = typeof url === "string" && url.startsWith("file:") ? new URL(url) : url;
  return new WebAssembly.Module(readFileSync(path));
}
