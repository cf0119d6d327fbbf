/** Streams in and out: values that are larger than one would hold in memory. */

import { bytesOf, drained, equal, fails, gathered, ok, pattern, sameBytes, textOf } from "./expect.mjs";

/** Pieces of odd lengths, as a network gives them, `total` bytes in all; `pulls` counts how many were asked for. */
function pieces(total, seed) {
  const state = { pulls: 0, cancelled: undefined };
  let at = 0;
  state.stream = new ReadableStream({
    pull(controller) {
      state.pulls++;
      const length = Math.min(total - at, 1 + ((at * 7919) % 200_000));
      if (length > 0) controller.enqueue(piece(at, length, seed));
      at += length;
      if (at === total) controller.close();
    },
    cancel(reason) {
      state.cancelled = reason ?? "without a reason";
    },
  }, { highWaterMark: 0 });
  return state;
}

/** A prime number of bytes, so that repeating them tells every place from those near it. */
const REPEATED = pattern(1_048_573);

/** What `length` bytes from `offset` on are, cheap to tell at any place. */
function piece(offset, length, seed) {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const part = REPEATED.subarray((offset + at + seed * 997) % REPEATED.length).subarray(0, length - at);
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export async function fortyMebibytesGoThroughAStreamAndBack({ open, fresh, keeps }) {
  const name = fresh();
  const total = (40 << 20) + 12_345;
  let db = await open(name);
  await db.putStream("video", pieces(total, 1).stream);
  const check = async () => {
    equal(await db.size("video"), total);
    let at = 0;
    for (const reader = (await db.stream("video")).getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      sameBytes(value, piece(at, value.length, 1), `the piece at ${at}`);
      at += value.length;
    }
    equal(at, total, "length of the stream");
    sameBytes(await db.getRange("video", total - 1000, 1000), piece(total - 1000, 1000, 1));
  };
  await check();
  if (keeps) {
    await db.flush();
    await db.close();
    db = await open(name);
    await check();
  }
  await db.close();
}

export async function everySourceOfAStreamIsTaken({ open, fresh }) {
  const db = await open(fresh());
  const bytes = pattern(300_000);
  await db.putStream("blob", new Blob([bytes, bytes]));
  await db.putStream("response", new Response(bytes).body);
  await db.putStream("empty", new Blob([]));
  await db.putStream("nothing", new ReadableStream({ start: (controller) => controller.close() }));
  await db.putStream("small pieces", pieces(70, 5).stream, { durability: "strict" });
  sameBytes((await db.get("blob")).subarray(300_000), bytes);
  sameBytes(await db.get("response"), bytes);
  equal([await db.size("blob"), await db.size("empty"), await db.size("nothing")], [600_000, 0, 0]);
  sameBytes(await db.get("small pieces"), piece(0, 70, 5));
  // And every value can be had as a stream.
  equal(await db.stream("missing"), undefined);
  sameBytes(await drained(await db.stream("empty")), new Uint8Array(0));
  sameBytes(await drained(await db.stream("small pieces")), piece(0, 70, 5));
  sameBytes(await drained(await db.stream("response")), bytes);
  const blob = await new Response(await db.stream("blob")).blob();
  equal(blob.size, 600_000, "through a response");
  await db.close();
}

export async function aSourceThatFailsStoresNothing({ open, fresh, TailstoneError }) {
  const db = await open(fresh());
  await db.set("k", bytesOf("as it was"));
  const reason = new Error("the network went away");
  let sent = 0;
  const source = new ReadableStream({
    pull(controller) {
      if (sent++ < 30) controller.enqueue(pattern(100_000));
      else controller.error(reason);
    },
  });
  let thrown;
  await db.putStream("k", source).catch((error) => (thrown = error));
  ok(thrown === reason || thrown?.cause === reason || thrown?.cause?.message === reason.message, `failed with ${thrown}`);
  await db.putStream("l", new ReadableStream({ start: (c) => { c.enqueue("no bytes"); c.close(); } })).then(
    () => ok(false, "text is no bytes"),
    (error) => ok(error instanceof TailstoneError || error instanceof TypeError, `failed with ${error}`),
  );
  equal([textOf(await db.get("k")), await db.has("l")], ["as it was", false]);
  await fails("invalid", () => db.putStream("l", 5), TailstoneError);
  await db.set("after", bytesOf("works"));
  equal(await gathered(db.keys()), ["after", "k"]);
  ok((await db.verify()).sound, "sound");
  await db.close();
}

export async function aStreamCancelledHalfWayLeavesTheStoreFree({ open, fresh }) {
  const db = await open(fresh());
  await db.set("k", pattern(20 << 20));
  await db.flush();
  const reader = (await db.stream("k")).getReader();
  const { value } = await reader.read();
  sameBytes(value, pattern(20 << 20).subarray(0, value.length), "the first piece");
  await reader.cancel("enough");
  await db.set("k", bytesOf("after"));
  equal(textOf(await db.get("k")), "after");
  await db.compact();
  equal(textOf(await db.get("k")), "after");
  await db.close();
}

export async function aStreamReadsTheVersionItBeganWith({ open, fresh }) {
  const db = await open(fresh());
  const old = pattern(8 << 20, 1);
  await db.set("k", old);
  const stream = await db.stream("k");
  const reader = stream.getReader();
  const first = (await reader.read()).value;
  await db.set("k", pattern(9 << 20, 2));
  await db.delete("k");
  reader.releaseLock();
  const rest = await drained(stream);
  equal(first.length + rest.length, old.length);
  sameBytes(first, old.subarray(0, first.length), "before the value was replaced");
  sameBytes(rest, old.subarray(first.length), "after it");
  await db.close();
}

export async function aStreamComesInPieces({ open, fresh }) {
  const db = await open(fresh());
  const total = 64 << 20;
  const source = pieces(total, 3);
  equal(source.pulls, 0, "nothing is pulled before it is asked for");
  await db.putStream("k", source.stream);
  equal(await db.size("k"), total);
  const reader = (await db.stream("k")).getReader();
  const { value } = await reader.read();
  ok(value.length <= 4 << 20, `one piece has ${value.length} bytes: the value came as a whole`);
  sameBytes(value, piece(0, value.length, 3));
  await reader.cancel();
  await db.close();
}

export async function otherCallsGoOnDuringAStream({ open, fresh }) {
  const db = await open(fresh());
  let proceed;
  const held = new Promise((resolve) => (proceed = resolve));
  let sent = 0;
  const put = db.putStream("slow", new ReadableStream({
    async pull(controller) {
      if (sent === 3) await held;
      if (sent++ === 6) controller.close();
      else controller.enqueue(pattern(500_000, sent));
    },
  }));
  await db.set("meanwhile", bytesOf("there"));
  equal(textOf(await db.get("meanwhile")), "there");
  equal(await db.has("slow"), false, "not before its end");
  await db.setMany([["a", bytesOf("a")], ["b", bytesOf("b")]]);
  proceed();
  await put;
  equal([await db.size("slow"), await db.count()], [3_000_000, 4]);
  const got = await db.get("slow");
  for (let at = 0; at < 6; at++) sameBytes(got.subarray(at * 500_000, (at + 1) * 500_000), pattern(500_000, at + 1), `piece ${at}`);
  await db.close();
}

export async function twoStreamsAtATimeDoNotMix({ open, fresh }) {
  const db = await open(fresh());
  const total = 6_000_000;
  await Promise.all([db.putStream("a", pieces(total, 1).stream), db.putStream("b", pieces(total, 2).stream), db.putStream("c", new Blob([piece(0, total, 3)]))]);
  const all = await Promise.all(["a", "b", "c"].map(async (key) => drained(await db.stream(key))));
  all.forEach((bytes, at) => sameBytes(bytes, piece(0, total, at + 1), `stream ${at}`));
  await db.close();
}
