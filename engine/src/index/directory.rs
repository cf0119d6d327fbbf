//! The segment of each tag, as of now: the only thing readers and the writer meet at.
//!
//! A slot for each value of a tag's upper bits; where a segment's depth is less than the directory's, several slots hold it.
//! A reader takes a [`Place`] here, looks into the segment, and then asks whether the place is
//! [`unchanged`](Directory::unchanged): if it is, the segment was in use all the while and what was seen there counts;
//! if not, its parts may have been recycled under the reader's eyes, and it looks again.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::arena::bytes_of;
use super::segment::{DEPTH_MAX, Segment};

/// Slots at every depth there was; those of lesser depths are out of use and stay, for readers that still look at them.
#[derive(Debug)]
pub(super) struct Directory {
    depth: AtomicU32,
    slots: [OnceLock<Box<[AtomicU64]>>; DEPTH_MAX as usize + 1],
}

/// Where a tag's segment was read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    depth: u32,
    slot: &'a AtomicU64,
    pub(super) segment: Segment,
}

impl Directory {
    /// One slot with one segment for all tags.
    pub(super) fn new(segment: Segment) -> Self {
        let slots: [OnceLock<Box<[_]>>; _] = [const { OnceLock::new() }; DEPTH_MAX as usize + 1];
        let [first, ..] = &slots;
        first.get_or_init(|| Box::new([AtomicU64::new(segment.to_word())]));
        Self {
            depth: AtomicU32::new(0),
            slots,
        }
    }

    /// Upper bits of a tag that name its slot.
    pub(super) fn depth(&self) -> u32 {
        self.depth.load(Ordering::Relaxed)
    }

    /// The segment of `tag`.
    #[inline]
    pub(super) fn place(&self, tag: u32) -> Option<Place<'_>> {
        let depth = self.depth.load(Ordering::Acquire);
        let slot = self
            .slots
            .get(depth as usize)?
            .get()?
            .get(prefix(tag, depth))?;
        Some(Place {
            depth,
            slot,
            segment: Segment::from_word(slot.load(Ordering::Acquire)),
        })
    }

    /// Whether `place` is what [`Self::place`] would say now, and so was all the time between.
    ///
    /// The fence pairs with the one in [`Self::publish`]: whoever saw a store into a recycled part also sees here that the
    /// segment it was taken from was replaced.
    #[inline]
    pub(super) fn unchanged(&self, place: &Place<'_>) -> bool {
        fence(Ordering::Acquire);
        place.slot.load(Ordering::Relaxed) == place.segment.to_word()
            && self.depth.load(Ordering::Relaxed) == place.depth
    }

    /// Gives all tags that share their upper bits with `tag`, as many as `segment` is deep, this segment. What
    /// was stored into its lines before is seen by whoever finds it; what the caller stores from now on into parts of
    /// the one replaced is seen by none who take it for that segment's. The writer's alone.
    pub(super) fn publish(&self, tag: u32, segment: Segment) {
        while self.depth() < segment.depth() {
            self.double();
        }
        let depth = self.depth();
        let each = 1_usize << (depth - segment.depth());
        let first = prefix(tag, segment.depth()) * each;
        let slots = self.slots.get(depth as usize).and_then(OnceLock::get);
        for slot in slots
            .and_then(|slots| slots.get(first..first + each))
            .into_iter()
            .flatten()
        {
            slot.store(segment.to_word(), Ordering::Release);
        }
        fence(Ordering::Release);
    }

    fn double(&self) {
        let depth = self.depth() as usize;
        if let (Some(from), Some(to)) = (
            self.slots.get(depth).and_then(OnceLock::get),
            self.slots.get(depth + 1),
        ) {
            let copy = |slot: &AtomicU64| AtomicU64::new(slot.load(Ordering::Relaxed));
            to.get_or_init(|| {
                from.iter()
                    .flat_map(|slot| [copy(slot), copy(slot)])
                    .collect()
            });
        }
        self.depth.store(self.depth() + 1, Ordering::Release);
    }

    /// What all slots take, the struct itself aside.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.slots
            .iter()
            .filter_map(OnceLock::get)
            .map(|slots| bytes_of::<AtomicU64>(slots.len()))
            .sum()
    }
}

/// The upper `depth` bits of `tag`.
#[inline]
fn prefix(tag: u32, depth: u32) -> usize {
    (u64::from(tag) << depth >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_find_the_segment_of_their_prefix() {
        let root = Segment::new(0, 1, 0);
        let directory = Directory::new(root);
        let segment_of = |tag| directory.place(tag).unwrap().segment;
        assert_eq!(segment_of(u32::MAX), root);

        let [low, high] = [Segment::new(1, 1, 1), Segment::new(2, 1, 1)];
        let place = directory.place(5).unwrap();
        assert!(directory.unchanged(&place));
        directory.publish(0, low);
        directory.publish(1 << 31, high);
        assert!(!directory.unchanged(&place));
        assert_eq!(
            (
                segment_of(0),
                segment_of(u32::MAX >> 1),
                segment_of(1 << 31)
            ),
            (low, low, high)
        );

        let deep = Segment::new(3, 1, 3);
        let place = directory.place(1 << 31).unwrap();
        directory.publish(0b010 << 29, deep);
        assert!(
            !directory.unchanged(&place),
            "doubling alone makes a reader look again"
        );
        assert_eq!(
            (
                segment_of(0b001 << 29),
                segment_of(0b010 << 29),
                segment_of(0b011 << 29)
            ),
            (low, deep, low)
        );
        assert_eq!(segment_of(u32::MAX), high);
        assert_eq!(directory.memory_bytes(), (1 + 2 + 4 + 8) * 8);

        directory.publish(0, Segment::new(4, 2, 1));
        assert_eq!(
            segment_of(0b011 << 29).row(),
            4,
            "all slots of a shallow segment change"
        );
    }
}
