//! The store as it was at an earlier tail.
//!
//! Invariant: the tail of a view is 0 or the end of an entry of its generation, below which no byte ever changes. What a view
//! shows follows from the entries before it alone; the index, which knows later ones, is only asked where that cannot differ.

use super::generation::Located;
use super::history::newest_before;
use super::live::LiveEntries;
use super::read::verified_if;
use super::{Entries, EntryHandle, EntryIterator, Generation, History, Store};
use crate::backing::{Backing, Resident};
use crate::error::{Error, Result};
use crate::format::{EntryMetadata, compute_hash, is_reserved_hash};
use crate::recovery::Chain;
use std::fmt;
use std::sync::Arc;

/// The store as it was at one tail, for as long as the view is held: writes and compactions that come later do not show.
///
/// A key that was not changed behind that tail is found by the index, as fast as in the store itself. For any other the entries
/// before the tail are walked through, newest first, until one of the key is met, and for one that has no value now the
/// entries behind it as well. A view keeps the bytes that it shows alive, also those that a compaction left out.
pub struct ReadView<B> {
    generation: Arc<Generation<B>>,
    tail: u64,
    verify_reads: bool,
}

impl<B: Backing> Store<B> {
    /// The store as it was at `tail`, which is what a write returned, what [`tail`](Self::tail) said or what a
    /// [`Version`](super::Version) names.
    ///
    /// Goes past every entry behind `tail` to make sure of it; 0 (the empty store) and the tail of now cost nothing. The tails
    /// within a batch are tails like any other. [`Error::NoSuchTail`] if no entry ends there. A compaction starts the
    /// tails anew: one from before is refused or, by chance, means another moment. [`Error::Corrupt`] if a link on the way is
    /// damaged.
    pub fn as_of(&self, tail: u64) -> Result<ReadView<B>> {
        let generation = self.current.load_full();
        check_tail(&generation, tail)?;
        Ok(ReadView {
            generation,
            tail,
            verify_reads: self.settings().verify_reads,
        })
    }
}

fn check_tail<B: Backing>(generation: &Generation<B>, tail: u64) -> Result<()> {
    let maximum = generation.tail();
    if tail == 0 {
        return Ok(());
    }
    let mut nearest = maximum;
    if tail < maximum {
        for entry in Chain::new(&generation.backing, maximum) {
            nearest = entry?.metadata.prev_offset;
            if nearest <= tail {
                break;
            }
        }
    }
    if nearest == tail {
        return Ok(());
    }
    Err(Error::NoSuchTail {
        tail,
        nearest,
        maximum,
    })
}

impl<B: Backing> ReadView<B> {
    /// The tail that the view was asked for.
    #[must_use]
    pub const fn tail(&self) -> u64 {
        self.tail
    }

    /// The value that `key` had, without a copy where the medium lies in memory.
    ///
    /// [`ReadView`] says what it costs. [`Error::Corrupt`] for a damaged link and, with `verify_reads`, for a value that is not
    /// what was stored.
    pub fn read(&self, key: &[u8]) -> Result<Option<EntryHandle<B::View>>> {
        self.read_with_key_hash(compute_hash(key))
    }

    /// The value that the key had which hashes to `key_hash`, as [`read`](Self::read) has it.
    pub fn read_with_key_hash(&self, key_hash: u64) -> Result<Option<EntryHandle<B::View>>> {
        let Some(located) = self.locate(key_hash)? else {
            return Ok(None);
        };
        let value = self.generation.handle_at(&located)?;
        verified_if(self.verify_reads, value).map(Some)
    }

    /// Where the entry of a bucket's key lay, and in what.
    pub(crate) fn locate_for_bucket(
        &self,
        key_hash: u64,
    ) -> Result<Option<(&Generation<B>, Located)>> {
        let located = self.locate(key_hash)?;
        Ok(located.map(|located| (&*self.generation, located)))
    }

