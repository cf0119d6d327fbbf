/** What every entry of the package gives besides `open`. */

export type { HistoryEntry } from "./answers.js";
export type { Bytes, Codec, CodecName } from "./codec.js";
export { Db } from "./db.js";
export { type ErrorCode, TailstoneError } from "./errors.js";
export type { Open, OpenOptions } from "./opener.js";
export type { Batch, BytesRange, CallOptions, Durability, Range, SetOptions, WatchEvent } from "./options.js";
export type { Backend, Recovery, Stats, Verdict } from "./protocol.js";
export type { Key } from "./request.js";
export type { Salvage, SalvageOptions } from "./salvager.js";
