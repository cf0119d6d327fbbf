/** The store as a whole: what is on stable storage, compaction, export and import, what is refused, the end. */

import { bytesOf, drained, equal, fails, gathered, ok, pattern, sameBytes, textOf, until } from "./expect.mjs";

export async function strictIsFlushedAndRelaxedSoonAfter({ open, fresh }) {
  const name = fresh();
  const db = await open(name);
  const unflushed = async () => (await db.stats()).unflushedBytes;
  await db.set("k", bytesOf("strict"), { durability: "strict" });
  equal(await unflushed(), 0, "after a strict write");
  await db.set("k", bytesOf("relaxed"));
  await db.flush();
  equal(await unflushed(), 0, "after a flush");
  await db.set("k", bytesOf("by itself"));
  await until(async () => (await unflushed()) === 0, "a relaxed write is flushed by itself");
  for (const write of [
    () => db.setMany([["a", bytesOf("1")]], { durability: "strict" }),
    () => db.delete("a", { durability: "strict" }),
    () => db.batch((b) => b.set("b", bytesOf("2")), { durability: "strict" }),
    () => db.update("c", () => bytesOf("3"), { durability: "strict" }),
    () => db.putStream("d", new Blob([pattern(100_000)]), { durability: "strict" }),
    () => db.deleteMany(["b", "c"], { durability: "strict" }),
    () => db.clear({ durability: "strict" }),
  ]) {
    await write();
    equal(await unflushed(), 0, `after ${write}`);
  }
  await db.close();
  const strict = await open(fresh(), { durability: "strict" });
  await strict.set("k", bytesOf("v"));
  equal((await strict.stats()).unflushedBytes, 0);
  await strict.close();
}

export async function statsAndVerifySayWhatIsThere({ open, fresh, backend }) {
  const db = await open(fresh());
  equal([db.backend, db.durable], [backend, backend !== "memory"]);
  await db.setMany(Array.from({ length: 100 }, (_, at) => [`k${at}`, pattern(1000)]));
  await db.set("k0", pattern(2000));
  await db.delete("k1");
  const stats = await db.stats();
  ok(stats.liveKeys >= 99, `live keys: ${stats.liveKeys}`);
  ok(stats.fileBytes > 100_000 && stats.fileBytes < 200_000, `bytes of the file: ${stats.fileBytes}`);
  ok(stats.compactionSavings >= 2000, `what compaction would save: ${stats.compactionSavings}`);
  const verdict = await db.verify();
  ok(verdict.sound && verdict.summary.length > 0, verdict.summary);
  equal(typeof (await db.persist()), "boolean");
  await db.close();
}

export async function compactionKeepsAllThatLives({ open, fresh, keeps }) {
  const name = fresh();
  let db = await open(name, { compactAt: false });
  for (let round = 0; round < 5; round++) {
    await db.setMany(Array.from({ length: 200 }, (_, at) => [`k${at}`, pattern(5000 + at, round)]));
  }
  await db.set("large", pattern(5 << 20));
  await db.delete("k7");
  const before = await db.stats();
  // Calls made while it runs are carried out before or after it.
  const [, during] = await Promise.all([db.compact(), db.get("k9"), db.set("during", bytesOf("d"))]);
  sameBytes(during, pattern(5009, 4));
  const after = await db.stats();
  ok(after.fileBytes < before.fileBytes / 1.5, `${before.fileBytes} bytes became ${after.fileBytes}`);
  const check = async () => {
    for (let at = 0; at < 200; at++) {
      if (at === 7) equal(await db.get("k7"), undefined);
      else sameBytes(await db.get(`k${at}`), pattern(5000 + at, 4), `k${at}`);
    }
    sameBytes(await db.get("large"), pattern(5 << 20));
    equal([textOf(await db.get("during")), await db.count()], ["d", 201]);
    ok((await db.verify()).sound, "sound");
  };
  await check();
  if (keeps) {
    await db.close();
    db = await open(name);
    await check();
  }
  await db.close();
}

export async function aStreamOpenDuringCompactionEndsRight({ open, fresh, TailstoneError }) {
  const db = await open(fresh());
  const value = pattern(24 << 20);
  await db.set("dead", pattern(1 << 20));
  await db.set("k", value);
  await db.delete("dead");
  const stream = await db.stream("k");
  const reader = stream.getReader();
  const first = (await reader.read()).value;
  await db.compact();
  reader.releaseLock();
  // All of the value, or an error that says so; never other bytes.
  try {
    const rest = await drained(stream);
    equal(first.length + rest.length, value.length);
    sameBytes(rest, value.subarray(first.length), "behind the compaction");
  } catch (error) {
    if (!(error instanceof TailstoneError)) throw error;
  }
  sameBytes(await db.get("k"), value);
  // One of a key that goes away with the compaction.
  const gone = (await db.stream("k")).getReader();
  const begun = (await gone.read()).value;
  sameBytes(begun, value.subarray(0, begun.length));
  await db.delete("k");
  await db.compact();
  let at = begun.length;
  try {
    for (let next = await gone.read(); !next.done; next = await gone.read()) {
      sameBytes(next.value, value.subarray(at, at + next.value.length), `deleted, at ${at}`);
      at += next.value.length;
    }
    equal(at, value.length, "a stream that ended without an error");
  } catch (error) {
    if (!(error instanceof TailstoneError)) throw error;
  }
  await db.close();
}

