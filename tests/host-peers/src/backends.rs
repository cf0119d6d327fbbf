//! What somebody would write in half an hour to give plugins a store: other people's stores behind the same trait of the host, with
//! what a `get` and a `set` need of it.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytes::Bytes;
use redb::{Database, Durability, ReadableDatabase, TableDefinition};
use rusqlite::{Connection, OptionalExtension};
use tailstone_host::keyvalue::{Access, Backend, Bucket, Change, KeyPage, Refusal, Result, Stat};

/// The two calls that are measured.
pub trait Plain: Send + Sync + 'static {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>>;

    fn set(&self, key: &[u8], value: &[u8]) -> Result<()>;
}

/// A store with these two calls as a backend.
pub struct Simple<P>(Arc<Opened<P>>);

struct Opened<P>(P);

impl<P: Plain> Simple<P> {
    pub fn new(plain: P) -> Arc<Self> {
        Arc::new(Self(Arc::new(Opened(plain))))
    }
}

impl<P: Plain> Backend for Simple<P> {
    fn open(&self, _bucket: &[u8], _access: Access) -> Result<Arc<dyn Bucket>> {
        Ok(Arc::<Opened<P>>::clone(&self.0))
    }
}

/// Nothing but what the host itself does for a call: values lie in memory, ready to be handed over.
#[derive(Default)]
pub struct Map(RwLock<HashMap<Vec<u8>, Bytes>>);

impl Plain for Map {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Ok(map.get(key).cloned())
    }

    fn set(&self, key: &[u8], value: &[u8]) -> Result<()> {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        map.insert(key.to_vec(), Bytes::copy_from_slice(value));
        Ok(())
    }
}

/// The least that a call can be when it returns with the value handed to the system: each value behind the last, found again by
/// a map in memory, nothing checked or kept of the keys.
pub struct PlainFile {
    file: File,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    end: u64,
    of_keys: HashMap<Vec<u8>, (u64, usize)>,
}

impl PlainFile {
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).open(path)?;
        let places = Mutex::default();
        Ok(Self { file, places })
    }
}

impl Plain for PlainFile {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(&(at, len)) = places.of_keys.get(key) else {
            return Ok(None);
        };
        let mut value = vec![0; len];
        self.file.read_exact_at(&mut value, at).map_err(refusal)?;
        Ok(Some(value.into()))
    }

    fn set(&self, key: &[u8], value: &[u8]) -> Result<()> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let at = places.end;
        self.file.write_all_at(value, at).map_err(refusal)?;
        places.end += u64::try_from(value.len()).map_err(refusal)?;
        places.of_keys.insert(key.to_vec(), (at, value.len()));
        Ok(())
    }
}

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("keys");

/// redb; writes are not synced.
pub struct Redb(Database);

impl Redb {
    pub fn create(path: &Path) -> std::result::Result<Self, redb::Error> {
        let database = Database::create(path)?;
        let write = database.begin_write()?;
        write.open_table(TABLE)?;
        write.commit()?;
        Ok(Self(database))
    }

    fn read(&self, key: &[u8]) -> std::result::Result<Option<Bytes>, redb::Error> {
        let table = self.0.begin_read()?.open_table(TABLE)?;
        let value = table.get(key)?;
        Ok(value.map(|value| Bytes::copy_from_slice(value.value())))
    }

    fn write(&self, key: &[u8], value: &[u8]) -> std::result::Result<(), redb::Error> {
        let mut write = self.0.begin_write()?;
        write.set_durability(Durability::None)?;
        write.open_table(TABLE)?.insert(key, value)?;
        Ok(write.commit()?)
    }
}

impl Plain for Redb {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.read(key).map_err(refusal)
    }

    fn set(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.write(key, value).map_err(refusal)
    }
}

/// `SQLite` with a write-ahead log; writes are not synced.
pub struct Sqlite(Mutex<Connection>);

impl Sqlite {
    pub fn create(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.execute_batch("CREATE TABLE keys (key BLOB PRIMARY KEY, value BLOB)")?;
        Ok(Self(Mutex::new(connection)))
    }
}

impl Plain for Sqlite {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let select = connection.prepare_cached("SELECT value FROM keys WHERE key = ?");
        let value = select.and_then(|mut select| {
            select
                .query_row([key], |row| {
                    Ok(Bytes::copy_from_slice(row.get_ref(0)?.as_blob()?))
                })
                .optional()
        });
        value.map_err(refusal)
    }

    fn set(&self, key: &[u8], value: &[u8]) -> Result<()> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let replace = connection.prepare_cached("REPLACE INTO keys VALUES (?, ?)");
        let replaced = replace.and_then(|mut replace| replace.execute([key, value]));
        replaced.map(drop).map_err(refusal)
    }
}

fn refusal(error: impl std::error::Error) -> Refusal {
    Refusal::Other(error.to_string())
}

fn unmeasured<R>() -> Result<R> {
    Err(Refusal::Other("this call is not measured".to_owned()))
}

impl<P: Plain> Bucket for Opened<P> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.0.get(key)
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.0.set(key, value)
    }

    fn stat(&self, _key: &[u8]) -> Result<Option<Stat>> {
        unmeasured()
    }

    fn get_versioned(&self, _key: &[u8]) -> Result<Option<(Bytes, u64)>> {
        unmeasured()
    }

    fn put_if(&self, _key: &[u8], _value: &[u8], _expected: Option<u64>) -> Result<bool> {
        unmeasured()
    }

    fn delete(&self, _key: &[u8]) -> Result<bool> {
        unmeasured()
    }

    fn change(&self, _changes: &[Change<'_>]) -> Result<()> {
        unmeasured()
    }

    fn scan(&self, _prefix: &[u8], _cursor: Option<&[u8]>, _max: usize) -> Result<KeyPage> {
        unmeasured()
    }

    fn number_of_key(&self, _key: &[u8]) -> Result<u64> {
        unmeasured()
    }

    fn key_of_number(&self, _number: u64) -> Result<Vec<u8>> {
        unmeasured()
    }

    fn increment(&self, _key: &[u8], _delta: i128, _range: RangeInclusive<i128>) -> Result<i128> {
        unmeasured()
    }

    fn sync(&self) -> Result<()> {
        unmeasured()
    }
}
