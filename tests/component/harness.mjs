/**
 * What the tests share: the component that `TAILSTONE_COMPONENT` names, transpiled once for each file of tests; folders that go
 * away; what a refusal looks like.
 *
 * The transpiler is the one in `jco`, which is a package of its own and a third of the other one's size. With these options it
 * makes, to the byte, what `jco transpile --instantiation async` does.
 */

import assert from "node:assert/strict";
import { transpile } from "@bytecodealliance/jco-transpile";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { instantiate } from "./instance.mjs";

export * from "./instance.mjs";

const folders = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 }))));

/** A folder that is gone once the file's tests are over. */
export async function freshFolder() {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "tailstone-component-")));
  folders.push(folder);
  return folder;
}

let once;

/** Transpiles the component, if that was not done yet. Resolves to the names of what it imports and exports. */
export function transpiled() {
  once ??= (async () => {
    const component = process.env.TAILSTONE_COMPONENT;
    assert(component, "TAILSTONE_COMPONENT is not set; `cargo xtask test` builds the component and names it there");
    const options = { name: "store", instantiation: "async", noComponentErrorWrapping: false };
    const { files, imports, exports } = await transpile(component, options);
    const folder = await freshFolder();
    for (const [name, content] of Object.entries({ ...files, "package.json": '{ "type": "module" }\n' })) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    // Programs that are started here inherit it.
    process.env.TAILSTONE_TRANSPILED = folder;
    return { imports, exports: exports.map(([name]) => name) };
  })();
  return once;
}

/** A new instance with memory of its own. It sees `folder`, or no folder if that is undefined. */
export async function start(folder) {
  await transpiled();
  return instantiate(folder);
}

/** For `assert.throws`: what is thrown is this case of the interface's error, and its sentence says this. */
export function refusal(tag, sentence) {
  return (error) => {
    assert.equal(error.payload?.tag, tag, error);
    if (sentence !== undefined) assert.match(error.payload.val, sentence);
    return true;
  };
}

/** Fails unless they are the same bytes, and does not print them all. */
export function same(content, expected, what = "a value") {
  assert(content !== undefined, `${what} is not there`);
  assert(Buffer.from(content).equals(expected), `${what} is another one`);
}
