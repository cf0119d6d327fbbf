/** What a worker may write. */

import { TailstoneError } from "tailstone";
import { openSync } from "tailstone/worker";

const store = await openSync("app", { bucket: "b" });
const value: Uint8Array<ArrayBuffer> | undefined = store.get("k");
store.set("k", value ?? new Uint8Array([1]));
const length: number | undefined = store.withView("k", (view) => view.length);
console.log(length, TailstoneError.name);
store.close();
