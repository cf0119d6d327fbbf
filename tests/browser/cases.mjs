/** The shared cases: which there are, and how each is run in a page. */

import { readdirSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("cases/", import.meta.url);

const files = readdirSync(folder).filter((file) => file.endsWith(".mjs") && file !== "expect.mjs").sort();

/** Every case: its file, its name in there, and itself. */
export const cases = (
  await Promise.all(
    files.map(async (file) =>
      Object.entries(await import(new URL(file, folder))).map(([name, run]) => ({ file, name, title: titled(name), run })),
    ),
  )
).flat();

/** Makes a test of each case, to be run in the page that `pageOf` gives; `surroundings` is what the case is told of them. */
export function testInPage(pageOf, surroundings) {
  for (const { file, name, title } of cases) {
    test(title, () => pageOf().evaluate(runInPage, { file, name, surroundings }));
  }
}

async function runInPage({ file, name, surroundings }) {
  const module = await import(`./cases/${file}`);
  const names = [];
  const fresh = () => {
    names.push(`${name} ${names.length}`);
    return names.at(-1);
  };
  const { TailstoneError } = tailstone;
  const open = async (store, options) => {
    // Where there is another tab, it has the store before this one.
    await globalThis.openElsewhere?.(store);
    return tailstone.open(store, options);
  };
  const destroy = async (store) => {
    await globalThis.closeElsewhere?.(store);
    return tailstone.destroy(store);
  };
  await module[name]({ open, destroy, fresh, TailstoneError, ...surroundings });
  if (surroundings.keeps) for (const store of names) await destroy(store);
}

function titled(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
