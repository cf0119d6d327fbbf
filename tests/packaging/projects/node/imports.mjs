/** Imports every entry, as a server that renders pages does; none may touch what only a browser has. */

import { readFile } from "node:fs/promises";

const { exports } = JSON.parse(await readFile(new URL("node_modules/tailstone/package.json", import.meta.url), "utf8"));
for (const name of ["window", "document", "self", "Worker", "location", "indexedDB"]) delete globalThis[name];
// What Node has of it is not what a page has.
Object.defineProperty(globalThis, "navigator", { value: undefined });

const found = [];
const files = new Set();
for (const [subpath, conditions] of Object.entries(exports)) {
  if (typeof conditions === "string") continue;
  const module = await import(subpath.replace(/^\./, "tailstone"));
  found.push([subpath, Object.keys(module).length]);
  for (const [condition, file] of Object.entries(conditions)) if (condition !== "types") files.add(file);
}
// With the conditions of a browser too: bundlers for servers may set them.
for (const file of files) await import(new URL(`node_modules/tailstone/${file}`, import.meta.url).href);
console.log(JSON.stringify(found));
