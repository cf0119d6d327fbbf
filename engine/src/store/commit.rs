//! The one way entries come into a store: find, append, publish.
//!
//! Whatever can fail happens before the tail and the index are touched, so a failed commit leaves no trace.

use super::generation::span_of;
use super::{Generation, Store, Writer};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{
    EntryMetadata, MAX_OFFSET, METADATA_SIZE, TOMBSTONE, align_to_payload, compute_checksum,
    is_reserved_hash, pre_pad,
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

/// An entry about to be written, without its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned {
    metadata: EntryMetadata,
    placed: Placed,
}

/// Where an entry of a commit lies, and what was live before. Kept small, because batches have thousands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    key_hash: u64,
    /// Of a deletion, one that says so.
    extent: Extent,
    payload_len: u64,
    /// The live entry of the key before this commit, and the span that it gives up; on a medium that lies in memory they are
    /// looked up when the entry is published.
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

/// Entries of a batch that go to a medium in memory together, so that what is put together for them stays in the processor's
/// caches; their parts are as many as one system call takes.
const GROUP: usize = 511;

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
                let (planned, payload) = Planned::of(&generation, tail, *key_hash, *change)?;
                generation
                    .backing
                    .write(tail, &[planned.pad(), payload, &planned.trailer()])
                    .map_err(Error::io(APPEND))?;
                self.publish(writer, &generation, &[planned.placed])
            }
            _ => {
                let placed = append_all(&generation, tail, changes)?;
                self.publish(writer, &generation, &placed)
            }
        }
    }

    /// Makes entries visible whose bytes are in place behind the tail, and returns the new tail.
    pub(crate) fn publish(
        &self,
        writer: &mut Writer,
        generation: &Generation<B>,
        placed: &[Placed],
    ) -> Result<u64> {
        if self.settings().durability == Durability::Sync {
            self.sync_generation(generation)?;
        }
        let start = generation.tail();
        let tail = placed.last().map_or(start, Placed::end);
        generation.announce_tail(tail);
        let mut live_span = generation.live_span();
        for (at, entry) in placed.iter().enumerate() {
            if let Some(ahead) = placed.get(at + PREFETCH_AHEAD) {
                generation.index.prefetch(ahead.key_hash);
            }
            // The span that the entry before gives up, if it is found on the medium.
            let mut span_before = entry.span_before;
            let same = |extent: Extent| {
                if extent.metadata_offset() >= start {
                    placed_at(placed, extent).is_some_and(|other| other.key_hash == entry.key_hash)
                } else if B::IN_MEMORY {
                    // Such a medium has every entry that the index names.
                    let located = generation.examine(extent);
                    let located = located
                        .ok()
                        .filter(|located| located.metadata.key_hash == entry.key_hash);
                    span_before =
                        located.map_or(span_before, |located| span_of(located.payload_len()));
                    located.is_some()
                } else {
                    entry.before == Some(extent)
                }
            };
            let replaced = if entry.extent.is_deletion() {
                writer.index.remove(entry.key_hash, same)
            } else {
                live_span += span_of(entry.payload_len);
                writer.index.put(entry.key_hash, entry.extent, same)
            };
            if let Some(replaced) = replaced {
                let span = placed_at(placed, replaced)
                    .map_or(span_before, |other| span_of(other.payload_len));
                live_span = live_span.saturating_sub(span);
            }
        }
        generation.set_live_span(live_span);
        generation.publish_tail(tail);
        Ok(tail)
    }
}

pub(crate) const APPEND: &str = "append an entry";

