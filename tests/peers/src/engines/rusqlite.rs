//! `SQLite`, by rusqlite with its own build: a table without row numbers, prepared statements, a write-ahead log.
//!
//! Buffered is `synchronous=OFF`, durable `synchronous=FULL`; a write or a batch is a transaction. Each thread reads by a connection of its
//! own from a mapping; threads write by one connection in turns, which is faster than their waiting for its lock.

use crate::peer::{Durability, Outcome, Pair, Peer, Reads, Settings, Writes};
use rusqlite::{Connection, OptionalExtension, Row, Statement};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const SELECT: &str = "SELECT value FROM records WHERE key = ?1";
const UPSERT: &str = "INSERT OR REPLACE INTO records (key, value) VALUES (?1, ?2)";
const DELETE: &str = "DELETE FROM records WHERE key = ?1";

/// The store.
pub struct SqlitePeer {
    writer: Mutex<Connection>,
    path: PathBuf,
    settings: Settings,
}

/// What one thread reads with.
pub struct Reading<'c> {
    connection: &'c Connection,
    select: Statement<'c>,
}

impl Peer for SqlitePeer {
    type Reads<'a> = Reading<'a>;
    type Writes<'a> = &'a Self;

    fn open(folder: &Path, settings: Settings) -> Outcome<Self> {
        let path = folder.join("store.sqlite");
        let writer = connect(&path, settings)?;
        writer.execute_batch(
            "CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
        )?;
        Ok(Self {
            writer: Mutex::new(writer),
            path,
            settings,
        })
    }

    fn reading<T>(&self, work: impl FnOnce(&mut Self::Reads<'_>) -> Outcome<T>) -> Outcome<T> {
        let connection = connect(&self.path, self.settings)?;
        work(&mut Reading {
            connection: &connection,
            select: connection.prepare(SELECT)?,
        })
    }

    fn writing<T>(&self, work: impl FnOnce(&mut Self::Writes<'_>) -> Outcome<T>) -> Outcome<T> {
        work(&mut &*self)
    }

    fn compact(&mut self) -> Outcome<bool> {
        self.writer()
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(true)
    }

    fn close(self) -> Outcome {
        let writer = self.writer.into_inner();
        let closed = writer.unwrap_or_else(PoisonError::into_inner).close();
        closed.map_err(|(_, error)| error.into())
    }
}

impl SqlitePeer {
    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path, settings: Settings) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    let synchronous = match settings.durability {
        Durability::Buffered => "OFF",
        Durability::Durable => "FULL",
    };
    connection.execute_batch(&format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA mmap_size=4294967296; \
         PRAGMA cache_size=-262144; PRAGMA busy_timeout=60000"
    ))?;
    Ok(connection)
}

impl Reads for Reading<'_> {
    #[inline]
    fn read<T>(&mut self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Outcome<T> {
        let mut rows = self.select.query([key])?;
        match rows.next()? {
            Some(row) => Ok(see(Some(value(row)?))),
            None => Ok(see(None)),
        }
    }

    fn each(&mut self, mut see: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        let mut all = self.connection.prepare("SELECT value FROM records")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            see(value(row)?)?;
        }
        Ok(())
    }

    fn len(&mut self) -> Outcome<u64> {
        let mut count = self.connection.prepare("SELECT count(*) FROM records")?;
        let count = count.query_row([], |row| row.get::<_, i64>(0)).optional()?;
        Ok(u64::try_from(count.unwrap_or(0))?)
    }
}

fn value<'r>(row: &'r Row<'_>) -> Outcome<&'r [u8]> {
    Ok(row.get_ref(0)?.as_blob()?)
}

impl SqlitePeer {
    fn transact<'a, R: rusqlite::Params>(
        &self,
        sql: &str,
        rows: impl Iterator<Item = R> + 'a,
    ) -> Outcome {
        let mut writer = self.writer();
        let transaction = writer.transaction()?;
        let mut statement = transaction.prepare_cached(sql)?;
        for row in rows {
            statement.execute(row)?;
        }
        drop(statement);
        Ok(transaction.commit()?)
    }
}

impl Writes for &SqlitePeer {
    fn write(&mut self, key: &[u8], value: &[u8]) -> Outcome {
        // A statement outside a transaction is one.
        self.writer()
            .prepare_cached(UPSERT)?
            .execute([key, value])?;
        Ok(())
    }

    fn write_all(&mut self, pairs: &[Pair<'_>]) -> Outcome {
        self.transact(UPSERT, pairs.iter().map(|(key, value)| [*key, *value]))
    }

    fn remove_all(&mut self, keys: &[&[u8]]) -> Outcome {
        self.transact(DELETE, keys.iter().map(|key| [*key]))
    }
}
