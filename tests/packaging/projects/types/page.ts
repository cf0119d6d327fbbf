/** What a page may write, each with the type that it must have. */

import { type Bytes, type Db, destroy, type ErrorCode, type Key, open, TailstoneError } from "tailstone";
import { open as openInline } from "tailstone/inline";
import { createStore, get, set } from "tailstone/keyval";
import { open as openMemory } from "tailstone/memory";

interface Person {
  name: string;
}

const key: Key = new Uint8Array([1]);
const bytes: Db<Uint8Array<ArrayBuffer>, Bytes> = await open("bytes", { durability: "relaxed" });
const value: Uint8Array<ArrayBuffer> | undefined = await bytes.get(key);
await bytes.set("k", value ?? new Uint8Array());
await bytes.batch((batch) => batch.set("a", new Uint8Array()), { durability: "strict" });
for await (const [name, entry] of bytes.entries({ prefix: "a" })) console.log(name.length, entry.byteLength);

const people: Db<Person> = await open<Person>("people", { codec: "json", onDegraded: (reason) => report(reason.code) });
const renamed: Person | undefined = await people.update("ada", (old) => ({ name: `${old?.name}` }));
const stop: () => void = people.watch("a", ({ type, key }) => console.log(type, key));
// @ts-expect-error: a person has no age
console.log((await people.get("ada"))?.age);
// @ts-expect-error: not a durability
await people.set("ada", { name: "Ada" }, { durability: "soon" });
const blob: Blob = await people.export();
await people.import(blob);
stop();

function report(code: ErrorCode): void {
  console.log(code);
}
const error: Error = new TailstoneError("quota", "full", { cause: renamed });
console.log(error);

const same: typeof open = openInline;
const alike: typeof open = openMemory;
console.log(same, alike);
await set("k", { any: "thing" }, createStore("database", "store"));
const got: number | undefined = await get<number>("k");
console.log(got);
await destroy("bytes");
