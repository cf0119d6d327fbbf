//! Every version of a key that is still in the store, newest first, read off the chain one at a time.
//!
//! Invariant: between two versions a walk holds nothing but its generation and the offset at which it goes on, which only ever
//! falls. So it ends on any content, costs the same memory however long it is, and no writer waits for it.

use super::read::verified_if;
use super::{EntryHandle, Generation, Store};
use crate::backing::{Backing, DefaultView};
use crate::error::Result;
use crate::format::{Entry, EntryMetadata, compute_hash, is_reserved_hash};
use crate::recovery::Chain;
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;

/// The versions of one key, newest first, deletions included, each looked for when its turn comes.
///
/// It shows what there was when it was asked for: later writes do not add to it, and a compaction does not take from it, as it
/// keeps the bytes alive that it walks through. A step goes past every entry between one version and the next, by their
/// metadata alone; the one behind the oldest version goes to the start of the store.
///
/// A damaged link, or a medium that fails on the way to the next version, is an error and the end. A version whose value cannot
/// be read, or with `verify_reads` is not what was stored, is an error in its place.
pub struct History<B> {
    generation: Arc<Generation<B>>,
    key_hash: u64,
    /// Where the rest of the chain ends; 0 once there is none.
    tail: u64,
    verify_reads: bool,
}

/// One version of a key: what a write or a deletion left there.
#[derive(Clone)]
pub struct Version<V = DefaultView> {
    entry: Entry,
    value: Option<EntryHandle<V>>,
}

impl<B: Backing> Store<B> {
    /// Every version of `key` that is still in the store, newest first, deletions included.
    ///
    /// The call itself reads nothing; [`History`] says what the steps cost. A compaction leaves one version of a live key and
    /// none of a deleted one.
    #[must_use]
    pub fn history(&self, key: &[u8]) -> History<B> {
        self.history_with_key_hash(compute_hash(key))
    }

    /// Every version of the key that hashes to `key_hash`, as [`history`](Self::history) has them.
    ///
    /// Entries that the store keeps for itself have no history.
    #[must_use]
    pub fn history_with_key_hash(&self, key_hash: u64) -> History<B> {
        let generation = self.current.load_full();
        let tail = generation.tail();
        History::new(generation, tail, key_hash, self.settings().verify_reads)
    }
}

impl<B: Backing> History<B> {
    /// The versions that lie before `tail`, at which an entry of `generation` ends.
    pub(super) const fn new(
        generation: Arc<Generation<B>>,
        tail: u64,
        key_hash: u64,
        verify_reads: bool,
    ) -> Self {
        Self {
            generation,
            key_hash,
            tail: if is_reserved_hash(key_hash) { 0 } else { tail },
            verify_reads,
        }
    }

    fn version(&self, entry: Entry) -> Result<Version<B::View>> {
        let value = if entry.is_tombstone {
            None
        } else {
            let value = self.generation.handle_of(&entry)?;
            Some(verified_if(self.verify_reads, value)?)
        };
        Ok(Version { entry, value })
    }
}

/// The newest entry of `key_hash` among those before `tail`, by their metadata alone.
///
/// A walk of its own each time: a chain borrows its medium and holds up to a mebibyte of it, and the entries near an offset
/// cost one small read.
pub(crate) fn newest_before<B: Backing>(
    generation: &Generation<B>,
    tail: u64,
    key_hash: u64,
) -> Result<Option<Entry>> {
    Chain::new(&generation.backing, tail)
        .find(|entry| {
            entry
                .as_ref()
                .map_or(true, |entry| entry.metadata.key_hash == key_hash)
        })
        .transpose()
}

/// All entries, from the last one back.
pub(crate) fn newest_first<B: Backing>(
    generation: &Generation<B>,
) -> impl Iterator<Item = Result<Entry>> + '_ {
    Chain::new(&generation.backing, generation.tail())
}

impl<V> Version<V> {
    /// Whether this is a deletion, which has no value.
    #[must_use]
    pub const fn is_deletion(&self) -> bool {
        self.entry.is_tombstone
    }

    /// The value where it lies; `None` for a deletion.
    #[must_use]
    pub const fn value(&self) -> Option<&EntryHandle<V>> {
        self.value.as_ref()
    }

    /// The value where it lies, which outlives this; `None` for a deletion.
    #[must_use]
    pub fn into_value(self) -> Option<EntryHandle<V>> {
        self.value
    }

    /// The metadata of the entry; a deletion has its own.
    #[must_use]
    pub const fn metadata(&self) -> &EntryMetadata {
        &self.entry.metadata
    }

    /// Where the entry starts, with its pad, in bytes from the start of the store: the tail before it, so that
    /// [`as_of`](Store::as_of) this offset shows what there was just before.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.entry.metadata.prev_offset
    }

    /// The tail right after this entry, so that [`as_of`](Store::as_of) it shows this version.
    #[must_use]
    pub const fn tail(&self) -> u64 {
        self.entry.end()
    }
}

impl<B: Backing> Iterator for History<B> {
    type Item = Result<Version<B::View>>;

    fn next(&mut self) -> Option<Self::Item> {
        // Over, unless there turns out to be a version to go on behind.
        let tail = std::mem::take(&mut self.tail);
        match newest_before(&self.generation, tail, self.key_hash) {
            Ok(None) => None,
            Ok(Some(entry)) => {
                self.tail = entry.metadata.prev_offset;
                Some(self.version(entry))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

impl<B: Backing> FusedIterator for History<B> {}

impl<B> Clone for History<B> {
    fn clone(&self) -> Self {
        Self {
            generation: Arc::clone(&self.generation),
            ..*self
        }
    }
}

impl<B> fmt::Debug for History<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("key_hash", &self.key_hash)
            .field("tail", &self.tail)
            .finish_non_exhaustive()
    }
}

impl<V> fmt::Debug for Version<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Version")
            .field("offsets", &(self.offset()..self.tail()))
            .field("is_deletion", &self.is_deletion())
            .field("metadata", self.metadata())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
