//! Putting entries behind the tail, where nobody sees them yet.

use super::plan::{Appended, Change, Planned, check_end, length_of};
use super::{Generation, Store, Writer};
use crate::Durability;
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{
    BATCH_HASH, BATCH_MARKER_SIZE, BatchMarker, EntryMetadata, METADATA_SIZE, align_to_payload,
    compute_checksum, pre_pad,
};
use std::sync::atomic::Ordering;

/// Entries of a batch that go to a medium in memory together, so that what is put together for them stays in the processor's
/// caches; their parts are as many as one system call takes.
const GROUP: usize = 511;

pub(crate) const APPEND: &str = "append an entry";

impl<B: Backing> Store<B> {
    /// Has `append` put bytes behind the tail. If it fails, what it left there is cut off, at once or before anything else is
    /// written: whole entries may be among it, and the next opening would take them for committed ones.
    pub(super) fn append_or_cut<R>(
        &self,
        writer: &mut Writer,
        generation: &Generation<B>,
        append: impl FnOnce() -> Result<R>,
    ) -> Result<R> {
        self.before_append(writer, generation)?;
        let result = append();
        self.after_append(writer, generation, result.is_err());
        result
    }

    fn before_append(&self, writer: &mut Writer, generation: &Generation<B>) -> Result<()> {
        if writer.must_cut {
            self.check_writable()?;
            writer.ahead = None;
            let cut = generation.backing.truncate(generation.tail());
            cut.map_err(Error::io(APPEND))?;
        }
        // True for a panic as well.
        writer.must_cut = true;
        Ok(())
    }

    fn after_append(&self, writer: &mut Writer, generation: &Generation<B>, has_failed: bool) {
        let cut = || generation.backing.truncate(generation.tail());
        // A stable marker must not go before what it stands before is sure to be gone, and where a sync failed nothing is sure.
        let keeps_marker =
            self.settings().durability == Durability::Sync && self.latched.load(Ordering::Acquire);
        writer.must_cut = has_failed && (keeps_marker || cut().is_err());
    }
}

/// The tail behind changes that are made one after the other from `start` on.
pub(super) fn end_of(start: u64, changes: &[(u64, Change<'_>)]) -> u64 {
    let changes = changes.iter();
    changes.fold(start, |end, (_, change)| change.end(end))
}

/// Where the marker ends that starts at `tail`.
pub(super) const fn end_of_marker(tail: u64) -> u64 {
    align_to_payload(tail) + BATCH_MARKER_SIZE + METADATA_SIZE
}

/// The whole entry, from `tail` on, that announces these changes.
pub(super) fn marker_of(tail: u64, changes: &[(u64, Change<'_>)]) -> Result<Vec<u8>> {
    let from = end_of_marker(tail);
    let end = end_of(from, changes);
    check_end(tail, end.saturating_sub(tail))?;
    let entries = u64::try_from(changes.len()).unwrap_or(u64::MAX);
    Ok(marker(tail, end - from, entries))
}

/// The whole entry, from `tail` on, that announces so many bytes behind it.
pub(super) fn marker(tail: u64, length: u64, entries: u64) -> Vec<u8> {
    let payload = BatchMarker {
        offset: align_to_payload(tail),
        length,
        entries,
    }
    .serialize();
    let metadata = EntryMetadata::new(BATCH_HASH, tail, compute_checksum(&payload));
    [pre_pad(tail), &payload, &metadata.serialize()].concat()
}

/// What goes before and behind the entries of an append, and belongs to it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around<'a> {
    pub(super) lead: &'a [u8],
    pub(super) trail: &'a [u8],
}

/// Appends all entries from `tail` on, where `lead` comes first. What lies between two values, the metadata of one and the pad of the next, is put
/// together first: fewer parts cost less, and values are not copied for it.
pub(super) fn append_all<B: Backing>(
    generation: &Generation<B>,
    mut tail: u64,
    around: Around<'_>,
    changes: &mut dyn ExactSizeIterator<Item = Result<(u64, Change<'_>)>>,
    appended: &mut Appended,
) -> Result<()> {
    let mut lead = around.lead;
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
        for change in (&mut *changes).take(group_len) {
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
        if changes.len() == 0 {
            between.extend_from_slice(around.trail);
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
