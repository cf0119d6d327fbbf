//! A backing, the index of what it holds and the tail: what readers share, replaced as a whole by compaction.
//!
//! The index only ever holds extents whose bytes are in place, so a reader needs no other check than the full hash.

use crate::backing::{Backing, Resident};
use crate::error::{Error, Result};
use crate::format::{Entry, EntryMetadata, METADATA_SIZE, align_to_payload};
use crate::index::{Extent, Index};
use crate::store::EntryHandle;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One backing and what is known of it.
pub(crate) struct Generation<B> {
    pub(crate) backing: B,
    pub(crate) index: Arc<Index>,
    /// The end of the last entry that the index says everything of.
    tail: AtomicU64,
    /// The end of the last entry that the index may say something of: beyond `tail` while a writer is changing the index.
    announced: AtomicU64,
    /// What the live values would take in a store of their own, each padded to its successor.
    live_span: AtomicU64,
}

/// A live entry that the index named and the medium confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) extent: Extent,
    pub(crate) metadata: EntryMetadata,
    pub(crate) payload_offset: u64,
}

impl Located {
    pub(crate) const fn payload_len(&self) -> u64 {
        self.extent.metadata_offset() - self.payload_offset
    }
}

/// Bytes that a live payload of `payload_len` takes, with its metadata and the pad of the entry behind it.
pub(crate) const fn span_of(payload_len: u64) -> u64 {
    align_to_payload(payload_len + METADATA_SIZE)
}

const READ_ENTRY: &str = "read an entry";

impl<B: Backing> Generation<B> {
    pub(crate) const fn new(backing: B, index: Arc<Index>, tail: u64, live_span: u64) -> Self {
        Self {
            backing,
            index,
            tail: AtomicU64::new(tail),
            announced: AtomicU64::new(tail),
            live_span: AtomicU64::new(live_span),
        }
    }

    /// Every change below is in the index. Changes behind may be in it as well: see [`announced_tail`](Self::announced_tail).
    pub(crate) fn tail(&self) -> u64 {
        self.tail.load(Ordering::Acquire)
    }

    /// To be asked after a look at the index: no change behind this offset was in it.
    pub(crate) fn announced_tail(&self) -> u64 {
        self.announced.load(Ordering::Acquire)
    }

    /// Called by the writer alone, with the bytes below `tail` in place, before it changes the index.
    pub(crate) fn announce_tail(&self, tail: u64) {
        self.announced.store(tail, Ordering::Release);
    }

    /// Called by the writer alone, once every change below `tail` is in the index.
    pub(crate) fn publish_tail(&self, tail: u64) {
        self.tail.store(tail, Ordering::Release);
    }

    pub(crate) fn live_span(&self) -> u64 {
        self.live_span.load(Ordering::Relaxed)
    }

    /// Called by the writer alone.
    pub(crate) fn set_live_span(&self, span: u64) {
        self.live_span.store(span, Ordering::Relaxed);
    }

    fn metadata_at(&self, offset: u64) -> Result<EntryMetadata> {
        let mut bytes = [0; 20];
        self.backing
            .read(offset, &mut bytes)
            .map_err(Error::io(READ_ENTRY))?;
        Ok(EntryMetadata::deserialize(&bytes))
    }

    /// Reads the metadata of the entry at `extent`.
    pub(crate) fn examine(&self, extent: Extent) -> Result<Located> {
        let metadata = self.metadata_at(extent.metadata_offset())?;
        Ok(Located {
            extent,
            metadata,
            payload_offset: payload_offset(extent, &metadata),
        })
    }

    /// The live entry of `key_hash`, by its metadata alone.
    pub(crate) fn locate(&self, key_hash: u64) -> Result<Option<Located>> {
        let mut located = None;
        self.index.find(key_hash, |extent| {
            let candidate = self.examine(extent)?;
            let same = candidate.metadata.key_hash == key_hash;
            located = same.then_some(candidate);
            Ok::<_, Error>(same)
        })?;
        Ok(located)
    }

