//! The one way entries come into a store: find, append, publish.
//!
//! Whatever can fail happens before the tail and the index are touched, so a failed commit leaves no trace.

use super::generation::span_of;
use super::{Generation, Store, Writer};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{
    EntryMetadata, MAX_OFFSET, METADATA_SIZE, TOMBSTONE, compute_checksum, is_reserved_hash,
    pre_pad,
};
use crate::index::Extent;
use crate::options::Durability;

/// One change of one key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// Store this value, which is not empty and not the tombstone.
    Put(&'a [u8]),
    /// Write a tombstone, whether or not the key is there.
    Delete,
}

/// An entry about to be written: where it goes and what was live before. Kept small, because batches have thousands.
pub(crate) struct Planned<'a> {
    /// The value where it is at hand; a stream brings its own.
    payload: &'a [u8],
    payload_len: u64,
    /// The metadata as it lies in the file.
    pub(crate) trailer: [u8; 20],
    deletes: bool,
    extent: Extent,
    /// The live entry of the key before this commit, and the span that it gives up.
    before: Option<Extent>,
    span_before: u64,
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

/// How many lookups ahead an index line is fetched.
const PREFETCH_AHEAD: usize = 16;

impl<B: Backing> Store<B> {
    /// Appends `changes` in one write and publishes them together; returns the new tail.
    pub(crate) fn commit(&self, changes: &[(u64, Change<'_>)]) -> Result<u64> {
        let mut writer = self.lock_writer();
        self.commit_locked(&mut writer, changes)
    }

    /// The same, for a caller that had to look at the store under the lock first.
    pub(crate) fn commit_locked(
        &self,
        writer: &mut Writer,
        changes: &[(u64, Change<'_>)],
    ) -> Result<u64> {
        self.check_writable()?;
        let generation = self.current.load();
        let tail = generation.tail();
        match changes {
            [] => Ok(tail),
            [(key_hash, change)] => {
                let planned = Planned::of(&generation, tail, *key_hash, *change)?;
                generation
                    .backing
                    .write(tail, &[planned.pad(), planned.payload, &planned.trailer])
                    .map_err(Error::io(APPEND))?;
                self.publish(writer, &generation, &[planned])
            }
            _ => {
                let planned = plan_all(&generation, tail, changes)?;
                write_all(&generation.backing, tail, &planned)?;
                self.publish(writer, &generation, &planned)
            }
        }
    }

    /// Makes entries visible whose bytes are in place behind the tail, and returns the new tail.
    pub(crate) fn publish(
        &self,
        writer: &mut Writer,
        generation: &Generation<B>,
        planned: &[Planned<'_>],
    ) -> Result<u64> {
        if self.settings().durability == Durability::Sync {
            self.sync_generation(generation)?;
        }
        let start = generation.tail();
        let tail = planned.last().map_or(start, Planned::end);
        generation.announce_tail(tail);
        let mut live_span = generation.live_span();
        for (at, change) in planned.iter().enumerate() {
            if let Some(ahead) = planned.get(at + PREFETCH_AHEAD) {
                generation.index.prefetch(ahead.key_hash());
            }
            if let Some(ahead) = planned.get(at + PREFETCH_AHEAD / 2) {
                generation.index.prefetch_vacancy(ahead.key_hash());
            }
            let key_hash = change.key_hash();
            // Entries of this commit are known here, and so is the one that was live before it: no access to the medium.
            let same = |extent: Extent| {
                if extent.metadata_offset() >= start {
                    entry_at(planned, extent).is_some_and(|other| other.key_hash() == key_hash)
                } else {
                    change.before == Some(extent)
                }
            };
            let replaced = if change.deletes {
                writer.index.remove(key_hash, same)
            } else {
                live_span += span_of(change.payload_len);
                writer.index.put(key_hash, change.extent, same)
            };
            if let Some(replaced) = replaced {
                let span = entry_at(planned, replaced)
                    .map_or(change.span_before, |other| span_of(other.payload_len));
                live_span = live_span.saturating_sub(span);
            }
        }
        generation.set_live_span(live_span);
        generation.publish_tail(tail);
        Ok(tail)
    }
}

pub(crate) const APPEND: &str = "append an entry";

/// Writes all entries at once. What lies between two values, the metadata of one and the pad of the next, is put together
/// first: fewer parts cost less, and values are not copied for it.
fn write_all<B: Backing>(backing: &B, tail: u64, planned: &[Planned<'_>]) -> Result<()> {
    let mut between = Vec::with_capacity(planned.len() * (20 + 64));
    let mut ends = Vec::with_capacity(planned.len());
    let mut pads = planned.iter().map(Planned::pad);
    let first_pad = pads.next().unwrap_or(&[]);
    for entry in planned {
        between.extend_from_slice(&entry.trailer);
        between.extend_from_slice(pads.next().unwrap_or(&[]));
        ends.push(between.len());
    }
    let mut parts: Vec<&[u8]> = Vec::with_capacity(planned.len() * 2 + 1);
    parts.push(first_pad);
    let mut start = 0;
    for (entry, end) in planned.iter().zip(ends) {
        parts.push(entry.payload);
        parts.push(between.get(start..end).unwrap_or(&[]));
        start = end;
    }
    backing.write(tail, &parts).map_err(Error::io(APPEND))
}

impl<'a> Planned<'a> {
    /// Plans an entry at `tail` whose value has this length and checksum.
    pub(crate) fn new<B: Backing>(
        generation: &Generation<B>,
        tail: u64,
        key_hash: u64,
        payload_len: u64,
        checksum: [u8; 4],
    ) -> Result<Self> {
        check_key_hash(key_hash)?;
        let pad = pre_pad(tail);
        let metadata_offset = tail
            .saturating_add(length_of(pad))
            .saturating_add(payload_len);
        check_end(metadata_offset.saturating_add(METADATA_SIZE))?;
        let before = generation.locate(key_hash)?;
        Ok(Self {
            payload: &[],
            payload_len,
            trailer: EntryMetadata::new(key_hash, tail, checksum).serialize(),
            extent: Extent::new(metadata_offset, payload_len),
            deletes: false,
            before: before.map(|located| located.extent),
            span_before: before.map_or(0, |located| span_of(located.payload_len())),
        })
    }

    fn of<B: Backing>(
        generation: &Generation<B>,
        tail: u64,
        key_hash: u64,
        change: Change<'a>,
    ) -> Result<Self> {
        match change {
            Change::Put(payload) => {
                let checksum = compute_checksum(payload);
                let planned = Self::new(generation, tail, key_hash, length_of(payload), checksum)?;
                Ok(Self { payload, ..planned })
            }
            Change::Delete => {
                let planned =
                    Self::new(generation, tail, key_hash, 1, compute_checksum(&TOMBSTONE))?;
                let metadata_offset = tail + 1;
                check_end(metadata_offset.saturating_add(METADATA_SIZE))?;
                let extent = Extent::new(metadata_offset, 1);
                Ok(Self {
                    payload: &TOMBSTONE,
                    extent,
                    deletes: true,
                    ..planned
                })
            }
        }
    }

    fn metadata(&self) -> EntryMetadata {
        EntryMetadata::deserialize(&self.trailer)
    }

    fn key_hash(&self) -> u64 {
        self.metadata().key_hash
    }

    /// The zeros before the value; a deletion has none.
    pub(crate) fn pad(&self) -> &'static [u8] {
        if self.deletes {
            &[]
        } else {
            pre_pad(self.metadata().prev_offset)
        }
    }

    /// The tail once this entry is in place.
    pub(crate) const fn end(&self) -> u64 {
        self.extent.metadata_offset() + METADATA_SIZE
    }
}

fn plan_all<'a, B: Backing>(
    generation: &Generation<B>,
    mut tail: u64,
    changes: &[(u64, Change<'a>)],
) -> Result<Vec<Planned<'a>>> {
    let mut planned = Vec::with_capacity(changes.len());
    for (at, (key_hash, change)) in changes.iter().enumerate() {
        if let Some((ahead, _)) = changes.get(at + PREFETCH_AHEAD) {
            generation.index.prefetch(*ahead);
        }
        let entry = Planned::of(generation, tail, *key_hash, *change)?;
        tail = entry.end();
        planned.push(entry);
    }
    Ok(planned)
}

/// Refuses an entry that would end past the format's largest offset.
pub(crate) const fn check_end(end: u64) -> Result<()> {
    if end < MAX_OFFSET {
        Ok(())
    } else {
        Err(Error::TooLarge {
            end,
            maximum: MAX_OFFSET,
        })
    }
}

/// The entry of this commit at `extent`; they lie in order.
fn entry_at<'p, 'a>(planned: &'p [Planned<'a>], extent: Extent) -> Option<&'p Planned<'a>> {
    let offset = extent.metadata_offset();
    let at = planned
        .binary_search_by_key(&offset, |entry| entry.extent.metadata_offset())
        .ok()?;
    planned.get(at)
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
