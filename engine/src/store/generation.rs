//! A backing, the index of what it holds and the tail: what readers share, replaced as a whole by compaction.
//!
//! The index only ever holds extents whose bytes are in place, so a reader needs no other check than the full hash.

use crate::atomic::{AtomicU64, Ordering};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{Entry, EntryMetadata, METADATA_SIZE, align_to_payload, is_reserved_hash};
use crate::index::{Extent, Index};
use crate::recovery::walk_from;
use crate::store::EntryHandle;
use crate::store::milestones::Milestones;
use crate::store::snapshot::TakenSnapshot;
use std::ops::Range;
use std::sync::Arc;

mod first;
mod resident;
mod several;

pub(crate) use resident::Placed;

/// One backing and what is known of it.
pub(crate) struct Generation<B> {
    pub(crate) backing: B,
    pub(crate) index: Arc<Index>,
    /// The end of the last entry that the index says everything of.
    tail: AtomicU64,
    /// The end of the last entry that the index may say something of: beyond `tail` while a writer is changing the index.
    announced: AtomicU64,
    /// Everything below was brought to stable storage.
    synced: AtomicU64,
    /// What the live values would take in a store of their own, each padded to its successor.
    live_span: AtomicU64,
    /// Where the snapshot lies that the index was taken from.
    pub(crate) snapshot: TakenSnapshot,
    pub(super) milestones: Milestones,
}

/// A live entry that the index named and the medium confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) extent: Extent,
    pub(crate) metadata: EntryMetadata,
    pub(crate) payload_offset: u64,
}

impl Located {
    /// The place of a well-formed entry met on the chain.
    pub(crate) const fn of(entry: &Entry) -> Self {
        Self {
            extent: Extent::new(entry.metadata_offset, entry.payload_len()),
            metadata: entry.metadata,
            payload_offset: entry.payload_offset,
        }
    }

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
    pub(crate) fn new(backing: B, index: Arc<Index>, tail: u64, live_span: u64) -> Self {
        Self {
            backing,
            index,
            tail: AtomicU64::new(tail),
            announced: AtomicU64::new(tail),
            synced: AtomicU64::new(0),
            live_span: AtomicU64::new(live_span),
            snapshot: TakenSnapshot::default(),
            milestones: Milestones::default(),
        }
    }

    pub(crate) fn synced_tail(&self) -> u64 {
        self.synced.load(Ordering::Relaxed)
    }

