//! How long a batch is that is announced before it is known, and what makes it so long in the end.
//!
//! Invariant: what a marker announces ends with a whole entry, to the byte: the batch takes no more requests than leave room for
//! something to fill the rest with, or none.

use super::super::append::{end_of_marker, marker};
use super::super::plan::{Change, check_end};
use crate::format::{
    EntryMetadata, FILLER_HASH, METADATA_SIZE, align_to_payload, compute_checksum, pre_pad,
};

/// A marker on stable storage behind the tail, with nothing behind it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Ahead {
    /// Where the marker ends.
    pub(super) from: u64,
    /// Where what it announces ends.
    pub(super) to: u64,
}

/// What a filler holds; not zeros, which could be a deletion.
const FILL: u8 = 0x20;

impl Ahead {
    /// How many of the changes, in their order, can be made behind the marker.
    pub(super) fn fitting(self, changes: &[(u64, Change<'_>)]) -> usize {
        let (mut end, mut fitting) = (self.from, 0);
        for (count, (_, change)) in (1..).zip(changes) {
            end = change.end(end);
            if end > self.to {
                break;
            }
            if end == self.to || least_filled(end) <= self.to {
                fitting = count;
            }
        }
        fitting
    }

    /// A marker at `tail` for a group that will be like `changes`, which took `span` bytes, and have room for `waiting` bytes
    /// more. `None` if the file ends before that.
    pub(super) fn announce(
        tail: u64,
        changes: &[(u64, Change<'_>)],
        span: u64,
        waiting: u64,
    ) -> Option<(Self, Vec<u8>)> {
        let room = span.saturating_add(waiting);
        let length = if waiting == 0 && are_alike(changes) {
            room
        } else {
            // Sizes differ a little from group to group; a request that does not fit waits for another sync.
            room.saturating_add(room / 8).saturating_add(128)
        };
        let from = end_of_marker(tail);
        check_end(from, length).ok()?;
        let ahead = Self {
            from,
            to: from + length,
        };
        Some((ahead, marker(tail, length, 0)))
    }
}

/// The entry that reaches from `end` to `to`; nothing if that is nowhere.
pub(super) fn filler(end: u64, to: u64) -> Vec<u8> {
    if end == to {
        return Vec::new();
    }
    let start = align_to_payload(end);
    let length = to.saturating_sub(METADATA_SIZE).saturating_sub(start);
    let payload = vec![FILL; usize::try_from(length).unwrap_or(0)];
    let metadata = EntryMetadata::new(FILLER_HASH, end, compute_checksum(&payload));
    [pre_pad(end), &payload, &metadata.serialize()].concat()
}

/// Where the shortest filler behind `end` ends.
const fn least_filled(end: u64) -> u64 {
    align_to_payload(end) + 1 + METADATA_SIZE
}

/// Whether the same number of other such changes would take the same space.
fn are_alike(changes: &[(u64, Change<'_>)]) -> bool {
    let mut spans = changes.iter().map(|(_, change)| change.end(0));
    let first = spans.next();
    spans.all(|span| Some(span) == first)
}
