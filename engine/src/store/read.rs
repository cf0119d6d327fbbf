//! Reading by key.

use super::{EntryHandle, Store};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{EntryMetadata, compute_hash, is_reserved_hash};
use crate::index::Hashes;
use crate::recovery::Chain;

/// What can be read from a store. No method waits for a writer.
pub trait DataStoreReader {
    /// What a value is read as.
    type EntryHandleType;

    /// The value of `key`.
    fn read(&self, key: &[u8]) -> Result<Option<Self::EntryHandleType>>;

    /// The value of the key that hashes to `key_hash`.
    fn read_with_key_hash(&self, key_hash: u64) -> Result<Option<Self::EntryHandleType>>;

    /// Whether `key` has a value; reads no value.
    fn exists(&self, key: &[u8]) -> Result<bool>;

    /// Whether the key that hashes to `key_hash` has a value; reads no value.
    fn exists_with_key_hash(&self, key_hash: u64) -> Result<bool>;

    /// The live value that was written last; never a deletion.
    fn read_last_entry(&self) -> Result<Option<Self::EntryHandleType>>;

    /// The metadata of the value of `key`.
    fn read_metadata(&self, key: &[u8]) -> Result<Option<EntryMetadata>>;

    /// The values of several keys, in the order asked.
    fn batch_read(&self, keys: &[&[u8]]) -> Result<Vec<Option<Self::EntryHandleType>>>;

    /// The values of several key hashes, in the order asked. With `keys`, of the same length or
    /// [`Error::LengthMismatch`], a hash that is not its key's has no value.
    fn batch_read_hashed_keys(
        &self,
        hashes: &[u64],
        keys: Option<&[&[u8]]>,
    ) -> Result<Vec<Option<Self::EntryHandleType>>>;

    /// The number of live keys.
    fn len(&self) -> Result<usize>;

    /// Whether no key is live.
    fn is_empty(&self) -> Result<bool>;

    /// The length of the store in bytes: where its last entry ends. While it is open its file may be longer.
    fn file_size(&self) -> Result<u64>;
}

impl<B: Backing> Store<B> {
    #[cold]
    fn read_verified(&self, key_hash: u64) -> Result<Option<EntryHandle<B::View>>> {
        self.verified(self.current.load().read(key_hash)?)
    }

    fn verified(
        &self,
        handle: Option<EntryHandle<B::View>>,
    ) -> Result<Option<EntryHandle<B::View>>> {
        match handle {
            Some(handle) if self.settings().verify_reads => verified_if(true, handle).map(Some),
            handle => Ok(handle),
        }
    }
}

/// The value as it came or, with `verify_reads`, only if it still has the checksum it was stored with.
pub(crate) fn verified_if<V: AsRef<[u8]>>(
    verify_reads: bool,
    handle: EntryHandle<V>,
) -> Result<EntryHandle<V>> {
    if verify_reads && !handle.is_valid_checksum() {
        return Err(Error::Corrupt {
            offset: handle.start_offset(),
            what: "a value has another checksum than stored",
        });
    }
    Ok(handle)
}

impl<B: Backing> DataStoreReader for Store<B> {
    type EntryHandleType = EntryHandle<B::View>;

    fn read(&self, key: &[u8]) -> Result<Option<Self::EntryHandleType>> {
        self.read_with_key_hash(compute_hash(key))
    }

    #[inline]
    fn read_with_key_hash(&self, key_hash: u64) -> Result<Option<Self::EntryHandleType>> {
        if self.settings().verify_reads {
            return self.read_verified(key_hash);
        }
        self.current.load().read(key_hash)
    }

    fn exists(&self, key: &[u8]) -> Result<bool> {
        self.exists_with_key_hash(compute_hash(key))
    }

    fn exists_with_key_hash(&self, key_hash: u64) -> Result<bool> {
        Ok(self.current.load().locate(key_hash)?.is_some())
    }

    fn read_last_entry(&self) -> Result<Option<Self::EntryHandleType>> {
        let generation = self.current.load();
        // Newest first, so the first value that was not deleted behind is its key's newest. The index is not asked: a
        // writer may be ahead of this tail.
        let mut deleted = Hashes::new();
        for entry in Chain::new(&generation.backing, generation.tail()) {
            let entry = entry?;
            let key_hash = entry.metadata.key_hash;
            if entry.is_tombstone {
                deleted.insert(key_hash, 0);
            } else if !is_reserved_hash(key_hash) && !deleted.contains_key(&key_hash) {
                return self.verified(Some(generation.handle_of(&entry)?));
            }
        }
        Ok(None)
    }

    fn read_metadata(&self, key: &[u8]) -> Result<Option<EntryMetadata>> {
        Ok(self
            .current
            .load()
            .locate(compute_hash(key))?
            .map(|located| located.metadata))
    }

    fn batch_read(&self, keys: &[&[u8]]) -> Result<Vec<Option<Self::EntryHandleType>>> {
        let hashes: Vec<u64> = keys.iter().map(|key| compute_hash(key)).collect();
        self.batch_read_hashed_keys(&hashes, None)
    }

    fn batch_read_hashed_keys(
        &self,
        hashes: &[u64],
        keys: Option<&[&[u8]]>,
    ) -> Result<Vec<Option<Self::EntryHandleType>>> {
        if let Some(keys) = keys.filter(|keys| keys.len() != hashes.len()) {
            return Err(Error::LengthMismatch {
                left: hashes.len(),
                right: keys.len(),
            });
        }
        let mut values = self.current.load().read_several(hashes)?;
        for ((value, key_hash), key) in values.iter_mut().zip(hashes).zip(keys.unwrap_or_default())
        {
            if compute_hash(key) != *key_hash {
                *value = None;
            }
        }
        if self.settings().verify_reads {
            let verified = values.into_iter().map(|value| self.verified(value));
            return verified.collect();
        }
        Ok(values)
    }

    fn len(&self) -> Result<usize> {
        let length = self.current.load().index.len();
        usize::try_from(length).map_err(|_| Error::NotAddressable { length })
    }

    fn is_empty(&self) -> Result<bool> {
        Ok(self.current.load().index.len() == 0)
    }

    fn file_size(&self) -> Result<u64> {
        Ok(self.tail())
    }
}