    /// Called after a sync, with the tail as it was before, by who has the turn to sync.
    pub(crate) fn note_synced(&self, tail: u64) {
        self.synced.store(tail, Ordering::Relaxed);
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
            payload_offset: payload_offset(extent, &metadata).ok_or_else(|| no_entry(extent))?,
        })
    }

    /// Makes sure that `key_hash` can be looked up and stored, in an index that came from a snapshot.
    #[inline]
    pub(crate) fn awaken(&self, key_hash: u64) -> Result<()> {
        if self.index.is_awake(key_hash) {
            return Ok(());
        }
        // Another thread may have mended it meanwhile, and failed with others.
        self.mend()
            .or_else(|error| self.index.is_awake(key_hash).then_some(()).ok_or(error))
    }

    /// The same for all keys.
    pub(crate) fn wake_all(&self) -> Result<()> {
        if self.index.wake_all() {
            Ok(())
        } else {
            self.mend()
        }
    }

    /// Makes the damaged parts of a snapshot's index again, as opening without it had made them. What cannot be made again is not tried twice.
    #[cold]
    fn mend(&self) -> Result<()> {
        let lost = Error::Corrupt {
            offset: self.snapshot.tail,
            what: "the index snapshot there is of other entries",
        };
        let Some(mut mender) = self.index.mender() else {
            return Err(lost);
        };
        let walked = walk_from(&self.backing, self.snapshot.tail, |entry| {
            if !is_reserved_hash(entry.metadata.key_hash) {
                let extent = if entry.is_tombstone {
                    Extent::deletion(entry.metadata_offset)
                } else {
                    Extent::new(entry.metadata_offset, entry.payload_len())
                };
                mender.add(entry.metadata.key_hash, extent);
            }
        });
        match walked {
            Ok(()) => mender.finish().then_some(()).ok_or(lost),
            Err(error) => {
                if matches!(error, Error::Corrupt { .. }) {
                    mender.give_up();
                }
                Err(error)
            }
        }
    }

    /// What `look` finds, once more where the key's part of the index had to be mended.
    #[inline]
    fn find<R>(
        &self,
        key_hash: u64,
        mut look: impl FnMut(&Index) -> Result<Option<R>>,
    ) -> Result<Option<R>> {
        let found = look(&self.index)?;
        if found.is_none() && self.index.has_damage() {
            self.awaken(key_hash)?;
            return look(&self.index);
        }
        Ok(found)
    }

    #[inline(never)]
    fn search_metadata(&self, key_hash: u64) -> Result<Option<Located>> {
        self.find(key_hash, |index| {
            index.find_map(key_hash, |candidate| {
                let located = self.examine(candidate.extent())?;
                Ok((located.metadata.key_hash == key_hash).then_some(located))
            })
        })
    }

    #[inline(never)]
    fn search(&self, key_hash: u64) -> Result<Option<EntryHandle<B::View>>> {
        self.find(key_hash, |index| {
            index.find_map(key_hash, |candidate| {
                let handle = self.handle(candidate.extent())?;
                Ok((handle.key_hash() == key_hash).then_some(handle))
            })
        })
    }

    /// The live value of `key_hash`, copied together with its metadata in one access if it is no longer than `most` bytes.
    pub(crate) fn copy(&self, key_hash: u64, most: u64) -> Result<Option<Copied>> {
        self.find(key_hash, |index| {
            index.find_map(key_hash, |candidate| {
                let extent = candidate.extent();
                let short = extent.payload_len().filter(|len| *len <= most);
                let place = short.and_then(|len| {
                    let start = extent.metadata_offset().checked_sub(len)?;
                    Some((start, usize::try_from(len + METADATA_SIZE).ok()?))
                });
                let Some((start, len)) = place else {
                    let located = self.examine(extent)?;
                    if located.metadata.key_hash != key_hash {
                        return Ok(None);
                    }
                    // The index does not keep all lengths.
                    if located.payload_len() > most {
                        return Ok(Some(Copied::Long(located)));
                    }
                    let mut payload = vec![0; usize::try_from(located.payload_len()).unwrap_or(0)];
                    self.read_range(&located, 0, &mut payload)?;
                    return Ok(Some(Copied::Short(payload)));
                };
                let mut bytes = vec![0; len];
                self.backing
                    .read(start, &mut bytes)
                    .map_err(Error::io(READ_ENTRY))?;
                let Some((payload, metadata)) = bytes.split_last_chunk() else {
                    return Ok(None);
                };
                let is_it = EntryMetadata::deserialize(metadata).key_hash == key_hash;
                let len = payload.len();
                bytes.truncate(len);
                Ok(is_it.then_some(Copied::Short(bytes)))
            })
        })
    }

    /// The value at `extent`, whichever key it has.
    pub(crate) fn handle(&self, extent: Extent) -> Result<EntryHandle<B::View>> {
        let metadata_offset = extent.metadata_offset();
        let payload_offset = match extent.payload_len() {
            Some(len) => metadata_offset.checked_sub(len),
            None => payload_offset(extent, &self.metadata_at(metadata_offset)?),
        };
        let payload_offset = payload_offset.ok_or_else(|| no_entry(extent))?;
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

    /// The entry whose payload lies there.
    pub(crate) fn view(&self, payload: Range<u64>) -> Result<EntryHandle<B::View>> {
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

/// A live value, or where it lies.
#[derive(Debug)]
pub(crate) enum Copied {
    /// Its payload.
    Short(Vec<u8>),
    /// It is longer than that.
    Long(Located),
}

/// Where the payload starts. `None` where the index names what is no entry: it may have come from a snapshot that only looks like one.
pub(crate) fn payload_offset(extent: Extent, metadata: &EntryMetadata) -> Option<u64> {
    let end = extent.metadata_offset();
    let start = match extent.payload_len() {
        Some(len) => end.checked_sub(len)?,
        None if metadata.prev_offset < end => align_to_payload(metadata.prev_offset),
        None => return None,
    };
    (start < end).then_some(start)
}

/// What is said of an index that names what cannot be.
#[cold]
pub(crate) const fn no_entry(extent: Extent) -> Error {
    Error::Corrupt {
        offset: extent.metadata_offset(),
        what: "the index names an entry that is not there",
    }
}