export async function aStoreCompactsItselfWhenHalfOfItIsDead({ open, fresh }) {
  const db = await open(fresh());
  let largest = 0;
  for (let round = 0; round < 40; round++) {
    await db.set("k", pattern(1 << 20, round));
    largest = Math.max(largest, (await db.stats()).fileBytes);
  }
  await until(async () => (await db.stats()).fileBytes < 20 << 20, "what is dead goes");
  sameBytes(await db.get("k"), pattern(1 << 20, 39));
  await db.close();
}

export async function anExportImportedElsewhereIsTheSameStore({ open, fresh }) {
  const [one, other] = [await open(fresh()), await open(fresh())];
  await one.setMany(Array.from({ length: 500 }, (_, at) => [`k${at}`, bytesOf(`v${at}`)]));
  await one.set("large", pattern(6 << 20));
  await one.set("after", bytesOf("not yet flushed"));
  const file = await one.export();
  ok(file instanceof Blob, "a blob");
  const bytes = new Uint8Array(await file.arrayBuffer());
  sameBytes(await drained(one.exportStream()), bytes, "the stream, against the blob");
  await one.set("later", bytesOf("not in the file"));
  for (const source of [file, new Blob([bytes]), new Blob([bytes]).stream(), one.exportStream()]) {
    await other.set("gone", bytesOf("with the import"));
    const recovery = await other.import(source);
    ok(recovery.fileBytes >= bytes.length && recovery.cutBytes === 0, `recovery: ${JSON.stringify(recovery)}`);
    equal(other.recovery, recovery);
    equal([textOf(await other.get("k0")), textOf(await other.get("k499")), await other.get("gone"), textOf(await other.get("after"))], ["v0", "v499", undefined, "not yet flushed"]);
    sameBytes(await other.get("large"), pattern(6 << 20));
  }
  equal([await other.has("later"), await other.count()], [true, 503]);
  await other.set("goes on", bytesOf("here"));
  ok((await other.verify()).sound, "sound");
  await one.close();
  await other.close();
}

export async function aFileThatIsNoStoreOrIsDamagedChangesNothing({ open, fresh, keeps, TailstoneError }) {
  const name = fresh();
  const db = await open(name);
  await db.set("k", bytesOf("kept"));
  await db.set("l", pattern(20_000));
  await db.set("m", bytesOf("m"));
  const before = new Uint8Array(await (await db.export()).arrayBuffer());
  const damaged = before.slice();
  damaged[10_000] ^= 1;
  const text = new Blob(["This is a text file, long enough to be taken for something.\n".repeat(50)]);
  await fails("not-a-store", () => db.import(text), TailstoneError);
  await fails("corrupt", () => db.import(new Blob([damaged])), TailstoneError);
  await fails("corrupt", () => db.import(new Blob([damaged]).stream()), TailstoneError);
  sameBytes(new Uint8Array(await (await db.export()).arrayBuffer()), before, "the store");
  await db.set("k", bytesOf("still writes"));
  equal(textOf(await db.get("k")), "still writes");
  await db.close();
  if (!keeps) return;
  const again = await open(name);
  equal([textOf(await again.get("k")), await again.count()], ["still writes", 3]);
  await again.close();
}

export async function anImportOfACutFileRecoversIt({ open, fresh }) {
  const db = await open(fresh());
  await db.set("whole", pattern(1000));
  const whole = (await db.export()).size;
  await db.set("cut", pattern(1000));
  const file = await db.export();
  const recovery = await db.import(file.slice(0, file.size - 100));
  equal([recovery.outcome, recovery.tail, recovery.cutBytes], ["TornTail", whole, file.size - 100 - whole]);
  equal([await db.has("whole"), await db.has("cut")], [true, false]);
  ok((await db.verify()).sound, "sound");
  await db.close();
}

export async function afterCloseEveryCallSaysSo({ open, fresh, TailstoneError }) {
  const db = await open(fresh());
  await db.set("k", bytesOf("v"));
  const last = db.set("l", bytesOf("with the close"));
  await db.close();
  await last;
  await db.close();
  for (const call of [
    () => db.set("k", bytesOf("v")), () => db.get("k"), () => db.flush(), () => db.getMany(["k"]), () => db.setMany([["k", bytesOf("v")]]),
    () => db.update("k", (old) => old), () => db.stream("k"), () => db.putStream("k", new Blob(["v"])), () => gathered(db.keys()),
    () => db.export(), () => db.compact(), () => db.stats(), () => db.batch((b) => b.set("k", bytesOf("v"))),
  ]) {
    await fails("closed", call, TailstoneError);
  }
}

export async function openingTwiceSharesTheStore({ open, destroy, fresh, keeps, behind, TailstoneError }) {
  if (!keeps) return;
  const name = fresh();
  const [one, two] = await Promise.all([open(name), open(name)]);
  await one.set("k", bytesOf("from one"));
  equal(textOf(await two.get("k")), "from one");
  await fails("locked", () => destroy(name), TailstoneError);
  await one.close();
  await two.set("l", bytesOf("after the other was closed"));
  await two.close();
  const again = await open(name);
  equal(textOf(await again.get("l")), "after the other was closed");
  if (!behind) equal(again.recovery.outcome, "Clean");
  await again.close();
  await destroy(name);
  await destroy(name);
  const empty = await open(name);
  equal(await empty.count(), 0, "after destroy");
  await empty.close();
}
