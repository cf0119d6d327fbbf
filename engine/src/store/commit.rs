//! The one way entries come into a store: find, append, publish.
//!
//! Whatever can fail happens before the tail and the index are touched, and what a failed append left behind the tail is cut off,
//! so a failed commit leaves no trace.

use super::generation::span_of;
use super::{Generation, Store, Writer};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{
    BATCH_HASH, BATCH_MARKER_SIZE, BatchMarker, EntryMetadata, MAX_OFFSET, METADATA_SIZE,
    TOMBSTONE, align_to_payload, compute_checksum, is_reserved_hash, pre_pad,
};
use crate::index::{Extent, Hint};
use crate::options::Durability;
use std::array;

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
    const fn payload(self) -> (&'a [u8], &'a [u8]) {
        match self {
            Self::Put(payload) => (payload, &[]),
            Self::PutWith(value, behind) => (value, behind),
            Self::Delete => (&TOMBSTONE, &[]),
        }
    }

    /// The tail behind this change, made at `tail`.
    fn end(self, tail: u64) -> u64 {
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
}

/// The entries of a commit, whose bytes are in place.
#[derive(Debug, Default)]
pub(crate) struct Appended {
    placed: Vec<Placed>,
    /// What was live for the key of each, and the span that it gives up. On a medium in memory that is looked up only when the
    /// entries are published, once, as it cannot fail.
    before: Vec<Option<(Extent, u64)>>,
}

impl Appended {
    /// Takes an entry in that is about to be written; all that can fail about it fails here.
    #[inline]
    pub(crate) fn add<B: Backing>(
        &mut self,
        generation: &Generation<B>,
        planned: &Planned,
    ) -> Result<()> {
        if !B::IN_MEMORY {
            let before = generation.locate(planned.placed.key_hash)?;
            let before = before.map(|located| (located.extent, span_of(located.payload_len())));
            self.before.push(before);
        }
        self.placed.push(planned.placed);
        Ok(())
    }

    /// Forgets all entries, and keeps memory for a good many others.
    fn clear(&mut self) {
        self.placed.clear();
        self.placed.shrink_to(KEPT_ENTRIES);
        self.before.clear();
        self.before.shrink_to(KEPT_ENTRIES);
    }

    /// The entry at `extent`; they lie in order.
    fn at(&self, extent: Extent) -> Option<&Placed> {
        let offset = extent.metadata_offset();
        let at = self
            .placed
            .binary_search_by_key(&offset, |entry| entry.extent.metadata_offset())
            .ok()?;
        self.placed.get(at)
    }
}

