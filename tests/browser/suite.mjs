/** What the tests of one file share: one browser on one built site, for as long as they run. */

import { after, before } from "node:test";
import { launch, newProfile, removeFolder, serveBuilt } from "./harness.mjs";

/** To be called in a `describe`; what it returns is filled in before the first test. */
export function inBrowser() {
  const browser = {};

  before(async () => {
    browser.site = await serveBuilt();
    browser.profile = await newProfile();
    browser.context = await launch(browser.profile);
  });

  after(async () => {
    await browser.context?.close();
    await browser.site?.stop();
    if (browser.profile !== undefined) await removeFolder(browser.profile);
  });

  return browser;
}
