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

/// Room is made for so many bytes of those who wait; a group of more of them is large enough.
const MOST_WAITING: u64 = 256 << 10;
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

    /// A marker at `tail` for a group that will be like `changes`, which took `span` bytes, with room for those who wait, who
    /// take `waiting` bytes. `None` if the largest offset comes before that.
    pub(super) fn announce(
        tail: u64,
        changes: &[(u64, Change<'_>)],
        span: u64,
        waiting: u64,
    ) -> Option<(Self, Vec<u8>)> {
        // No more than a group takes: what is not needed is filled.
        let room = span.saturating_add(waiting.min(MOST_WAITING));
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests {
    use super::*;
    use crate::backing::device::seeded::Seeded;
    use crate::format::Entry;

    #[test]
    fn what_fits_is_filled_to_the_byte() {
        let mut random = Seeded::new(5);
        let (mut fillers, mut exact) = (0, 0);
        for round in 0..3000 {
            let from = 52 + 64 * random.below(9);
            let ahead = Ahead {
                from,
                to: from + 21 + random.below(900),
            };
            let payload = [7; 150];
            let changes: Vec<_> = (0..=random.below(8))
                .map(|key| match random.len_below(4) {
                    0 => (key, Change::Delete),
                    1 => (key, Change::Put(&payload)),
                    _ => (
                        key,
                        Change::Put(payload.get(..1 + random.len_below(90)).unwrap()),
                    ),
                })
                .collect();
            let fitting = ahead.fitting(&changes);
            let ends = changes.iter().scan(from, |end, (_, change)| {
                *end = change.end(*end);
                Some(*end)
            });
            let ends: Vec<u64> = ends.collect();
            if let Some(next) = ends.get(fitting) {
                assert!(
                    least_filled(*next) > ahead.to && *next != ahead.to,
                    "{round}"
                );
            }
            let Some(&end) = fitting.checked_sub(1).and_then(|last| ends.get(last)) else {
                continue;
            };
            let filler = filler(end, ahead.to);
            assert_eq!(end + filler.len() as u64, ahead.to, "{round}");
            let Some(trailer) = filler.last_chunk() else {
                exact += 1;
                continue;
            };
            fillers += 1;
            let entry = Entry::parse(ahead.to, trailer).unwrap();
            assert_eq!(
                (entry.metadata.key_hash, entry.metadata.prev_offset),
                (FILLER_HASH, end)
            );
            assert!(!entry.is_tombstone, "{round}");
            let start = usize::try_from(entry.payload_offset - end).unwrap();
            let payload = filler.get(start..filler.len() - 20).unwrap();
            assert_eq!(compute_checksum(payload), entry.metadata.checksum);
        }
        assert!(fillers > 1000 && exact > 5, "{fillers} {exact}");
    }

    #[test]
    fn a_group_of_the_same_shape_fits_exactly() {
        let payload = [7; 300];
        for len in [1, 44, 45, 108, 300] {
            let changes = [(1, Change::Put(payload.get(..len).unwrap())); 5];
            let span =
                crate::store::append::end_of(end_of_marker(77), &changes) - end_of_marker(77);
            let (ahead, _) = Ahead::announce(1000, &changes, span, 0).unwrap();
            assert_eq!(ahead.fitting(&changes), 5);
            assert!(
                filler(crate::store::append::end_of(ahead.from, &changes), ahead.to).is_empty()
            );
            let (ahead, _) = Ahead::announce(1000, &changes, span, 1000).unwrap();
            assert_eq!(ahead.fitting(&changes), 5);
        }
        assert!(Ahead::announce(crate::format::MAX_OFFSET - 100, &[], 100, 0).is_none());
        let far = Ahead::announce(0, &[], 100, u64::MAX).unwrap().0;
        assert!(far.to < 1 << 20);
    }
}
