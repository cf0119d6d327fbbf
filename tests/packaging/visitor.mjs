/** A person who opens a project's page, and comes back: what the page stored is there, and its console is quiet. */

import assert from "node:assert/strict";
import { launch, newProfile, removeFolder } from "../browser/harness.mjs";

const VISITS = 3;

/** Loads `url` several times; `projects/visits.js` counts on the page's root element. */
export async function visit(t, url) {
  const profile = await newProfile();
  t.after(() => removeFolder(profile));
  const context = await launch(profile);
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  for (let count = 1; count <= VISITS; count += 1) {
    await page.goto(url);
    await page.waitForSelector("html[data-count], html[data-error]", { timeout: 30_000 }).catch((error) => {
      assert.fail(`${error}\n${complaints.join("\n")}`);
    });
    const { backend, error } = await page.evaluate(() => ({ ...document.documentElement.dataset }));
    assert.equal(error, undefined, complaints.join("\n"));
    assert.equal(backend, "opfs");
    assert.equal(await page.getAttribute("html", "data-count"), `${count}`);
  }
  assert.deepEqual(complaints, [], "the page's console");
}
