/** Opens stores: one connection for each, whatever number of buckets of it are open at a time. */

import { type Bytes, type AnyCodec, type Codec, type CodecName, codecOf } from "./codec.js";
import { type Channel, Connection } from "./connection.js";
import { Db } from "./db.js";
import { TailstoneError } from "./errors.js";
import type { Durability } from "./options.js";
import type { Opened } from "./protocol.js";

/** How a store is opened. */
export interface OpenOptions {
  /** The bucket to read and write; `"default"` unless said. One store holds any number of them. */
  bucket?: string | undefined;
  /** `"relaxed"` unless said. */
  durability?: Durability | undefined;
  /** The file, from 4 MiB on, is compacted by itself once this part of it is overwritten or deleted: 0.5 unless said; `false` for never. */
  compactAt?: number | false | undefined;
  /**
   * Called when the browser refuses its file system, as some private windows do, and the store lives in memory and
   * ends with the page. Without this callback `db.durable` is the only sign.
   */
  onDegraded?: ((reason: TailstoneError) => void) | undefined;
  /** Where the `.wasm` file lies, if not beside the script. */
  wasm?: string | URL | undefined;
}

/** Opens a store whose values are bytes, or what a codec makes of them. */
export interface Open {
  /** A store of bytes. */
  (name: string, options?: OpenOptions & { codec?: "bytes" | undefined }): Promise<Db<Uint8Array<ArrayBuffer>, Bytes>>;
  /** A store of values that JSON, or the structured clone algorithm, carries. */
  <T = unknown>(name: string, options: OpenOptions & { codec: "json" | "structured" }): Promise<Db<T>>;
  /** A store of what the codec knows. */
  <T>(name: string, options: OpenOptions & { codec: Codec<T> }): Promise<Db<T>>;
}

/** Makes an `open` out of a way to reach stores. @internal */
export function opener(connect: (name: string, wasm: string | undefined) => Channel, isName: (name: string) => boolean): Open {
  const connections = new Map<string, Promise<[Connection, Opened]>>();
  const open = async (name: string, options: OpenOptions & { codec?: CodecName | AnyCodec } = {}): Promise<Db<unknown>> => {
    if (typeof name !== "string" || !isName(name)) throw new TailstoneError("invalid", "a store's name has 1 to 200 characters, and is not `.` or `..`");
    const codec = await codecOf(options.codec);
    let connecting = connections.get(name);
    if (connecting === undefined) {
      const { compactAt = 0.5, wasm } = options;
      const given = { name, compactAt: compactAt === false ? 0 : compactAt };
      const forget = () => {
        if (connections.get(name) === connecting) connections.delete(name);
      };
      connecting = Connection.open(connect(name, wasm === undefined ? undefined : String(wasm)), given, forget);
      connecting.catch(forget);
      connections.set(name, connecting);
    }
    const [connection, opened] = await connecting;
    connection.use();
    if (connection.degraded !== undefined) options.onDegraded?.(connection.degraded);
    return new Db(name, options.bucket ?? "default", connection, opened, codec, options.durability ?? "relaxed");
  };
  return open as Open;
}
