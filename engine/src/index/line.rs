//! The cache line: six entries, and how many went past it.
//!
//! A place is empty while its word is 0. An entry is stored tag first and word last (Release), so that who reads the word
//! (Acquire) after the tag has a pair that belonged together, or one whose extent the full hash in the file will refuse.

use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};

use super::extent::Extent;
use super::word;

/// Entries in a line.
pub(super) const LINE_PLACES: u32 = 6;
/// Lines in a chunk; fewer for Miri, which then sees segments split with the few keys it has time for.
pub(super) const CHUNK_LINES: u32 = if cfg!(miri) { 4 } else { 32 };
/// Entries in a chunk.
pub(super) const CHUNK_PLACES: u32 = CHUNK_LINES * LINE_PLACES;

/// One cache line of the index.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Line {
    words: [AtomicU64; LINE_PLACES as usize],
    /// The upper halves of the tags; what is left of them is in the words.
    tags: [AtomicU16; LINE_PLACES as usize],
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
    /// A bit for each place whose tag begins like this one, empty ones too. Without branches: which place it is cannot be
    /// predicted.
    #[inline]
    pub(super) fn matches(&self, tag: u32) -> u32 {
        let upper = word::upper(tag);
        bits(&self.tags, |at| at.load(Ordering::Relaxed) == upper)
    }

    /// The extent at `place`, if there is one and its tag ends like this one.
    #[inline]
    pub(super) fn extent_of(&self, place: u32, tag: u32) -> Option<Extent> {
        let word = self.words.get(place as usize)?.load(Ordering::Acquire);
        word::extent(word).filter(|_| word::ends_like(word, tag))
    }

    /// The extent at `place`, if there is one.
    pub(super) fn extent(&self, place: u32) -> Option<Extent> {
        word::extent(self.words.get(place as usize)?.load(Ordering::Acquire))
    }

    /// Whether an entry with this tag may lie further along the route.
    #[inline]
    pub(super) fn was_passed(&self, tag: u32) -> bool {
        self.passed.load(Ordering::Relaxed) >> cell(tag) & CELL_MAX != 0
    }

    /// The first empty place.
    #[inline]
    pub(super) fn vacancy(&self) -> Option<u32> {
        let places = bits(&self.words, |at| at.load(Ordering::Relaxed) == 0);
        (places != 0).then(|| places.trailing_zeros())
    }

    /// Stores an entry at `place`, which is empty. The writer's alone, as are all below.
    #[inline]
    pub(super) fn store(&self, place: u32, tag: u32, extent: Extent) {
        self.store_word(place, tag, word::new(tag, extent));
    }

    /// The same for an entry that comes from another line.
    #[inline]
    pub(super) fn store_word(&self, place: u32, tag: u32, word: u64) {
        let place = place as usize;
        if let (Some(to_tag), Some(to_word)) = (self.tags.get(place), self.words.get(place)) {
            to_tag.store(word::upper(tag), Ordering::Relaxed);
            to_word.store(word, Ordering::Release);
        }
    }

    /// Puts `extent` in the place of the one at `place`, which has the same tag.
    pub(super) fn replace(&self, place: u32, tag: u32, extent: Extent) {
        if let Some(at) = self.words.get(place as usize) {
            at.store(word::new(tag, extent), Ordering::Release);
        }
    }

    /// Empties `place`.
    pub(super) fn vacate(&self, place: u32) {
        if let Some(at) = self.words.get(place as usize) {
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
            for (word, tag) in line.words.iter().zip(&line.tags) {
                let word = word.load(Ordering::Acquire);
                if let Some(next) = to.entries.get_mut(to.len) {
                    *next = (word::tag(tag.load(Ordering::Relaxed), word), word);
                }
                to.len += usize::from(word != 0);
            }
        }
    }

    /// Makes a recycled chunk as good as new.
    pub(super) fn clear(&self) {
        for line in &self.lines {
            for word in &line.words {
                word.store(0, Ordering::Relaxed);
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
    tag >> 8 & 0b11100
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
        let [a, b] = [0x400, 0x800];
        assert!(!line.was_passed(a) && !line.was_passed(b));
        line.pass(a);
        line.pass(a);
        line.unpass(a);
        assert!(line.was_passed(a) && !line.was_passed(b));
        line.unpass(a);
        assert!(!line.was_passed(a));
        for _ in 0..20 {
            line.pass(0x1c00);
        }
        for _ in 0..20 {
            line.unpass(0x1c00);
        }
        assert!(
            line.was_passed(0x1c00),
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
        let tag = |n: u32| (n % 2) << 31;
        for n in 0..LINE_PLACES {
            assert_eq!(line.vacancy(), Some(n));
            line.store(n, tag(n), Extent::new((u64::from(n) + 1) * 64 + 1, 1));
        }
        assert_eq!(line.vacancy(), None);
        assert_eq!(
            (line.matches(tag(0)), line.matches(tag(1))),
            (0b01_0101, 0b10_1010)
        );
        line.vacate(3);
        assert_eq!((line.vacancy(), line.extent(3)), (Some(3), None));
        line.replace(2, tag(2), Extent::new(64 + 9, 9));
        assert_eq!(line.extent(2), Some(Extent::new(64 + 9, 9)));
        assert_eq!(line.extent_of(2, tag(2)), line.extent(2));
        assert_eq!(line.extent_of(2, 1 << 5), None);
    }
}
