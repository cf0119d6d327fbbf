/**
 * Writes until it is killed: `node writer.mjs FOLDER`, as a test starts it. The batches in store `a.tsl` have
 * twenty keys each, whose value is the batch's number; that number is printed once the batch is answered. Now and then it compacts.
 */

import { writeSync } from "node:fs";
import { bytes, instantiate, put } from "./instance.mjs";

/** So that it ends even if nobody kills it. */
const LONGEST_MS = 30_000;

const begun = performance.now();
const store = (await instantiate(process.argv[2])).open("a.tsl");
for (let batch = 1; performance.now() - begun < LONGEST_MS; batch++) {
  store.appendBatch(Array.from({ length: 20 }, (_, index) => put(`key ${index}`, bytes(String(batch)))));
  writeSync(1, `${batch}\n`);
  if (batch % 25 === 0) store.compact();
}
