/** What every entry of the package gives besides `open`. */

export type { HistoryEntry } from "./answers.js";
export type { Bytes, Codec, CodecName } from "./codec.js";
export { type Batch, type BytesRange, type CallOptions, Db, type Durability, type Range, type SetOptions, type WatchEvent } from "./db.js";
export { type ErrorCode, TailstoneError } from "./errors.js";
export type { Open, OpenOptions } from "./opener.js";
export type { Backend, Recovery, Stats, Verdict } from "./protocol.js";
export type { Key } from "./request.js";
