/**
 * wa-sqlite, its synchronous build over `AccessHandlePoolVFS`, as strict as SQLite is by default.
 *
 * Its calls are promises all the same, and a statement must not be used by two callers at once: they queue.
 */

import * as SQLite from "wa-sqlite";
import SQLiteESMFactory from "wa-sqlite/dist/wa-sqlite.mjs";
import { AccessHandlePoolVFS } from "wa-sqlite/src/examples/AccessHandlePoolVFS.js";
import type { Bytes, Entry, OpenOptions, Store } from "../adapter.ts";

const WRITE = "INSERT INTO kv VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";

export async function open({ name }: OpenOptions): Promise<Store> {
  const sqlite = SQLite.Factory(await SQLiteESMFactory());
  const files = new AccessHandlePoolVFS(`/${name}`);
  await files.isReady;
  sqlite.vfs_register(files as unknown as SQLiteVFS, true);
  const db = await sqlite.open_v2("bench.db");
  await sqlite.exec(db, "CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value BLOB)");
  const prepare = async (sql: string): Promise<number> => {
    const prepared = await sqlite.prepare_v2(db, sqlite.str_value(sqlite.str_new(db, sql)));
    if (prepared === null) throw new Error(`no statement in ${sql}`);
    return prepared.stmt;
  };
  const write = await prepare(WRITE);
  const read = await prepare("SELECT value FROM kv WHERE key = ?1");
  const part = await prepare("SELECT substr(value, ?2, ?3) FROM kv WHERE key = ?1");
  const all = await prepare("SELECT key, value FROM kv");

  // What it gives is a view of the module's memory.
  const blob = (statement: number, column: number): Bytes => sqlite.column_blob(statement, column).slice() as Bytes;
  const set = async (key: string, value: Bytes): Promise<void> => {
    sqlite.bind_text(write, 1, key);
    sqlite.bind_blob(write, 2, value);
    await sqlite.step(write);
    await sqlite.reset(write);
  };
  const get = async (key: string): Promise<Bytes | undefined> => {
    sqlite.bind_text(read, 1, key);
    const value = (await sqlite.step(read)) === SQLite.SQLITE_ROW ? blob(read, 0) : undefined;
    await sqlite.reset(read);
    return value;
  };
  let last: Promise<unknown> = Promise.resolve();
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  };
  return {
    set: (key, value) => queued(() => set(key, value)),
    get: (key) => queued(() => get(key)),
    setMany: (entries) =>
      queued(async () => {
        await sqlite.exec(db, "BEGIN");
        for (const [key, value] of entries) await set(key, value);
        await sqlite.exec(db, "COMMIT");
      }),
    getMany: (keys) =>
      queued(async () => {
        const found: (Bytes | undefined)[] = [];
        for (const key of keys) found.push(await get(key));
        return found;
      }),
    scan: () =>
      queued(async () => {
        const found: Entry[] = [];
        while ((await sqlite.step(all)) === SQLite.SQLITE_ROW) found.push([sqlite.column_text(all, 0), blob(all, 1)]);
        await sqlite.reset(all);
        return found;
      }),
    range: (key, offset, length) =>
      queued(async () => {
        sqlite.bind_text(part, 1, key);
        sqlite.bind_int(part, 2, offset + 1);
        sqlite.bind_int(part, 3, length);
        await sqlite.step(part);
        const value = blob(part, 0);
        await sqlite.reset(part);
        return value;
      }),
    compact: () => queued(async () => void (await sqlite.exec(db, "VACUUM"))),
    close: () =>
      queued(async () => {
        for (const statement of [write, read, part, all]) await sqlite.finalize(statement);
        await sqlite.close(db);
        await files.close();
      }),
  };
}
