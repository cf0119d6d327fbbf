/** How large the component is that everybody who plugs it in loads. */

import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { test } from "node:test";

/** Close to what is built: 317,193 bytes when this was set. */
const { componentBytesMax } = JSON.parse(await readFile(new URL("limits.json", import.meta.url), "utf8"));

test("the component is no larger than before", async () => {
  const component = process.env.TAILSTONE_COMPONENT;
  assert(component, "TAILSTONE_COMPONENT is not set; `cargo xtask test` builds the component and names it there");
  const { size } = await stat(component);
  assert(size <= componentBytesMax, `${size} bytes, bound ${componentBytesMax}`);
});
