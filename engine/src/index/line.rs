//! The cache line: five entries, and how many went past it.
//!
//! A place is empty while its extent is 0. An entry is stored tag first and extent last (Release), so that who reads the extent
//! (Acquire) after the tag has a pair that belonged together, or one whose extent the full hash in the file will refuse.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::extent::Extent;

/// Entries in a line.
pub(super) const LINE_PLACES: u32 = 5;
/// Lines in a chunk; fewer for Miri, which then sees segments split with the few keys it has time for.
pub(super) const CHUNK_LINES: u32 = if cfg!(miri) { 4 } else { 32 };
/// Entries in a chunk.
pub(super) const CHUNK_PLACES: u32 = CHUNK_LINES * LINE_PLACES;

/// One cache line of the index.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Line {
    extents: [AtomicU64; LINE_PLACES as usize],
    tags: [AtomicU32; LINE_PLACES as usize],
    /// Eight counts of four bits, by [`cell`] of the tag: entries that lie further along their routes than here.
    passed: AtomicU32,
}

/// The unit of growth.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    lines: [Line; CHUNK_LINES as usize],
}

/// Entries on their way from one segment to another, as tags and words.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    entries: Vec<(u32, u64)>,
    len: usize,
}

impl Gathered {
    /// Forgets what was gathered, and makes room for the entries of so many chunks.
    pub(super) fn start(&mut self, chunks: u32) {
        let room = chunks as usize * CHUNK_PLACES as usize + 1;
        if self.entries.len() < room {
            self.entries.resize(room, (0, 0));
        }
        self.len = 0;
    }

    /// What was gathered.
    pub(super) fn entries(&self) -> &[(u32, u64)] {
        self.entries.get(..self.len).unwrap_or(&[])
    }

    /// The memory it takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        super::arena::bytes_of::<(u32, u64)>(self.entries.capacity())
    }
}

impl Line {
    /// A bit for each place with this tag, empty ones too. Without branches: which place it is cannot be predicted.
    #[inline]
    pub(super) fn matches(&self, tag: u32) -> u32 {
        bits(&self.tags, |at| at.load(Ordering::Relaxed) == tag)
    }

    /// The extent at `place`, if there is one.
    #[inline]
    pub(super) fn extent(&self, place: u32) -> Option<Extent> {
        Extent::from_word(self.extents.get(place as usize)?.load(Ordering::Acquire))
    }

    /// The tag at `place`, which means something only if there is an extent.
    pub(super) fn tag(&self, place: u32) -> u32 {
        self.tags
            .get(place as usize)
            .map_or(0, |tag| tag.load(Ordering::Relaxed))
    }

    /// Whether an entry with this tag may lie further along the route.
    #[inline]
    pub(super) fn was_passed(&self, tag: u32) -> bool {
        self.passed.load(Ordering::Relaxed) >> cell(tag) & CELL_MAX != 0
    }

    /// The first empty place.
    #[inline]
    pub(super) fn vacancy(&self) -> Option<u32> {
        let places = bits(&self.extents, |at| at.load(Ordering::Relaxed) == 0);
        (places != 0).then(|| places.trailing_zeros())
    }

    /// Stores an entry at `place`, which is empty. The writer's alone, as are all below.
    #[inline]
    pub(super) fn store(&self, place: u32, tag: u32, extent: Extent) {
        let place = place as usize;
        if let (Some(to_tag), Some(to_extent)) = (self.tags.get(place), self.extents.get(place)) {
            to_tag.store(tag, Ordering::Relaxed);
            to_extent.store(extent.to_word(), Ordering::Release);
        }
    }

    /// Puts `extent` in the place of the one at `place`.
    pub(super) fn replace(&self, place: u32, extent: Extent) {
        if let Some(at) = self.extents.get(place as usize) {
            at.store(extent.to_word(), Ordering::Release);
        }
    }

    /// Empties `place`.
    pub(super) fn vacate(&self, place: u32) {
        if let Some(at) = self.extents.get(place as usize) {
            at.store(0, Ordering::Release);
        }
    }

