/** Pages without a bundler: an import map, and relative addresses. */

import { test } from "node:test";
import { serve } from "../../www/serve.mjs";
import { freshProject } from "./stranger.mjs";
import { visit } from "./visitor.mjs";

for (const [name, path] of [
  ["an import map", "index.html"],
  ["relative addresses", "relative.html"],
]) {
  test(`a page with ${name}`, async (t) => {
    const { url, stop } = await serve({ folder: await freshProject("page") });
    t.after(stop);
    await visit(t, url + path);
  });
}
