//! The first look for a key on a medium that lies in memory, which nearly every search does not go past.
//!
//! Reads by key wait for memory twice, for a line of the index and for an entry, and the processor overlaps as many of them as fit into
//! the instructions that it looks ahead: so this takes as few as it can.

use super::{Generation, Located};
use crate::backing::Backing;
use crate::format::{EntryMetadata, METADATA_SIZE};
use crate::index::{Candidate, Glance};
use crate::store::EntryHandle;
use std::ops::Range;

/// A live entry where it lies in memory.
#[derive(Debug, Clone)]
pub(super) struct Seen<'g> {
    candidate: Candidate,
    pub(super) metadata: EntryMetadata,
    pub(super) payload: &'g [u8],
    /// Where the payload lies in the store.
    range: Range<u64>,
}

impl<B: Backing> Generation<B> {
    /// What `make` makes of the entry of `key_hash`.
    #[inline]
    pub(super) fn glance<'g, R>(
        &'g self,
        key_hash: u64,
        make: impl FnOnce(Seen<'g>) -> Option<R>,
    ) -> Glance<R> {
        if !B::IN_MEMORY {
            return Glance::Unsure;
        }
        self.index
            .glance(key_hash, |candidate| make(self.see(key_hash, candidate)?))
    }

    /// The entry there, if it is one of `key_hash` and lies in memory.
    #[inline]
    pub(super) fn see(&self, key_hash: u64, candidate: Candidate) -> Option<Seen<'_>> {
        let range = candidate.payload()?;
        let (payload, metadata) = self
            .backing
            .peek(range.start..range.end + METADATA_SIZE)?
            .split_last_chunk()?;
        let metadata = EntryMetadata::deserialize(metadata);
        (metadata.key_hash == key_hash).then_some(Seen {
            candidate,
            metadata,
            payload,
            range,
        })
    }

    /// The live value of `key_hash`, read together with its metadata in one access.
    #[inline]
    pub(crate) fn read(&self, key_hash: u64) -> crate::Result<Option<EntryHandle<B::View>>> {
        match self.glance(key_hash, |seen| self.handle_of_seen(&seen)) {
            Glance::Found(handle) => Ok(Some(handle)),
            Glance::Absent => Ok(None),
            Glance::Unsure => self.search(key_hash),
        }
    }

    /// The live entry of `key_hash`, by its metadata alone.
    #[inline]
    pub(crate) fn locate(&self, key_hash: u64) -> crate::Result<Option<Located>> {
        match self.glance(key_hash, |seen| Some(seen.located())) {
            Glance::Found(located) => Ok(Some(located)),
            Glance::Absent => Ok(None),
            Glance::Unsure => self.search_metadata(key_hash),
        }
    }

    #[inline]
    pub(super) fn handle_of_seen(&self, seen: &Seen<'_>) -> Option<EntryHandle<B::View>> {
        let whole = seen.range.start..seen.range.end + METADATA_SIZE;
        let view = self.backing.view(whole).ok()?;
        Some(EntryHandle::of(
            view,
            seen.metadata,
            seen.range.start,
            seen.payload.len(),
        ))
    }
}

impl Seen<'_> {
    fn located(&self) -> Located {
        Located {
            extent: self.candidate.extent(),
            metadata: self.metadata,
            payload_offset: self.range.start,
        }
    }

    /// Where the payload starts in the store.
    pub(super) const fn offset(&self) -> u64 {
        self.range.start
    }
}
