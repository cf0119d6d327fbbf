//! Changes that count together or not at all, in this process and across a crash.

use super::Store;
use super::plan::{Change, check_key_hash, check_payload};
use crate::backing::Backing;
use crate::error::Result;
use crate::format::compute_hash;
use crate::index::Hashes;
use std::borrow::Cow;

/// Puts and deletions for [`Store::commit`]; of several for one key the last one counts.
///
/// It borrows the values it is given as slices, and writes nothing before it is committed.
#[derive(Debug, Clone, Default)]
pub struct Batch<'a> {
    changes: Vec<(u64, Option<Cow<'a, [u8]>>)>,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            changes: Vec::new(),
        }
    }

    /// Stores `value`, borrowed or owned, under `key`.
    pub fn put(&mut self, key: &[u8], value: impl Into<Cow<'a, [u8]>>) -> &mut Self {
        self.put_with_key_hash(compute_hash(key), value)
    }

    /// Stores `value` under the key that hashes to `key_hash`.
    pub fn put_with_key_hash(
        &mut self,
        key_hash: u64,
        value: impl Into<Cow<'a, [u8]>>,
    ) -> &mut Self {
        self.changes.push((key_hash, Some(value.into())));
        self
    }

    /// Deletes `key`; nothing is written for it if it has no value then.
    pub fn delete(&mut self, key: &[u8]) -> &mut Self {
        self.delete_with_key_hash(compute_hash(key))
    }

    /// Deletes the key that hashes to `key_hash`.
    pub fn delete_with_key_hash(&mut self, key_hash: u64) -> &mut Self {
        self.changes.push((key_hash, None));
        self
    }

    /// How many changes it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl<B: Backing> Store<B> {
    /// Makes all changes of the batch together, in their order, and returns the new tail: if it fails, and for whoever opens the store
    /// after a crash, there are all of them or none.
    ///
    /// What is listed, or read from a view [`as_of`](Store::as_of) a tail, has all of them or none as well. Single reads beside a
    /// commit may find one key changed already and the next one not yet.
    ///
    /// A marker goes before two entries or more; one alone is whole by itself. Fails as the single operations do
    /// ([`Error::EmptyPayload`](crate::Error::EmptyPayload), [`Error::ReservedPayload`](crate::Error::ReservedPayload),
    /// [`Error::ReservedKey`](crate::Error::ReservedKey)), with nothing written.
    ///
    /// With [`Durability::Buffered`](crate::Durability::Buffered) a loss of power may leave the file so that it must be rescued by
    /// [`salvage`](crate::salvage()), as it may for any writes that were not synced; with
    /// [`Durability::Sync`](crate::Durability::Sync), at the price of a second sync, it cannot.
    pub fn commit(&self, batch: &Batch<'_>) -> Result<u64> {
        for (key_hash, value) in &batch.changes {
            check_key_hash(*key_hash)?;
            value.as_deref().map_or(Ok(()), check_payload)?;
        }
        let mut writer = self.lock_writer();
        let mut put = Hashes::new();
        let mut changes = Vec::with_capacity(batch.changes.len());
        for (key_hash, value) in &batch.changes {
            if let Some(value) = value {
                put.insert(*key_hash, 0);
                changes.push((*key_hash, Change::Put(value)));
            } else if put.remove(key_hash).is_some()
                || self.current.load().locate(*key_hash)?.is_some()
            {
                changes.push((*key_hash, Change::Delete));
            }
        }
        self.commit_together(&mut writer, &changes)
    }
}
