//! The segment of each tag, as of now: the only thing readers and the writer meet at.
//!
//! A slot for each value of a tag's upper bits; where a segment's depth is less than the directory's, several slots hold it.
//! A reader takes a [`Place`] here, looks into the segment, and then asks whether the place is
//! [`unchanged`](Place::is_unchanged): if it is, the segment was in use all the while and what was seen there counts;
//! if not, its parts may have been recycled under the reader's eyes, and it looks again.

use crate::atomic::{Ordering, fence};
use std::sync::{Mutex, PoisonError};

use super::arena::{Arena, Link, bytes_of};
use super::segment::Segment;
use super::segments::Row;

/// The slots of the depth of now. Those of lesser depths are empty and stay, for readers that still look at them.
#[derive(Debug)]
pub(super) struct Directory {
    level: Link<Level>,
    levels: Arena<Level>,
    /// Held while slots change: the writer is not alone with that as long as segments of a snapshot come in.
    changes: Mutex<()>,
}

/// A slot for each value of the upper `depth` bits of a tag.
#[derive(Debug)]
struct Level {
    depth: u32,
    slots: Box<[Link<Row>]>,
}

/// Where a tag's segment was read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    slot: &'a Link<Row>,
    pub(super) head: u64,
    pub(super) segment: Segment<'a>,
}

impl<'a> Place<'a> {
    /// Where `slot` led to `row`. By now the row may be another segment, or on its way to become the slot's next one: its head is
    /// closed until that is complete, and no closed head is found again when the slot leads there.
    #[inline]
    fn of(slot: &'a Link<Row>, row: &'a Row) -> Self {
        let head = row.head();
        Self {
            slot,
            head,
            segment: row.segment_of(head),
        }
    }

    /// Whether this is what [`Directory::place`] would say now, and so was all the time between.
    ///
    /// The fence pairs with those of [`Directory::publish`] and of making a segment: whoever saw a store into a recycled part also
    /// sees here that the segment it was taken from was replaced, or that the row it had is another one's.
    #[inline]
    pub(super) fn is_unchanged(&self) -> bool {
        fence(Ordering::Acquire);
        let row = self.segment.row();
        self.slot.leads_to(row) && row.head() == self.head
    }
}

impl Directory {
    /// One slot, for all tags, that is still empty.
    pub(super) fn new() -> Self {
        Self::of_depth(0)
    }

    /// Empty slots for all values of so many upper bits.
    pub(super) fn of_depth(depth: u32) -> Self {
        let directory = Self {
            level: Link::none(),
            levels: Arena::new(),
            changes: Mutex::new(()),
        };
        let slots = (0..1_u64 << depth).map(|_| Link::none());
        directory.add(depth, slots.collect());
        directory
    }

    fn add(&self, depth: u32, slots: Box<[Link<Row>]>) {
        if let [level] = self.levels.add(Box::new([Level { depth, slots }])) {
            self.level.set(level);
        }
    }

    /// Upper bits of a tag that name its slot.
    pub(super) fn depth(&self) -> u32 {
        self.level.get().map_or(0, |level| level.depth)
    }

    /// The segment of `tag`; `None` while the directory is being doubled, when the next look will find it, or if it is still
    /// [dormant](super::dormant).
    #[inline]
    pub(super) fn place(&self, tag: u32) -> Option<Place<'_>> {
        let level = self.level.get()?;
        let slot = level.slots.get(prefix(tag, level.depth))?;
        Some(Place::of(slot, slot.get()?))
    }

    /// The same for the writer, for whom it is there.
    #[inline]
    pub(super) fn segment(&self, tag: u32) -> Option<Segment<'_>> {
        self.place(tag).map(|place| place.segment)
    }

    /// Gives all tags that share their upper bits with `tag`, as many as `segment` is deep, this segment, which is complete. What
    /// was stored into its lines before is seen by whoever finds it; what the caller stores from now on into parts of
    /// the one replaced is seen by none who take it for that segment's. The writer's alone, but for segments that nobody could find before.
    pub(super) fn publish(&self, tag: u32, segment: Segment<'_>) {
        let _alone = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        while self.depth() < segment.depth() {
            self.double();
        }
        let Some(level) = self.level.get() else {
            return;
        };
        segment.row().open(segment.chunks(), segment.depth());
        let each = 1_usize << (level.depth - segment.depth());
        let first = prefix(tag, segment.depth()) * each;
        for slot in level.slots.iter().skip(first).take(each) {
            slot.set(segment.row());
        }
        fence(Ordering::Release);
    }

    /// Every slot twice. The old ones are emptied, so that who took a place there before looks again.
    fn double(&self) {
        let Some(level) = self.level.get() else {
            return;
        };
        let copy = |slot: &Link<Row>| {
            let twin = Link::none();
            if let Some(row) = slot.get() {
                twin.set(row);
            }
            twin
        };
        let slots = level.slots.iter().flat_map(|slot| [copy(slot), copy(slot)]);
        self.add(level.depth + 1, slots.collect());
        level.slots.iter().for_each(Link::clear);
        fence(Ordering::Release);
    }

    /// What all slots take, the struct itself aside.
    pub(super) fn memory_bytes(&self) -> u64 {
        let levels = self.depth() + 1;
        bytes_of::<Link<Row>>((1 << levels) - 1) + bytes_of::<Level>(levels as usize)
    }
}

