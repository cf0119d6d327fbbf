/** How much room the store takes, what of it could be had back, and whether the browser promises to keep it. */

import type { Stats } from "tailstone";
import { $, button } from "./elements.js";
import type { Library } from "./library.js";
import { say } from "./talk.js";
import * as words from "./words.js";

/** Shows the figures; gives them to who draws them. */
export async function drawStorage(library: Library): Promise<Stats> {
  const { files, total } = library;
  const stats = await files.stats();
  $("store-bytes").textContent = words.bytes(stats.fileBytes);
  $("store-files").textContent = total === 0 ? "no files yet" : `in ${words.count(total, "file")}`;
  // Entries of other buckets, or of none: a store from elsewhere, most likely.
  const isElsewhere = total === 0 && stats.liveKeys > 0 && (await library.notes.count()) + (await library.thumbs.count()) === 0;
  $("elsewhere").hidden = !isElsewhere;
  $("dead").textContent = stats.compactionSavings > 0 ? `${words.bytes(stats.compactionSavings)} could be reclaimed` : "nothing to reclaim";
  button("compact").disabled = stats.compactionSavings === 0;
  const { usageBytes, quotaBytes } = stats;
  const isKnown = usageBytes !== undefined && quotaBytes !== undefined;
  $("quota").hidden = !isKnown;
  if (isKnown) {
    const share = usageBytes / Math.max(1, quotaBytes);
    $<HTMLMeterElement>("quota").value = share;
    $("quota").dataset["level"] = share > 0.8 ? "high" : "low";
    $("quota-text").textContent = `${words.bytes(usageBytes)} of ${words.bytes(quotaBytes)}`;
  } else $("quota-text").textContent = "The browser does not say.";
  await drawPersistence(library);
  return stats;
}

async function drawPersistence({ files }: Library): Promise<void> {
  // Contexts that are not secure have no `navigator.storage`.
  const isKept = await (navigator.storage as StorageManager | undefined)?.persisted?.();
  button("persist").hidden = !files.durable || isKept === true;
  $("persist-text").textContent = !files.durable
    ? "In this tab's memory."
    : isKept === true
      ? "Kept until you remove it."
      : "Cleared if the disk runs full.";
}

/** Asks the browser to keep the store. */
export async function persist(library: Library): Promise<void> {
  const isKept = await library.files.persist();
  await drawPersistence(library);
  say(isKept ? "The browser keeps the shelf until you remove it." : "The browser declined for now: it grants this to pages that are used often.");
}

/** Gives back what earlier versions take, once that is agreed to. */
export async function compact(library: Library): Promise<void> {
  const before = (await library.files.stats()).fileBytes;
  await library.files.compact();
  const after = (await library.files.stats()).fileBytes;
  await library.refresh();
  say(`Reclaimed ${words.bytes(Math.max(0, before - after))}.`);
}
