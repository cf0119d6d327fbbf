/** Carries out again what the engine refused for want of space, and puts the answers in the place of the refusals. */

import { AnswerReader } from "./answers.js";
import { ANSWER, OP } from "./codes.js";
import type { Engine, Ran } from "./engine.js";
import { RequestWriter } from "./request.js";

/** The answers of `ran`, with those ops tried again that failed with `quota`. */
export function withRetried(engine: Engine, ops: ArrayBuffer, length: number, ran: Ran): Ran {
  const request = new DataView(ops, 0, length);
  const answers = new AnswerReader(ran.answers);
  const parts: Uint8Array[] = [];
  let bucket = new Uint8Array(0);
  for (let at = 0; at < length; ) {
    const [start, code] = [at, request.getUint32(at, true) & 0xff];
    let left = code === OP.batch ? request.getUint32(at + 4, true) : 0;
    at = code === OP.batch ? at + 12 : endOf(request, at);
    for (; left > 0; left--) at = endOf(request, at);
    const op = new Uint8Array(ops, start, at - start);
    if (code === OP.bucket) {
      bucket = op;
      continue;
    }
    const answered = answers.at;
    const answer = answers.next();
    let part = new Uint8Array(ran.answers, answered, answers.at - answered);
    if (answer.kind === ANSWER.error && answer.error?.code === "quota") {
      const again = new RequestWriter();
      again.raw(bucket);
      again.raw(op);
      part = new Uint8Array(engine.runOps(again));
    }
    parts.push(part);
  }
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return { answers: joined.buffer, large: ran.large };
}

/** Where the op at `at` ends. */
function endOf(request: DataView, at: number): number {
  const end = at + 12 + request.getUint32(at + 4, true) + request.getUint32(at + 8, true);
  return (end + 3) & ~3;
}
