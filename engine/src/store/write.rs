//! Writing by key.

use super::plan::{Change, check_key_hash, check_payload};
use super::{DataStoreReader, Judge, Request, Store};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{TOMBSTONE, compute_hash};
use std::io::Read;
use std::ptr;

/// What can be written to a store. Each call returns the tail behind what it wrote: where the next entry goes, unless others
/// write at the same time.
///
/// A call that fails leaves nothing of itself behind. Values are one byte or longer; the single byte 0 is how a deletion
/// looks and is refused.
pub trait DataStoreWriter {
    /// Stores `payload` under `key`.
    fn write(&self, key: &[u8], payload: &[u8]) -> Result<u64>;

    /// Stores `payload` under the key that hashes to `key_hash`.
    fn write_with_key_hash(&self, key_hash: u64, payload: &[u8]) -> Result<u64>;

    /// Stores several values in one append; of two for one key the last one stays.
    ///
    /// A crash may keep the first of them, and a loss of power in the middle may leave a file that has to be
    /// [salvaged](crate::salvage()); [`commit`](crate::Store::commit) leaves all or nothing. With
    /// [`Durability::Sync`](crate::Durability::Sync) this is the same as `commit`.
    fn batch_write(&self, entries: &[(&[u8], &[u8])]) -> Result<u64>;

    /// Stores several values under key hashes in one append. With `allow_null_bytes`, a value that is the single byte 0
    /// deletes its key; the last operation on a key wins.
    fn batch_write_with_key_hashes(
        &self,
        entries: Vec<(u64, &[u8])>,
        allow_null_bytes: bool,
    ) -> Result<u64>;

    /// Stores everything that `source` yields under `key`; an error of the source is an error of the call.
    ///
    /// The value is gathered first (in memory up to [`STREAM_BUFFER_BYTES`](crate::STREAM_BUFFER_BYTES), in scratch
    /// space beyond), so a slow source holds nobody up.
    fn write_stream<R: Read>(&self, key: &[u8], source: &mut R) -> Result<u64>;

    /// Stores everything that `source` yields under the key that hashes to `key_hash`.
    fn write_stream_with_key_hash<R: Read>(&self, key_hash: u64, source: &mut R) -> Result<u64>;

    /// Moves the value of `old_key` to `new_key`, replacing what is there: two entries in one append, plain ones as
    /// those of [`batch_write`](Self::batch_write) are.
    ///
    /// [`Error::SameTarget`] if the keys are equal, [`Error::KeyNotFound`] if there is no value.
    fn rename(&self, old_key: &[u8], new_key: &[u8]) -> Result<u64>;

    /// Copies the value of `key` into another store and returns that store's new tail.
    ///
    /// [`Error::SameStore`] if it is this one, [`Error::KeyNotFound`] without a value, [`Error::Corrupt`] if the value
    /// no longer has its checksum.
    fn copy(&self, key: &[u8], target: &Self) -> Result<u64>;

    /// Moves the value of `key` into another store, which is synced before it is deleted here, and returns this store's new tail.
    fn transfer(&self, key: &[u8], target: &Self) -> Result<u64>;

    /// Deletes `key`; appends nothing if it has no value.
    fn delete(&self, key: &[u8]) -> Result<u64>;

    /// Deletes several keys in one append; those without a value append nothing.
    fn batch_delete(&self, keys: &[&[u8]]) -> Result<u64>;

    /// Deletes several key hashes in one append; those without a value append nothing.
    fn batch_delete_key_hashes(&self, key_hashes: &[u64]) -> Result<u64>;
}

impl<B: Backing> DataStoreWriter for Store<B> {
    fn write(&self, key: &[u8], payload: &[u8]) -> Result<u64> {
        self.write_with_key_hash(compute_hash(key), payload)
    }

    fn write_with_key_hash(&self, key_hash: u64, payload: &[u8]) -> Result<u64> {
        check_payload(payload)?;
        self.commit_one(key_hash, Change::Put(payload))
    }

    fn batch_write(&self, entries: &[(&[u8], &[u8])]) -> Result<u64> {
        // Before anything is written: what a caller got wrong costs the file nothing.
        entries
            .iter()
            .try_for_each(|(_, payload)| check_payload(payload))?;
        self.commit_all(
            entries
                .iter()
                .map(|(key, payload)| Ok((compute_hash(key), Change::Put(payload)))),
        )
    }

