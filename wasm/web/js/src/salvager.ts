/** Rescues stores that opening refuses as damaged: through a channel of its own, which ends with that. */

import type { Channel } from "./connection.js";
import { fromWire, TailstoneError } from "./errors.js";
import type { Recovery } from "./protocol.js";

/** How a store is rescued. */
export interface SalvageOptions {
  /** Where the `.wasm` file lies, if not beside the script. */
  wasm?: string | URL | undefined;
}

/** Rescues the store of a name. */
export type Salvage = (name: string, options?: SalvageOptions) => Promise<Recovery>;

/** Makes a `salvage` out of a way to reach stores. @internal */
export function salvager(connect: (name: string, wasm: string | undefined) => Channel, isName: (name: string) => boolean): Salvage {
  return async (name, { wasm } = {}) => {
    if (typeof name !== "string" || !isName(name)) throw new TailstoneError("invalid", "a store's name has 1 to 200 characters, and is not `.` or `..`");
    const channel = connect(name, wasm === undefined ? undefined : String(wasm));
    try {
      return await new Promise((resolve, reject) => {
        channel.listen((message) => {
          if ("error" in message) reject(fromWire(message.error));
          else if ("ok" in message) resolve(message.ok as Recovery);
        }, reject);
        channel.post({ id: 0, call: "salvage", arguments: { name }, strict: false, once: true }, []);
      });
    } finally {
      channel.end();
    }
  };
}
