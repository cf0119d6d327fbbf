//! Where a command looks for keys: among the plain entries of a store, or in a bucket.
//!
//! Invariant: a bucket's entry is only taken for what it was asked for if it carries that very key and has not expired.

use std::io::Read;

use tailstone::backing::MmapBacking;
use tailstone::format::{Keyed, full_key};
use tailstone::{
    Bucket, DataStore, DataStoreReader, DataStoreWriter, EntryHandle, Error, History, compute_hash,
};

use crate::exit::{Failure, Result, Status};

/// The keys that a command works on.
pub struct Place<'s> {
    store: &'s DataStore,
    bucket: Option<Bucket<'s, MmapBacking>>,
}

/// A value that was found.
pub struct Found {
    /// The whole entry, in a bucket with the key behind the value.
    pub entry: EntryHandle,
    /// In milliseconds since the Unix epoch; `None` is never.
    pub expires_at: Option<u64>,
    value_len: usize,
}

impl Found {
    /// The value alone.
    pub fn value(&self) -> &[u8] {
        self.entry.get(..self.value_len).unwrap_or_default()
    }
}

impl<'s> Place<'s> {
    /// The bucket of this name, or else the plain entries.
    pub fn new(store: &'s DataStore, bucket: Option<&str>) -> Result<Self> {
        let bucket = bucket.map(|name| store.bucket(name)).transpose()?;
        Ok(Self { store, bucket })
    }

    /// The value of `key`; that there is none is a failure.
    pub fn find(&self, key: &str) -> Result<Found> {
        let (entry, expires_at, value_len) = match &self.bucket {
            None => {
                let entry = self.store.read(key.as_bytes())?;
                let entry = entry.ok_or_else(|| self.no_key(key))?;
                let len = entry.size();
                (entry, None, len)
            }
            Some(bucket) => {
                let missing = || self.no_key(key);
                let value = bucket.get(key.as_bytes())?.ok_or_else(missing)?;
                let entry = self.store.read_with_key_hash(self.hash(key))?;
                (entry.ok_or_else(missing)?, value.expires_at(), value.len())
            }
        };
        Ok(Found {
            entry,
            expires_at,
            value_len,
        })
    }

    /// Fails if `key` has no value.
    pub fn require(&self, key: &str) -> Result {
        let is_there = match &self.bucket {
            None => self.store.exists(key.as_bytes())?,
            Some(bucket) => bucket.exists(key.as_bytes())?,
        };
        is_there.then_some(()).ok_or_else(|| self.no_key(key))
    }

    /// Stores `value` under `key`; returns the new tail.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<u64> {
        Ok(match &self.bucket {
            None => self.store.write(key.as_bytes(), value)?,
            Some(bucket) => bucket.set(key.as_bytes(), value)?,
        })
    }

    /// Stores what `source` gives under `key`; returns the new tail.
    pub fn set_stream(&self, key: &str, source: &mut impl Read) -> Result<u64> {
        Ok(match &self.bucket {
            None => self.store.write_stream(key.as_bytes(), source)?,
            Some(bucket) => bucket.set_stream(key.as_bytes(), source)?,
        })
    }

    /// Deletes `key`; that it has no value is a failure. Returns the new tail.
    pub fn delete(&self, key: &str) -> Result<u64> {
        self.require(key)?;
        match &self.bucket {
            None => Ok(self.store.delete(key.as_bytes())?),
            Some(bucket) => {
                bucket.delete(key.as_bytes())?;
                Ok(self.store.tail())
            }
        }
    }

    /// Gives the value of `old` the key `new`; returns the new tail.
    ///
    /// In a bucket both changes count together, across a crash too, and what expires keeps its time.
    pub fn rename(&self, old: &str, new: &str) -> Result<u64> {
        let Some(bucket) = &self.bucket else {
            let renamed = self.store.rename(old.as_bytes(), new.as_bytes());
            return renamed.map_err(|error| self.named(error, old));
        };
        if old == new {
            return Err(Error::SameTarget.into());
        }
        let found = self.find(old)?;
        check_sound(&found.entry, old)?;
        let mut batch = bucket.batch();
        batch
            .put_until(new.as_bytes(), found.value(), found.expires_at.unwrap_or(0))
            .delete(old.as_bytes());
        Ok(batch.commit()?)
    }

    /// Copies `key` to the same place of another store, which expires there when it does here; returns that store's new tail.
    pub fn copy(&self, key: &str, target: &Place<'_>) -> Result<u64> {
        let (Some(_), Some(bucket)) = (&self.bucket, &target.bucket) else {
            let copied = self.store.copy(key.as_bytes(), target.store);
            return copied.map_err(|error| self.named(error, key));
        };
        let found = self.find(key)?;
        check_sound(&found.entry, key)?;
        let expires_at = found.expires_at.unwrap_or(0);
        Ok(bucket.set_until(key.as_bytes(), found.value(), expires_at)?)
    }

    /// Moves `key` to the same place of another store; returns this store's new tail. A crash may leave it in both.
    pub fn transfer(&self, key: &str, target: &Place<'_>) -> Result<u64> {
        if self.bucket.is_some() {
            self.copy(key, target)?;
            // Two files: the deletion must not come to the disk before what it is about.
            target.store.sync()?;
            return self.delete(key);
        }
        let moved = self.store.transfer(key.as_bytes(), target.store);
        moved.map_err(|error| self.named(error, key))
    }

    /// Every version of the key's hash; [`value_len`](Self::value_len) tells which values are the key's. Of a deletion in a bucket
    /// only the value before it tells.
    pub fn history(&self, key: &str) -> History<MmapBacking> {
        self.store.history_with_key_hash(self.hash(key))
    }

    /// The length of the value in an entry that has the key's hash; `None` if it is another's, of a bucket or of a plain key.
    pub fn value_len(&self, key: &str, entry: &EntryHandle) -> Option<usize> {
        let Some(bucket) = &self.bucket else {
            return Some(entry.size());
        };
        let keyed = Keyed::parse(entry, entry.key_hash())?;
        let is_it = keyed.full_key == full_key(bucket.name(), key.as_bytes());
        is_it.then_some(keyed.value.len())
    }

    /// Whether this is a bucket.
    pub const fn is_bucket(&self) -> bool {
        self.bucket.is_some()
    }

    /// The failure that `key` has no value here.
    pub fn no_key(&self, key: &str) -> Failure {
        match &self.bucket {
            None => Failure::no_key(key),
            Some(bucket) => {
                let name = String::from_utf8_lossy(bucket.name());
                let message = format!("Key '{key}' not found in bucket '{name}'");
                Failure::new(Status::NotFound, message)
            }
        }
    }

    fn hash(&self, key: &str) -> u64 {
        match &self.bucket {
            None => compute_hash(key.as_bytes()),
            Some(bucket) => compute_hash(&full_key(bucket.name(), key.as_bytes())),
        }
    }

    /// An error about a key, with the key in it.
    fn named(&self, error: Error, key: &str) -> Failure {
        match error {
            Error::KeyNotFound => self.no_key(key),
            error => error.into(),
        }
    }
}

/// A value is only written again as long as it is what was stored.
fn check_sound(entry: &EntryHandle, key: &str) -> Result<()> {
    if entry.is_valid_checksum() {
        return Ok(());
    }
    let message = format!(
        "the value of '{key}' does not have the checksum it was stored with; it was not written again"
    );
    Err(Failure::new(Status::Damaged, message))
}
