/** A person who opens a project's page, and comes back: what the page stored is there, and its console is quiet. */

import assert from "node:assert/strict";
import { after } from "node:test";
import { launch, newProfile, removeFolder } from "../browser/harness.mjs";

const VISITS = 3;

let browser;

/** Loads `url` several times; `projects/visits.js` counts on the page's root element. */
export async function visit(url) {
  const page = await (await started()).newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  for (let count = 1; count <= VISITS; count += 1) {
    await page.goto(url);
    await page.waitForSelector("html[data-count], html[data-error]", { state: "attached" }).catch((error) => {
      assert.fail(`${error}\n${complaints.join("\n")}`);
    });
    const found = await page.evaluate(() => ({ ...document.documentElement.dataset }));
    assert.deepEqual(found, { backend: "opfs", count: `${count}` }, complaints.join("\n"));
  }
  assert.deepEqual(complaints, [], "the page's console");
  await page.close();
}

/** One browser for a file of tests: every server has an origin of its own, and with it its own storage. */
function started() {
  browser ??= newProfile().then(async (profile) => {
    const context = await launch(profile);
    atEnd.push(async () => {
      await context.close();
      await removeFolder(profile);
    });
    return context;
  });
  return browser;
}

const atEnd = [];
after(() => Promise.all(atEnd.map((end) => end())));
