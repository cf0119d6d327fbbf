/** Pages without a bundler: an import map, and relative addresses. */

import { before, test } from "node:test";
import { serve } from "../../www/serve.mjs";
import { freshProject } from "./stranger.mjs";
import { visit } from "./visitor.mjs";

let folder;
before(async () => {
  folder = await freshProject("page");
});

for (const [name, path] of [
  ["an import map", "index.html"],
  ["relative addresses", "relative.html"],
]) {
  test(`a page with ${name}`, async (t) => {
    const { url, stop } = await serve({ folder });
    t.after(stop);
    await visit(url + path);
  });
}
