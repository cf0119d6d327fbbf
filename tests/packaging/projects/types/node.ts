/** What a program for Node may write, without the declarations of a browser. */

import { type Db, open } from "tailstone";
import { get } from "tailstone/keyval";
import { open as openMemory } from "tailstone/memory";

const db: Db<{ n: number }> = await open<{ n: number }>("./store.tsl", { codec: "json" });
const n: number | undefined = (await db.get("k"))?.n;
console.log(n, db.backend satisfies "opfs" | "memory" | "file", await get("k"));
const memory = await openMemory("m");
await memory.set("k", new Uint8Array([1]));
await Promise.all([db.close(), memory.close()]);
