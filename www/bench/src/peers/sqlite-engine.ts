/**
 * SQLite over its `opfs-sahpool` file system: one table of keys and values, statements prepared once.
 *
 * Strict is what SQLite does by default. Relaxed is the write-ahead log with synchronous=NORMAL; the pool has no shared
 * memory, so that the log needs exclusive locking.
 */

import type { Bytes, Entry, OpenOptions, Store } from "../adapter.ts";
import sqlite3InitModule from "@sqlite.org/sqlite-wasm";

export async function open({ name, durability }: OpenOptions): Promise<Store> {
  const sqlite3 = await sqlite3InitModule();
  const pool = await sqlite3.installOpfsSAHPoolVfs({ directory: `/${name}`, name: "bench-pool" });
  const db = new pool.OpfsSAHPoolDb("/bench.db");
  if (durability === "relaxed") {
    db.exec("PRAGMA locking_mode=EXCLUSIVE");
    const mode = db.selectValue("PRAGMA journal_mode=WAL");
    if (mode !== "wal") throw new Error(`the journal's mode stayed ${String(mode)}`);
    db.exec("PRAGMA synchronous=NORMAL");
  }
  db.exec("CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value BLOB)");
  const write = db.prepare("INSERT INTO kv VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  const read = db.prepare("SELECT value FROM kv WHERE key = ?1");
  const part = db.prepare("SELECT substr(value, ?2, ?3) FROM kv WHERE key = ?1");
  const all = db.prepare("SELECT key, value FROM kv");

  const set = (key: string, value: Bytes): void => {
    write.bind(1, key).bindAsBlob(2, value).step();
    write.reset();
  };
  const get = (key: string): Bytes | undefined => {
    const value = read.bind(1, key).step() ? (read.getBlob(0) as Bytes) : undefined;
    read.reset();
    return value;
  };
  return {
    set,
    get,
    setMany(entries) {
      db.exec("BEGIN");
      for (const [key, value] of entries) set(key, value);
      db.exec("COMMIT");
    },
    getMany: (keys) => keys.map(get),
    scan() {
      const found: Entry[] = [];
      while (all.step()) found.push([all.getString(0) as string, all.getBlob(1) as Bytes]);
      all.reset();
      return found;
    },
    range(key, offset, length) {
      part.bind([key, offset + 1, length]).step();
      const value = part.getBlob(0) as Bytes;
      part.reset();
      return value;
    },
    flush() {
      if (durability === "relaxed") db.exec("PRAGMA wal_checkpoint(FULL)");
    },
    compact() {
      db.exec("VACUUM");
      if (durability === "relaxed") db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    },
    close() {
      for (const statement of [write, read, part, all]) statement.finalize();
      db.close();
      pool.pauseVfs();
    },
  };
}
