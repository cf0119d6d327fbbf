//! What a commit is going to write: its changes, and where each of their entries will lie.

use super::Generation;
use super::generation::span_of;
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{
    EntryMetadata, MAX_OFFSET, METADATA_SIZE, TOMBSTONE, align_to_payload, compute_checksum,
    is_reserved_hash, pre_pad,
};
use crate::index::Extent;

/// One change of one key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// Store this value, which is not empty and not the tombstone.
    Put(&'a [u8]),
    /// Store this value with something behind it, which is not empty, in one payload.
    PutWith(&'a [u8], &'a [u8]),
    /// Write a tombstone, whether or not the key is there.
    Delete,
}

impl<'a> Change<'a> {
    /// The payload, in its two parts.
    #[inline]
    pub(super) const fn payload(self) -> (&'a [u8], &'a [u8]) {
        match self {
            Self::Put(payload) => (payload, &[]),
            Self::PutWith(value, behind) => (value, behind),
            Self::Delete => (&TOMBSTONE, &[]),
        }
    }

    /// The tail behind this change, made at `tail`.
    pub(super) fn end(self, tail: u64) -> u64 {
        let (value, behind) = self.payload();
        let start = match self {
            Self::Delete => tail,
            _ => align_to_payload(tail),
        };
        start
            .saturating_add(length_of(value))
            .saturating_add(length_of(behind))
            .saturating_add(METADATA_SIZE)
    }
}

/// An entry about to be written, without its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned {
    pub(super) metadata: EntryMetadata,
    pub(super) placed: Placed,
}

/// Where an entry of a commit lies, and what was live before. Kept small, because batches have thousands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(super) key_hash: u64,
    /// Of a deletion, one that says so.
    pub(super) extent: Extent,
    pub(super) payload_len: u64,
}

/// The entries of a commit, whose bytes are in place.
#[derive(Debug, Default)]
pub(crate) struct Appended {
    pub(super) placed: Vec<Placed>,
    /// What was live for the key of each, and the span that it gives up. On a medium in memory that is looked up only when the
    /// entries are published, once, as it cannot fail.
    pub(super) before: Vec<Option<(Extent, u64)>>,
    /// The tail behind them, and behind what goes with them.
    pub(super) end: u64,
}

impl Appended {
    /// Takes an entry in that is about to be written; all that can fail about it fails here.
    #[inline]
    pub(crate) fn add<B: Backing>(
        &mut self,
        generation: &Generation<B>,
        planned: &Planned,
    ) -> Result<()> {
        if B::IN_MEMORY {
            generation.awaken(planned.placed.key_hash)?;
        } else {
            let before = generation.locate(planned.placed.key_hash)?;
            let before = before.map(|located| (located.extent, span_of(located.payload_len())));
            self.before.push(before);
        }
        self.placed.push(planned.placed);
        self.end = planned.end();
        Ok(())
    }

    /// Forgets all entries, and keeps memory for a good many others.
    pub(super) fn clear(&mut self) {
        self.placed.clear();
        self.placed.shrink_to(KEPT_ENTRIES);
        self.before.clear();
        self.before.shrink_to(KEPT_ENTRIES);
    }

    /// The entry at `extent`; they lie in order.
    pub(super) fn at(&self, extent: Extent) -> Option<&Placed> {
        let offset = extent.metadata_offset();
        let at = self
            .placed
            .binary_search_by_key(&offset, |entry| entry.extent.metadata_offset())
            .ok()?;
        self.placed.get(at)
    }
}

/// Refuses what a plain entry cannot hold.
pub(crate) fn check_payload(payload: &[u8]) -> Result<()> {
    if payload.is_empty() {
        Err(Error::EmptyPayload)
    } else if payload == TOMBSTONE {
        Err(Error::ReservedPayload)
    } else {
        Ok(())
    }
}

pub(crate) fn check_key_hash(key_hash: u64) -> Result<()> {
    if is_reserved_hash(key_hash) {
        Err(Error::ReservedKey { key_hash })
    } else {
        Ok(())
    }
}

/// Entries of a batch for which memory is kept until the next one.
const KEPT_ENTRIES: usize = 16 << 10;

impl Planned {
    /// Plans an entry at `tail` whose value has this length and checksum.
    pub(crate) fn new(
        tail: u64,
        key_hash: u64,
        payload_len: u64,
        checksum: [u8; 4],
    ) -> Result<Self> {
        check_end(tail, payload_len)?;
        let extent = Extent::new(align_to_payload(tail) + payload_len, payload_len);
        let metadata = EntryMetadata::new(key_hash, tail, checksum);
        Self::at(extent, payload_len, metadata)
    }

    #[inline]
    pub(super) fn at(extent: Extent, payload_len: u64, metadata: EntryMetadata) -> Result<Self> {
        check_key_hash(metadata.key_hash)?;
        let placed = Placed {
            key_hash: metadata.key_hash,
            extent,
            payload_len,
        };
        Ok(Self { metadata, placed })
    }

    /// Plans a change at `tail`.
    #[inline]
    pub(super) fn of(tail: u64, key_hash: u64, change: Change<'_>) -> Result<Self> {
        match change {
            Change::Put(payload) => {
                let checksum = compute_checksum(payload);
                Self::new(tail, key_hash, length_of(payload), checksum)
            }
            Change::PutWith(value, behind) => {
                let mut hasher = crate::kernels::crc32::Hasher::new();
                hasher.update(value);
                hasher.update(behind);
                let len = length_of(value).saturating_add(length_of(behind));
                Self::new(tail, key_hash, len, hasher.finalize().to_le_bytes())
            }
            Change::Delete => {
                let len = length_of(&TOMBSTONE);
                check_end(tail, len)?;
                let metadata = EntryMetadata::new(key_hash, tail, compute_checksum(&TOMBSTONE));
                Self::at(Extent::deletion(tail + len), len, metadata)
            }
        }
    }

    /// The metadata as it lies in the file.
    pub(crate) const fn trailer(&self) -> [u8; 20] {
        self.metadata.serialize()
    }

    /// The zeros before the value; a deletion has none.
    pub(crate) fn pad(&self) -> &'static [u8] {
        if self.placed.extent.is_deletion() {
            &[]
        } else {
            pre_pad(self.metadata.prev_offset)
        }
    }

    /// The tail once this entry is in place.
    pub(crate) const fn end(&self) -> u64 {
        self.placed.end()
    }
}

impl Placed {
    pub(super) const fn end(&self) -> u64 {
        self.extent.metadata_offset() + METADATA_SIZE
    }
}

/// Refuses an entry behind `tail` that would end past the format's largest offset.
pub(super) fn check_end(tail: u64, payload_len: u64) -> Result<()> {
    let end = align_to_payload(tail)
        .saturating_add(payload_len)
        .saturating_add(METADATA_SIZE);
    if end < MAX_OFFSET {
        Ok(())
    } else {
        Err(Error::TooLarge {
            end,
            maximum: MAX_OFFSET,
        })
    }
}

pub(super) fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
