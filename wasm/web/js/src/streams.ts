/** Values and stores in pieces: neither is ever held in memory as a whole. */

import type { Connection } from "./connection.js";
import { TailstoneError } from "./errors.js";
import type { Held } from "./protocol.js";

/** How much travels at a time, in bytes. */
const PIECE = 512 * 1024;

/** What is held, as a stream; lets go of it at its end, and when it is cancelled. */
export function streamOf(connection: Connection, holding: () => Promise<Held | undefined>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let held: Held | undefined;
  let at = 0;
  const letGo = async () => {
    if (held !== undefined) await connection.call("letGo", { held: held.held });
    held = undefined;
  };
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      held ??= await holding();
      if (held !== undefined && at < held.length) {
        const bytes = await connection.call("read", { held: held.held, offset: at, length: PIECE });
        at += bytes.byteLength;
        controller.enqueue(new Uint8Array(bytes));
      }
      if (held === undefined || at >= held.length) {
        await letGo();
        controller.close();
      }
    },
    cancel: letGo,
  });
}

/** Sends a stream to where a value of unknown length is gathered; the number that it goes by there. */
export async function spoolOf(connection: Connection, source: ReadableStream<Uint8Array>): Promise<number> {
  const reader = readerOf(source);
  let spool: number | undefined;
  try {
    spool = await connection.call("spool", {});
    let gathered = new Uint8Array(PIECE);
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (value !== undefined && !(value instanceof Uint8Array)) throw new TailstoneError("invalid", "the stream does not give bytes");
      for (let at = 0; value !== undefined && at < value.length; ) {
        const part = value.subarray(at, at + PIECE - length);
        gathered.set(part, length);
        length += part.length;
        at += part.length;
        if (length < PIECE) break;
        const full = gathered.buffer;
        gathered = new Uint8Array(PIECE);
        length = 0;
        await connection.call("piece", { spool, bytes: full }, { moved: [full] });
      }
      if (done) break;
    }
    if (length > 0) await connection.call("piece", { spool, bytes: gathered.slice(0, length).buffer });
    return spool;
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    if (spool !== undefined) await connection.call("dropSpool", { spool }).catch(() => {});
    throw error;
  }
}

function readerOf(source: ReadableStream<Uint8Array>): ReadableStreamDefaultReader<Uint8Array> {
  try {
    return source.getReader();
  } catch (cause) {
    throw new TailstoneError("invalid", "what is stored here is a Blob, or a ReadableStream that nobody else reads", { cause });
  }
}