    /// An entry with this tag goes past this line; to be said before it is stored.
    #[inline]
    pub(super) fn pass(&self, tag: u32) {
        let passed = self.passed.load(Ordering::Relaxed);
        if passed >> cell(tag) & CELL_MAX < CELL_MAX {
            self.passed
                .store(passed + (1 << cell(tag)), Ordering::Relaxed);
        }
    }

    /// An entry with this tag that went past this line is gone. A count that reached its end stays there until the segment is
    /// rebuilt, as it may stand for more; only alike tags by the dozen come to that.
    pub(super) fn unpass(&self, tag: u32) {
        let passed = self.passed.load(Ordering::Relaxed);
        if (1..CELL_MAX).contains(&(passed >> cell(tag) & CELL_MAX)) {
            self.passed
                .store(passed - (1 << cell(tag)), Ordering::Relaxed);
        }
    }
}

impl Chunk {
    /// The line `nth` of this chunk, counted round.
    #[inline]
    pub(super) fn line(&self, nth: u32) -> &Line {
        const { assert!(CHUNK_LINES.is_power_of_two()) };
        #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
        &self.lines[(nth % CHUNK_LINES) as usize]
    }

    /// Appends the entries of this chunk to `to`, in the order of its lines, and counts them. Without branches on what is empty.
    pub(super) fn pour(&self, to: &mut Gathered) {
        for line in &self.lines {
            for (extent, tag) in line.extents.iter().zip(&line.tags) {
                let word = extent.load(Ordering::Acquire);
                if let Some(next) = to.entries.get_mut(to.len) {
                    *next = (tag.load(Ordering::Relaxed), word);
                }
                to.len += usize::from(word != 0);
            }
        }
    }

    /// Makes a recycled chunk as good as new.
    pub(super) fn clear(&self) {
        for line in &self.lines {
            for extent in &line.extents {
                extent.store(0, Ordering::Relaxed);
            }
            line.passed.store(0, Ordering::Relaxed);
        }
    }
}

/// A bit for each of `all` that `is` is true of.
#[inline]
fn bits<T, const N: usize>(all: &[T; N], is: impl Fn(&T) -> bool) -> u32 {
    (0..)
        .zip(all)
        .fold(0, |bits, (bit, at)| bits | u32::from(is(at)) << bit)
}

const CELL_MAX: u32 = 15;

/// By how many bits to shift for the count of `tag`; by other bits of it than those that choose home and step.
#[inline]
const fn cell(tag: u32) -> u32 {
    tag >> 2 & 0b11100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_cache_line() {
        assert_eq!(size_of::<Line>(), 64);
        assert_eq!(align_of::<Line>(), 64);
        assert_eq!(size_of::<Chunk>(), 64 * CHUNK_LINES as usize);
    }

    #[test]
    fn passing_is_counted_by_cell() {
        let line = Line::default();
        let [a, b] = [0x10, 0x20];
        assert!(!line.was_passed(a) && !line.was_passed(b));
        line.pass(a);
        line.pass(a);
        line.unpass(a);
        assert!(line.was_passed(a) && !line.was_passed(b));
        line.unpass(a);
        assert!(!line.was_passed(a));
        for _ in 0..20 {
            line.pass(0xff);
        }
        for _ in 0..20 {
            line.unpass(0xff);
        }
        assert!(
            line.was_passed(0xff),
            "a full count no longer knows, so it stays"
        );
        assert!(
            !line.was_passed(a) && !line.was_passed(b),
            "and it does not run over"
        );
    }

    #[test]
    fn places_fill_and_empty() {
        let line = Line::default();
        for n in 0..LINE_PLACES {
            assert_eq!(line.vacancy(), Some(n));
            line.store(n, n % 2, Extent::new(u64::from(n) + 1, 1));
        }
        assert_eq!(line.vacancy(), None);
        assert_eq!(
            (line.matches(0), line.matches(1), line.matches(2)),
            (0b10101, 0b01010, 0)
        );
        line.vacate(3);
        assert_eq!((line.vacancy(), line.extent(3)), (Some(3), None));
        line.replace(2, Extent::new(9, 9));
        assert_eq!((line.tag(2), line.extent(2)), (0, Some(Extent::new(9, 9))));
        assert_eq!((line.extent(5), line.tag(5)), (None, 0));
    }
}