/// The upper `depth` bits of `tag`.
#[inline]
fn prefix(tag: u32, depth: u32) -> usize {
    (u64::from(tag) << depth >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::super::segments::{SegmentPool, Segments};
    use super::*;

    #[test]
    fn tags_find_the_segment_of_their_prefix() {
        let segments = Segments::new();
        let mut pool = SegmentPool::new();
        let mut make = |depth| pool.make(&segments, 1, depth);
        let directory = Directory::new();
        assert!(directory.place(0).is_none());
        let root = make(0);
        directory.publish(0, root);
        let is = |tag, segment: Segment<'_>| {
            std::ptr::eq(directory.segment(tag).unwrap().row(), segment.row())
        };
        assert!(is(u32::MAX, root));

        let [low, high] = [make(1), make(1)];
        let place = directory.place(5).unwrap();
        assert!(place.is_unchanged());
        directory.publish(0, low);
        directory.publish(1 << 31, high);
        assert!(!place.is_unchanged());
        assert!(is(0, low) && is(u32::MAX >> 1, low) && is(1 << 31, high));

        let deep = make(3);
        let place = directory.place(1 << 31).unwrap();
        directory.publish(0b010 << 29, deep);
        assert!(
            !place.is_unchanged(),
            "doubling alone makes a reader look again"
        );
        assert!(is(0b001 << 29, low) && is(0b010 << 29, deep) && is(0b011 << 29, low));
        assert!(is(u32::MAX, high));
        assert!(directory.memory_bytes() >= (1 + 2 + 4 + 8) * size_of::<usize>() as u64);

        let wider = make(1);
        directory.publish(0, wider);
        assert!(
            is(0b011 << 29, wider),
            "all slots of a shallow segment change"
        );
    }

    #[test]
    fn a_row_that_comes_back_to_its_slot_is_not_taken_for_what_it_was() {
        let segments = Segments::new();
        let mut pool = SegmentPool::new();
        let directory = Directory::new();
        let first = pool.make(&segments, 1, 0);
        directory.publish(0, first);
        let place = directory.place(9).unwrap();
        let second = pool.make(&segments, 2, 0);
        directory.publish(0, second);
        pool.unmake(first);
        let third = pool.make(&segments, 1, 0);
        directory.publish(0, third);
        assert!(std::ptr::eq(third.row(), first.row()));
        assert!(!place.is_unchanged());
    }

    /// A reader that stops between the slot and the head, while the row is made the slot's segment again.
    #[test]
    fn a_segment_is_not_taken_for_complete_before_it_is() {
        let segments = Segments::new();
        let mut pool = SegmentPool::new();
        let directory = Directory::new();
        let first = pool.make(&segments, 1, 0);
        directory.publish(0, first);
        let slot = &directory.level.get().unwrap().slots[0];
        let row = slot.get().unwrap();
        let second = pool.make(&segments, 2, 0);
        directory.publish(0, second);
        pool.unmake(first);
        let third = pool.make(&segments, 1, 0);
        assert!(std::ptr::eq(third.row(), row));
        let place = Place::of(slot, row);
        assert!(!place.is_unchanged());
        directory.publish(0, third);
        assert!(
            !place.is_unchanged(),
            "it was looked at before it was complete"
        );
        assert!(Place::of(slot, row).is_unchanged());
    }
}
