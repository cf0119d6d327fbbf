/** Where the engine's code comes from in a browser. */

/** Compiles the code at `from`; without it the file beside this script. */
export async function compile(from: string | undefined): Promise<WebAssembly.Module> {
  const response = await fetch(from ?? new URL("./tailstone.wasm", import.meta.url));
  // Servers that know nothing of wasm send it as something else.
  if (response.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}