impl Writer {
    /// Keeps the memory of a commit for the next one, which will hardly be of another size.
    pub(super) fn give_back(&mut self, mut appended: Appended) {
        appended.clear();
        self.appended = appended;
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

/// How many lookups ahead the lines of the index are fetched.
const AHEAD: usize = 16;

/// Entries of a batch that go to a medium in memory together, so that what is put together for them stays in the processor's
/// caches; their parts are as many as one system call takes.
const GROUP: usize = 511;

impl<B: Backing> Store<B> {
    /// Appends a change and publishes it; returns the new tail.
    pub(crate) fn commit_one(&self, key_hash: u64, change: Change<'_>) -> Result<u64> {
        let mut writer = self.lock_writer();
        self.commit_one_locked(&mut writer, key_hash, change)
    }

    /// The same, for a caller that had to look at the store under the lock first.
    pub(crate) fn commit_one_locked(
        &self,
        writer: &mut Writer,
        key_hash: u64,
        change: Change<'_>,
    ) -> Result<u64> {
        self.check_writable()?;
        let generation = self.current.load();
        let tail = generation.tail();
        let planned = Planned::of(tail, key_hash, change)?;
        let (value, behind) = change.payload();
        let mut appended = Appended::default();
        appended.add(&generation, &planned)?;
        append_or_cut(writer, &generation, || {
            generation
                .backing
                .write(tail, &[planned.pad(), value, behind, &planned.trailer()])
                .map_err(Error::io(APPEND))
        })?;
        self.settle(writer, &generation, &appended)
    }

    /// Appends changes in one pass and publishes them together; returns the new tail. The first error among them is the
    /// commit's, of which nothing shows then.
    pub(crate) fn commit_all<'a>(
        &self,
        changes: impl ExactSizeIterator<Item = Result<(u64, Change<'a>)>>,
    ) -> Result<u64> {
        let mut writer = self.lock_writer();
        self.commit_locked(&mut writer, changes)
    }

    /// The same, for a caller that had to look at the store under the lock first.
    pub(crate) fn commit_locked<'a>(
        &self,
        writer: &mut Writer,
        changes: impl ExactSizeIterator<Item = Result<(u64, Change<'a>)>>,
    ) -> Result<u64> {
        self.check_writable()?;
        let generation = self.current.load();
        let start = generation.tail();
        let mut appended = std::mem::take(&mut writer.appended);
        let published = append_or_cut(writer, &generation, || {
            append_all(&generation, start, &[], changes, &mut appended)
        })
        .and_then(|()| self.settle(writer, &generation, &appended));
        writer.give_back(appended);
        published
    }

    /// Makes changes count together, across a crash as well: one by itself, more behind a marker.
    pub(crate) fn commit_together(
        &self,
        writer: &mut Writer,
        changes: &[(u64, Change<'_>)],
    ) -> Result<u64> {
        match changes {
            [_, _, ..] => self.commit_atomically(writer, changes),
            _ => self.commit_locked(writer, changes.iter().copied().map(Ok)),
        }
    }

    /// Appends changes behind a marker, so that they are there together or not at all after a crash as well, and publishes them;
    /// returns the new tail.
    ///
    /// Where a sync is asked for, the marker is synced before the rest is written: no part of the rest is ever found without it.
    fn commit_atomically(&self, writer: &mut Writer, changes: &[(u64, Change<'_>)]) -> Result<u64> {
        self.check_writable()?;
        let generation = self.current.load();
        let start = generation.tail();
        let marker = marker_of(start, changes)?;
        let end_of_marker = start.saturating_add(length_of(&marker));
        let mut appended = std::mem::take(&mut writer.appended);
        let published = append_or_cut(writer, &generation, || {
            let changes = changes.iter().copied().map(Ok);
            if self.settings().durability == Durability::Sync {
                generation
                    .backing
                    .write(start, &[&marker])
                    .map_err(Error::io(APPEND))?;
                self.sync_generation(&generation)?;
                append_all(&generation, end_of_marker, &[], changes, &mut appended).inspect_err(
                    |_| {
                        // The marker is to go last: some of what it stands before may still come to the medium.
                        let cut = generation.backing.truncate(end_of_marker);
                        let _ = cut.map(|()| self.sync_generation(&generation));
                    },
                )
            } else {
                append_all(&generation, start, &marker, changes, &mut appended)
            }
        })
        .and_then(|()| self.settle(writer, &generation, &appended));
        writer.give_back(appended);
        published
    }

    /// Makes entries visible whose bytes are in place behind the tail, once they are stable if that is asked for, and returns the
    /// new tail.
    pub(super) fn settle(
        &self,
        writer: &mut Writer,
        generation: &Generation<B>,
        appended: &Appended,
    ) -> Result<u64> {
        let Some(last) = appended.placed.last() else {
            return Ok(generation.tail());
        };
        if self.settings().durability == Durability::Sync {
            self.sync_generation(generation)?;
        }
        Self::publish(writer, generation, appended);
        Ok(last.end())
    }

    fn publish(writer: &mut Writer, generation: &Generation<B>, appended: &Appended) {
        let start = generation.tail();
        let Some(last) = appended.placed.last() else {
            return;
        };
        generation.announce_tail(last.end());
        let mut live_span = generation.live_span();
        let mut hints: [Hint; AHEAD] = array::from_fn(|nth| {
            let entry = appended.placed.get(nth).unwrap_or(last);
            writer.index.hint(entry.key_hash)
        });
        for (at, entry) in appended.placed.iter().enumerate() {
            let Some(slot) = hints.get_mut(at % AHEAD) else {
                break;
            };
            let hint = *slot;
            if let Some(ahead) = appended.placed.get(at + AHEAD) {
                *slot = writer.index.hint(ahead.key_hash);
            }
            if let Some(hint) = hints.get((at + AHEAD / 2) % AHEAD) {
                writer.index.prefetch_further(*hint);
            }
            // The span that the entry before gives up, if it is found on the medium.
            let mut span_before = 0;
            let same = |extent: Extent| {
                if extent.metadata_offset() >= start {
                    let other = appended.at(extent);
                    other.is_some_and(|other| other.key_hash == entry.key_hash)
                } else if B::IN_MEMORY {
                    // Such a medium has every entry that the index names.
                    let located = generation.examine(extent).ok();
                    let located =
                        located.filter(|located| located.metadata.key_hash == entry.key_hash);
                    span_before = located.map_or(0, |located| span_of(located.payload_len()));
                    located.is_some()
                } else {
                    let before = appended.before.get(at).copied().flatten();
                    span_before = before.map_or(0, |(_, span)| span);
                    before.is_some_and(|(before, _)| before == extent)
                }
            };
            let replaced = if entry.extent.is_deletion() {
                writer.index.remove(entry.key_hash, same)
            } else {
                live_span += span_of(entry.payload_len);
                writer.index.put_at(hint, entry.extent, same)
            };
            if let Some(replaced) = replaced {
                let other = appended.at(replaced);
                let span = other.map_or(span_before, |other| span_of(other.payload_len));
                live_span = live_span.saturating_sub(span);
            }
        }
        generation.set_live_span(live_span);
        generation.publish_tail(last.end());
    }
}

pub(crate) const APPEND: &str = "append an entry";

/// Has `append` put bytes behind the tail. If it fails, what it left there is cut off, at once or before anything else is written:
/// whole entries may be among it, and the next opening would take them for committed ones.
pub(crate) fn append_or_cut<B: Backing, R>(
    writer: &mut Writer,
    generation: &Generation<B>,
    append: impl FnOnce() -> Result<R>,
) -> Result<R> {
    let cut = || generation.backing.truncate(generation.tail());
    if writer.must_cut {
        cut().map_err(Error::io(APPEND))?;
    }
    // True for a panic as well.
    writer.must_cut = true;
    let result = append();
    writer.must_cut = result.is_err() && cut().is_err();
    result
}

/// The whole entry, from `tail` on, that announces these changes.
fn marker_of(tail: u64, changes: &[(u64, Change<'_>)]) -> Result<Vec<u8>> {
    let offset = align_to_payload(tail);
    let end_of_marker = offset + BATCH_MARKER_SIZE + METADATA_SIZE;
    let end = changes
        .iter()
        .fold(end_of_marker, |end, (_, change)| change.end(end));
    check_end(tail, end.saturating_sub(tail))?;
    let payload = BatchMarker {
        offset,
        length: end - end_of_marker,
        entries: u64::try_from(changes.len()).unwrap_or(u64::MAX),
    }
    .serialize();
    let metadata = EntryMetadata::new(BATCH_HASH, tail, compute_checksum(&payload));
    Ok([pre_pad(tail), &payload, &metadata.serialize()].concat())
}

/// Appends all entries from `tail` on, where `lead` comes first. What lies between two values, the metadata of one and the pad of the next, is put
/// together first: fewer parts cost less, and values are not copied for it.
fn append_all<'a, B: Backing>(
    generation: &Generation<B>,
    mut tail: u64,
    mut lead: &[u8],
    mut changes: impl ExactSizeIterator<Item = Result<(u64, Change<'a>)>>,
    appended: &mut Appended,
) -> Result<()> {
    appended.placed.reserve(changes.len());
    // A medium that does not lie in memory has its own way to take much at once.
    let group_len = if B::IN_MEMORY { GROUP } else { changes.len() };
    let (mut between, mut ends) = (Vec::new(), Vec::new());
    while changes.len() > 0 {
        let start = tail;
        between.clear();
        ends.clear();
        between.extend_from_slice(lead);
        tail = tail.saturating_add(length_of(lead));
        lead = &[];
        for change in changes.by_ref().take(group_len) {
            let (key_hash, change) = change?;
            let planned = Planned::of(tail, key_hash, change)?;
            let (value, behind) = change.payload();
            appended.add(generation, &planned)?;
            between.extend_from_slice(planned.pad());
            ends.push((between.len(), value));
            between.extend_from_slice(behind);
            between.extend_from_slice(&planned.trailer());
            tail = planned.end();
        }
        let mut parts: Vec<&[u8]> = Vec::with_capacity(ends.len() * 2 + 1);
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
    Ok(())
}

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
    fn at(extent: Extent, payload_len: u64, metadata: EntryMetadata) -> Result<Self> {
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
    fn of(tail: u64, key_hash: u64, change: Change<'_>) -> Result<Self> {
        match change {
            Change::Put(payload) => {
                let checksum = compute_checksum(payload);
                Self::new(tail, key_hash, length_of(payload), checksum)
            }
            Change::PutWith(value, behind) => {
                let mut hasher = crc32fast::Hasher::new();
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

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
