//! The engine itself as a backend: over a file, shared by all plugins of this process that were granted it, or in memory.
//!
//! Invariant: what is lent is the one opening of a file that this process has, so all plugins see what each of them wrote.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tailstone::backing::{MemoryBacking, Resident, Rewrite};
use tailstone::{BorrowedValue, MemoryStore, Store};
use tailstone_interface::{
    Change, ChangePage, Info, KeyPage, Packed, Refusal, Result, Stat, Table,
};

use super::backend::{Backend, Bucket, Usage};
use super::grant::Access;
use super::open_files::Held;

/// Bytes of an entry besides its value and its key, at most, before the pad.
const ENTRY_BYTES: u64 = 2 + 24 + 20;
/// Up to so many bytes a value is copied rather than kept where it lies.
const COPIED_BYTES: usize = 1024;
/// Entries start at multiples of this.
const ALIGNMENT: u64 = 64;

/// A store in a file, which is opened by who asks first and stays open for as long as this is there: plugins may open and
/// close it with each of their calls.
pub struct Embedded {
    path: PathBuf,
    kept: Mutex<Option<Arc<Held>>>,
}

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory(Arc<MemoryStore>);

/// Lends an open store for a call.
pub trait Lender: Send + Sync + 'static {
    type Backing: Resident<View: Send + Sync + 'static> + Rewrite;

    fn lend<R>(&self, call: impl FnOnce(&Store<Self::Backing>) -> Result<R>) -> Result<R>;
}

/// An open bucket of it.
struct Opened<L> {
    lender: Arc<L>,
    bucket: Vec<u8>,
}

impl Embedded {
    /// The store in the file at `path`.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self {
            path,
            kept: Mutex::new(None),
        }
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Backend for Embedded {
    fn open(&self, bucket: &[u8], access: Access) -> Result<Arc<dyn Bucket>> {
        let file = Arc::new(Held::new(&self.path, access == Access::ReadOnly)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Arc::clone(&file));
        drop(kept);
        Opened::open(file, bucket)
    }

    fn exists(&self) -> Result<bool> {
        Ok(self.path.try_exists()?)
    }
}

impl Lender for MemoryStore {
    type Backing = MemoryBacking;

    fn lend<R>(&self, call: impl FnOnce(&Self) -> Result<R>) -> Result<R> {
        call(self)
    }
}

impl Backend for Memory {
    fn open(&self, bucket: &[u8], _access: Access) -> Result<Arc<dyn Bucket>> {
        Opened::open(Arc::clone(&self.0), bucket)
    }
}

impl<L: Lender> Opened<L> {
    fn open(lender: Arc<L>, bucket: &[u8]) -> Result<Arc<dyn Bucket>> {
        lender.lend(|store| Table::new(store, bucket).map(drop))?;
        Ok(Arc::new(Self {
            lender,
            bucket: bucket.to_vec(),
        }))
    }

    fn with<R>(&self, call: impl FnOnce(&Table<'_, L::Backing>) -> Result<R>) -> Result<R> {
        self.lender
            .lend(|store| call(&Table::new(store, &self.bucket)?))
    }
}

impl<L: Lender> Bucket for Opened<L> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.with(|table| Ok(table.bucket().get_with(key, bytes_of)?))
    }

    fn stat(&self, key: &[u8]) -> Result<Option<Stat>> {
        self.with(|table| {
            let stat = |value: &BorrowedValue<'_, _>| Stat {
                len: value.len() as u64,
                version: table.version_of(value.version()),
                expires_at: value.expires_at(),
            };
            Ok(table.bucket().get_with(key, |value| Ok(stat(value)))?)
        })
    }

    fn get_versioned(&self, key: &[u8]) -> Result<Option<(Bytes, u64)>> {
        self.with(|table| {
            let value = table.bucket().get_with(key, |value| {
                Ok((bytes_of(value)?, table.version_of(value.version())))
            });
            Ok(value?)
        })
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.with(|table| table.put(key, value))
    }

    fn put_if(&self, key: &[u8], value: &[u8], expected: Option<u64>) -> Result<bool> {
        self.with(|table| table.put_if(key, value, expected))
    }

    fn delete(&self, key: &[u8]) -> Result<bool> {
        self.with(|table| table.delete(key))
    }

    fn change(&self, changes: &[Change<'_>]) -> Result<()> {
        self.with(|table| table.append_batch(changes.iter().copied()))
    }

    fn add(&self, pairs: &[(&[u8], &[u8])]) -> Result<bool> {
        self.with(|table| table.add_many(pairs))
    }

    fn scan(&self, prefix: &[u8], cursor: Option<&[u8]>, max: usize) -> Result<KeyPage> {
        self.with(|table| table.scan(prefix, cursor, max))
    }

    fn number_of_key(&self, key: &[u8]) -> Result<u64> {
        self.with(|table| Ok(table.bucket().hash_of(key)?))
    }

    fn key_of_number(&self, number: u64) -> Result<Vec<u8>> {
        self.with(|table| {
            table
                .bucket()
                .key_with_hash(number)?
                .ok_or(Refusal::StaleCursor)
        })
    }

    fn get_packed(&self, keys: &[Vec<u8>]) -> Result<Packed> {
        self.with(|table| table.get_packed(keys))
    }

    fn changes(&self, since: u64, max: usize) -> Result<ChangePage> {
        self.with(|table| table.changes(since, max))
    }

    fn sync(&self) -> Result<()> {
        self.lender
            .lend(|store| Table::new(store, &self.bucket)?.sync())
    }

    fn compact(&self) -> Result<()> {
        self.lender
            .lend(|store| Table::new(store, &self.bucket)?.compact())
    }

    fn info(&self) -> Result<Info> {
        self.lender
            .lend(|store| Table::new(store, &self.bucket)?.info())
    }

    fn usage(&self) -> Option<Usage> {
        let usage = self.lender.lend(|store| Ok(store.usage())).ok()?;
        Some(Usage {
            entries: usage.live_entries,
            live_bytes: usage.live_bytes,
            file_bytes: usage.file_bytes,
        })
    }

    fn cost(&self, key: usize, value: u64) -> u64 {
        let besides = ENTRY_BYTES + self.bucket.len() as u64;
        value
            .saturating_add(key as u64 + besides)
            .checked_next_multiple_of(ALIGNMENT)
            .unwrap_or(u64::MAX)
    }
}

/// The value as it goes into a guest: where it lies or, if it is short, copied, which costs less than to say that somebody reads it.
fn bytes_of<B: Resident<View: Send + Sync + 'static>>(
    value: &BorrowedValue<'_, B>,
) -> tailstone::Result<Bytes> {
    if value.len() <= COPIED_BYTES {
        return Ok(Bytes::copy_from_slice(value));
    }
    Ok(Bytes::from_owner(value.view()?))
}