    fn batch_write_with_key_hashes(
        &self,
        entries: Vec<(u64, &[u8])>,
        allow_null_bytes: bool,
    ) -> Result<u64> {
        let deletes = |payload: &[u8]| allow_null_bytes && payload == TOMBSTONE;
        for &(key_hash, payload) in &entries {
            check_key_hash(key_hash)?;
            if !deletes(payload) {
                check_payload(payload)?;
            }
        }
        self.commit_all(entries.into_iter().map(|(key_hash, payload)| {
            let change = if deletes(payload) {
                Change::Delete
            } else {
                Change::Put(payload)
            };
            Ok((key_hash, change))
        }))
    }

    fn write_stream<R: Read>(&self, key: &[u8], source: &mut R) -> Result<u64> {
        self.write_stream_with_key_hash(compute_hash(key), source)
    }

    fn write_stream_with_key_hash<R: Read>(&self, key_hash: u64, source: &mut R) -> Result<u64> {
        check_key_hash(key_hash)?;
        self.check_writable()?;
        let mut writer = self.entry_writer_with_key_hash(key_hash);
        writer.fill_from(source)?;
        writer.finish()
    }

    fn rename(&self, old_key: &[u8], new_key: &[u8]) -> Result<u64> {
        let (old, new) = (compute_hash(old_key), compute_hash(new_key));
        // To the store they are one key.
        if old == new {
            return Err(Error::SameTarget);
        }
        // Looked up under the lock, so that no write to the old key can come between and be deleted unseen.
        let mut writer = self.lock_writer();
        let value = self.read_with_key_hash(old)?.ok_or(Error::KeyNotFound)?;
        check_sound(&value)?;
        let changes = [(new, Change::Put(&value)), (old, Change::Delete)];
        self.commit_locked(&mut writer, &changes)
    }

    fn copy(&self, key: &[u8], target: &Self) -> Result<u64> {
        if std::ptr::eq(self, target) {
            return Err(Error::SameStore);
        }
        let key_hash = compute_hash(key);
        let value = self
            .read_with_key_hash(key_hash)?
            .ok_or(Error::KeyNotFound)?;
        check_sound(&value)?;
        target.commit_one(key_hash, Change::Put(&value))
    }

    fn transfer(&self, key: &[u8], target: &Self) -> Result<u64> {
        if std::ptr::eq(self, target) {
            return Err(Error::SameStore);
        }
        let key_hash = compute_hash(key);
        loop {
            let generation = self.current.load_full();
            let value = self
                .read_with_key_hash(key_hash)?
                .ok_or(Error::KeyNotFound)?;
            check_sound(&value)?;
            target.commit_one(key_hash, Change::Put(&value))?;
            // Two files: the deletion must not come to the medium before what it is about.
            target.sync()?;
            // Only one of the two stores is locked at a time; a newer value that came meanwhile goes over too.
            let mut writer = self.lock_writer();
            let now = self.current.load().locate(key_hash)?;
            // A compaction may have put a newer value where this one was.
            let current = self.current.load();
            let same = ptr::from_ref(&*generation) == ptr::from_ref(&*current);
            if now.is_some_and(|now| same && now.extent.metadata_offset() == value.end_offset()) {
                return self.commit_one_locked(&mut writer, key_hash, Change::Delete);
            }
            if now.is_none() {
                return Ok(self.tail());
            }
        }
    }

    fn delete(&self, key: &[u8]) -> Result<u64> {
        let is_there: Judge<B> = |store, key_hash, _| {
            let there = store.current.load().locate(key_hash)?.is_some();
            Ok(there.then_some(true))
        };
        let request = Request::judged(compute_hash(key), Change::Delete, is_there, key);
        Ok(self.commit_shared(&request)?.tail)
    }

    fn batch_delete(&self, keys: &[&[u8]]) -> Result<u64> {
        let key_hashes: Vec<u64> = keys.iter().map(|key| compute_hash(key)).collect();
        self.batch_delete_key_hashes(&key_hashes)
    }

    fn batch_delete_key_hashes(&self, key_hashes: &[u64]) -> Result<u64> {
        let mut writer = self.lock_writer();
        self.check_writable()?;
        let mut changes = Vec::with_capacity(key_hashes.len());
        for &key_hash in key_hashes {
            if self.current.load().locate(key_hash)?.is_some() {
                changes.push((key_hash, Change::Delete));
            }
        }
        self.commit_locked(&mut writer, &changes)
    }
}

/// A value is only copied as long as it is what was stored: a new checksum would hide the damage for good.
fn check_sound<V: AsRef<[u8]>>(value: &super::EntryHandle<V>) -> Result<()> {
    if value.is_valid_checksum() {
        Ok(())
    } else {
        Err(Error::Corrupt {
            offset: value.start_offset(),
            what: "the value has another checksum than stored",
        })
    }
}