/// Appends all entries behind `tail`. What lies between two values, the metadata of one and the pad of the next, is put
/// together first: fewer parts cost less, and values are not copied for it.
fn append_all<B: Backing>(
    generation: &Generation<B>,
    mut tail: u64,
    changes: &[(u64, Change<'_>)],
) -> Result<Vec<Placed>> {
    let mut placed = Vec::with_capacity(changes.len());
    // A medium that does not lie in memory has its own way to take much at once.
    let group_len = if B::IN_MEMORY { GROUP } else { changes.len() };
    let (mut between, mut ends) = (Vec::new(), Vec::new());
    for (nth, group) in changes.chunks(group_len).enumerate() {
        let start = tail;
        between.clear();
        ends.clear();
        for (at, (key_hash, change)) in (nth * group_len..).zip(group) {
            if !B::IN_MEMORY
                && let Some((ahead, _)) = changes.get(at + PREFETCH_AHEAD)
            {
                generation.index.prefetch(*ahead);
            }
            let (planned, payload) = Planned::of(generation, tail, *key_hash, *change)?;
            between.extend_from_slice(planned.pad());
            ends.push((between.len(), payload));
            between.extend_from_slice(&planned.trailer());
            tail = planned.end();
            placed.push(planned.placed);
        }
        let mut parts: Vec<&[u8]> = Vec::with_capacity(group.len() * 2 + 1);
        let mut from = 0;
        for &(end, payload) in &ends {
            parts.push(between.get(from..end).unwrap_or(&[]));
            parts.push(payload);
            from = end;
        }
        parts.push(between.get(from..).unwrap_or(&[]));
        generation
            .backing
            .write(start, &parts)
            .map_err(Error::io(APPEND))?;
    }
    Ok(placed)
}

impl Planned {
    /// Plans an entry at `tail` whose value has this length and checksum.
    pub(crate) fn new<B: Backing>(
        generation: &Generation<B>,
        tail: u64,
        key_hash: u64,
        payload_len: u64,
        checksum: [u8; 4],
    ) -> Result<Self> {
        let metadata_offset = tail
            .saturating_add(length_of(pre_pad(tail)))
            .saturating_add(payload_len);
        let extent = Extent::new(metadata_offset, payload_len);
        Self::at(
            generation,
            extent,
            payload_len,
            EntryMetadata::new(key_hash, tail, checksum),
        )
    }

    #[inline]
    fn at<B: Backing>(
        generation: &Generation<B>,
        extent: Extent,
        payload_len: u64,
        metadata: EntryMetadata,
    ) -> Result<Self> {
        let key_hash = metadata.key_hash;
        check_key_hash(key_hash)?;
        check_end(metadata.prev_offset, payload_len)?;
        let before = if B::IN_MEMORY {
            None
        } else {
            generation.locate(key_hash)?
        };
        let placed = Placed {
            key_hash,
            extent,
            payload_len,
            before: before.map(|located| located.extent),
            span_before: before.map_or(0, |located| span_of(located.payload_len())),
        };
        Ok(Self { metadata, placed })
    }

    /// Plans a change at `tail`, and says what its payload is.
    #[inline]
    fn of<'a, B: Backing>(
        generation: &Generation<B>,
        tail: u64,
        key_hash: u64,
        change: Change<'a>,
    ) -> Result<(Self, &'a [u8])> {
        let (payload, planned) = match change {
            Change::Put(payload) => {
                let checksum = compute_checksum(payload);
                let len = length_of(payload);
                (
                    payload,
                    Self::new(generation, tail, key_hash, len, checksum),
                )
            }
            Change::Delete => {
                let metadata = EntryMetadata::new(key_hash, tail, compute_checksum(&TOMBSTONE));
                let extent = Extent::deletion(tail + length_of(&TOMBSTONE));
                (
                    &TOMBSTONE[..],
                    Self::at(generation, extent, length_of(&TOMBSTONE), metadata),
                )
            }
        };
        Ok((planned?, payload))
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

    /// What is left to do for it once its bytes are in place.
    pub(crate) const fn placed(&self) -> Placed {
        self.placed
    }
}

impl Placed {
    const fn end(&self) -> u64 {
        self.extent.metadata_offset() + METADATA_SIZE
    }
}

/// Refuses an entry behind `tail` that would end past the format's largest offset.
fn check_end(tail: u64, payload_len: u64) -> Result<()> {
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

/// The entry of this commit at `extent`; they lie in order.
fn placed_at(placed: &[Placed], extent: Extent) -> Option<&Placed> {
    let offset = extent.metadata_offset();
    let at = placed
        .binary_search_by_key(&offset, |entry| entry.extent.metadata_offset())
        .ok()?;
    placed.get(at)
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
