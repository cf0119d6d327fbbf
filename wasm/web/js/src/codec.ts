/** How values become bytes, and bytes values. */

import { TailstoneError } from "./errors.js";

/** Turns values into bytes and back. */
export interface Codec<T> {
  /** The bytes of a value. */
  encode(value: T): Uint8Array | Promise<Uint8Array>;
  /** The value of these bytes, which are the codec's own. */
  decode(bytes: Uint8Array<ArrayBuffer>): T;
}

/** A codec of values that only the caller knows. */
export type AnyCodec = Codec<any>;

/** Codecs that come with the package: bytes as they are, JSON, or whatever the structured clone algorithm carries. */
export type CodecName = "bytes" | "json" | "structured";

/** What a store of bytes takes. */
export type Bytes = Uint8Array | ArrayBuffer;

const bytes: AnyCodec = {
  encode: (value: unknown) => {
    if (value instanceof Uint8Array) return value;
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    throw new TailstoneError("invalid", "values are bytes; open the store with a codec to store anything else");
  },
  decode: (value: Uint8Array) => value,
};

const json: AnyCodec = typed({
  encode: (value: unknown) => {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError("JSON has no such value");
    return new TextEncoder().encode(text);
  },
  decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as unknown,
});

/** The codec of that name. The larger one is loaded when it is asked for. */
export async function codecOf(codec: CodecName | AnyCodec | undefined): Promise<AnyCodec> {
  switch (codec) {
    case undefined:
    case "bytes":
      return bytes;
    case "json":
      return json;
    case "structured":
      return (await import("./structured.js")).structured;
    default:
      if (typeof codec.encode === "function" && typeof codec.decode === "function") return typed(codec);
      throw new TailstoneError("invalid", `there is no codec ${String(codec)}`);
  }
}

/** The same codec, whose failures are the package's. */
function typed(codec: AnyCodec): AnyCodec {
  const unfit = (cause: unknown): never => {
    throw new TailstoneError("invalid", `the codec does not take the value: ${(cause as Error)?.message}`, { cause });
  };
  return {
    encode: (value) => {
      try {
        const encoded = codec.encode(value);
        return encoded instanceof Promise ? encoded.catch(unfit) : encoded;
      } catch (cause) {
        return unfit(cause);
      }
    },
    decode: (bytes) => {
      try {
        return codec.decode(bytes) as unknown;
      } catch (cause) {
        throw new TailstoneError("corrupt", `the bytes are no value of this codec: ${(cause as Error)?.message}`, { cause });
      }
    },
  };
}
