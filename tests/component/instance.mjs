/**
 * An instance of the transpiled component in Node, over a folder that the shim grants it and nothing else. For tests and for
 * the programs that they start: `TAILSTONE_TRANSPILED` names the folder that `harness.mjs` transpiled the component into.
 */

import { types } from "@bytecodealliance/preview2-shim/filesystem";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const DISPOSE = Symbol.dispose ?? Symbol.for("dispose");

/** What the shim makes of a file or folder; something else may be put in the place of a method. */
export const { Descriptor } = types;

const modules = new Map();

/** A new instance with memory of its own. It sees `folder`, or no folder if that is undefined. */
export async function instantiate(folder) {
  const place = process.env.TAILSTONE_TRANSPILED;
  const module = (name) => {
    if (!modules.has(name)) modules.set(name, readFile(join(place, name)).then(WebAssembly.compile));
    return modules.get(name);
  };
  const preopens = folder === undefined ? {} : { "/": folder };
  const shim = new WASIShim({ sandbox: { preopens, env: {}, args: [], enableNetwork: false } });
  const component = await import(pathToFileURL(join(place, "store.js")));
  const root = await component.instantiate(module, shim.getImportObject());
  const keyvalue = (version) => ({
    ...root[`wasi:keyvalue/store@${version}`],
    ...root[`wasi:keyvalue/atomics@${version}`],
    ...root[`wasi:keyvalue/batch@${version}`],
  });
  const { Store } = root["tailstone:store/stores@0.1.0"];
  return {
    open: (name, access = "create", bucket = "default") => Store.open(name, bytes(bucket), access),
    close: (store) => Store.close(store),
    // Under their whole names, as the short ones are those of one draft alone.
    draft: keyvalue("0.2.0-draft"),
    draft2: keyvalue("0.2.0-draft2"),
  };
}

/** Lets go of a resource, as a guest does when it drops one. */
export const drop = (resource) => resource[DISPOSE]();

/** A change for `append-batch`. */
export const put = (key, value) => ({ tag: "put", val: { key: bytes(key), value } });

/** A text as bytes. */
export const bytes = (text) => new TextEncoder().encode(text);

/** Bytes as a text, for what may not be there as well. */
export const text = (content) => (content === undefined ? undefined : new TextDecoder("utf-8", { fatal: true }).decode(content));

/** Bytes that differ with their seed and nowhere repeat soon. */
export function noise(length, seed) {
  let state = seed;
  return new Uint8Array(length).map(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}