    /// The live value of `key_hash`, read together with its metadata in one access.
    pub(crate) fn read(&self, key_hash: u64) -> Result<Option<EntryHandle<B::View>>> {
        let mut handle = None;
        self.index.find(key_hash, |extent| {
            let candidate = self.handle(extent)?;
            let same = candidate.key_hash() == key_hash;
            handle = same.then_some(candidate);
            Ok::<_, Error>(same)
        })?;
        Ok(handle)
    }

    /// The value at `extent`, whichever key it has.
    pub(crate) fn handle(&self, extent: Extent) -> Result<EntryHandle<B::View>> {
        let metadata_offset = extent.metadata_offset();
        let payload_offset = match extent.payload_len() {
            Some(len) => metadata_offset.saturating_sub(len),
            None => align_to_payload(self.metadata_at(metadata_offset)?.prev_offset),
        };
        self.view(payload_offset..metadata_offset)
    }

    /// The value of an entry that was located.
    pub(crate) fn handle_at(&self, located: &Located) -> Result<EntryHandle<B::View>> {
        self.view(located.payload_offset..located.extent.metadata_offset())
    }

    /// The value of a well-formed entry met on the chain.
    pub(crate) fn handle_of(&self, entry: &Entry) -> Result<EntryHandle<B::View>> {
        self.view(entry.payload())
    }

    fn view(&self, payload: Range<u64>) -> Result<EntryHandle<B::View>> {
        let length = payload.end.saturating_sub(payload.start);
        let addressable = isize::try_from(length + METADATA_SIZE).is_ok();
        if !addressable {
            return Err(Error::NotAddressable { length });
        }
        let whole = payload.start..payload.end + METADATA_SIZE;
        let view = self.backing.view(whole).map_err(Error::io(READ_ENTRY))?;
        EntryHandle::new(view, payload.start).ok_or(Error::Corrupt {
            offset: payload.end,
            what: "an entry is cut short",
        })
    }

    /// Copies bytes of a value, from its `offset` on, into `buf`; fewer than asked at the value's end.
    pub(crate) fn read_range(
        &self,
        located: &Located,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize> {
        let left = located.payload_len().saturating_sub(offset);
        let take = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        if let Some(buf) = buf.get_mut(..take).filter(|buf| !buf.is_empty()) {
            self.backing
                .read(located.payload_offset + offset, buf)
                .map_err(Error::io(READ_ENTRY))?;
        }
        Ok(take)
    }
}

impl<B: Resident> Generation<B> {
    /// The live value of `key_hash` where it lies. `None` too when the medium has it in pieces.
    #[inline]
    pub(crate) fn get(&self, key_hash: u64) -> Option<&[u8]> {
        let mut value = None;
        let Ok(_) = self.index.find(key_hash, |extent| {
            let entry = self.entry_bytes(extent);
            let found = entry
                .and_then(<[u8]>::split_last_chunk)
                .filter(|(_, metadata)| EntryMetadata::deserialize(metadata).key_hash == key_hash);
            value = found.map(|(payload, _)| payload);
            Ok::<_, std::convert::Infallible>(found.is_some())
        });
        value
    }

    /// The payload of the entry at `extent` and the metadata behind it.
    #[inline]
    fn entry_bytes(&self, extent: Extent) -> Option<&[u8]> {
        let end = extent.metadata_offset();
        let start = match extent.payload_len() {
            Some(len) => end.saturating_sub(len),
            None => self.long_payload_offset(end)?,
        };
        self.backing.bytes(start..end + METADATA_SIZE)
    }

    #[inline(never)]
    fn long_payload_offset(&self, metadata_offset: u64) -> Option<u64> {
        let bytes = self
            .backing
            .bytes(metadata_offset..metadata_offset + METADATA_SIZE)?;
        let metadata = EntryMetadata::deserialize(bytes.try_into().ok()?);
        Some(align_to_payload(metadata.prev_offset))
    }
}

fn payload_offset(extent: Extent, metadata: &EntryMetadata) -> u64 {
    match extent.payload_len() {
        Some(len) => extent.metadata_offset().saturating_sub(len),
        None => align_to_payload(metadata.prev_offset),
    }
}