    /// Whether `key` had a value; costs what [`read`](Self::read) does, but reads no value.
    pub fn exists(&self, key: &[u8]) -> Result<bool> {
        self.exists_with_key_hash(compute_hash(key))
    }

    /// Whether the key that hashes to `key_hash` had a value; reads no value.
    pub fn exists_with_key_hash(&self, key_hash: u64) -> Result<bool> {
        Ok(self.locate(key_hash)?.is_some())
    }

    /// The metadata of the value that `key` had; costs what [`read`](Self::read) does, but reads no value.
    pub fn read_metadata(&self, key: &[u8]) -> Result<Option<EntryMetadata>> {
        let located = self.locate(compute_hash(key))?;
        Ok(located.map(|located| located.metadata))
    }

    /// The versions of `key` up to the tail of the view, newest first, deletions included; reads nothing before its first step.
    #[must_use]
    pub fn history(&self, key: &[u8]) -> History<B> {
        self.history_with_key_hash(compute_hash(key))
    }

    /// The versions of the key that hashes to `key_hash`, as [`history`](Self::history) has them.
    #[must_use]
    pub fn history_with_key_hash(&self, key_hash: u64) -> History<B> {
        let generation = Arc::clone(&self.generation);
        History::new(generation, self.tail, key_hash, self.verify_reads)
    }

    /// Iterates over the values that were live, newest first; how many there are is known from the start.
    ///
    /// Costs one pass over the index, one over the entries behind the tail and, if keys were changed there, one over those before
    /// it, down to the oldest that is looked for: to the first of all if a key is new. 8 bytes of memory for each live key,
    /// and as many again for each that was changed. [`Error::Corrupt`] if a link on the way is damaged.
    pub fn entries(&self) -> Result<Entries<B>> {
        Entries::at(Arc::clone(&self.generation), self.tail)
    }

    /// The extents of the values that were live; costs what [`entries`](Self::entries) does.
    pub(crate) fn live_entries(&self) -> Result<LiveEntries<B>> {
        LiveEntries::at(Arc::clone(&self.generation), self.tail)
    }

    /// The entry that was live for `key_hash`.
    fn locate(&self, key_hash: u64) -> Result<Option<Located>> {
        if self.tail == 0 || is_reserved_hash(key_hash) {
            return Ok(None);
        }
        match self.generation.locate(key_hash)? {
            // The newest entry of all is before the tail, so it is the newest before the tail.
            Some(newest) if newest.extent.metadata_offset() < self.tail => return Ok(Some(newest)),
            Some(_) => {}
            None if self.was_changed_since(key_hash)? => {}
            None => return Ok(None),
        }
        let newest = newest_before(&self.generation, self.tail, key_hash)?;
        Ok(newest
            .filter(|entry| !entry.is_tombstone)
            .map(|entry| Located::of(&entry)))
    }

    /// Whether an entry behind the tail has `key_hash`. To be asked after a look at the index: covers all that was in it.
    fn was_changed_since(&self, key_hash: u64) -> Result<bool> {
        let now = self.generation.announced_tail();
        for entry in Chain::new(&self.generation.backing, now) {
            let entry = entry?;
            if entry.end() <= self.tail {
                break;
            }
            if entry.metadata.key_hash == key_hash {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<B: Resident> ReadView<B> {
    /// Iterates over the values that were live, newest first, as [`entries`](Self::entries) does.
    ///
    /// There are none if a link was damaged since the store was opened, of which only `entries` tells.
    #[must_use]
    pub fn iter_entries(&self) -> EntryIterator<B> {
        EntryIterator::at(Arc::clone(&self.generation), self.tail)
    }
}

impl<B> Clone for ReadView<B> {
    fn clone(&self) -> Self {
        Self {
            generation: Arc::clone(&self.generation),
            ..*self
        }
    }
}

impl<B> fmt::Debug for ReadView<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadView")
            .field("tail", &self.tail)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
