//! The cache line: six entries, and how many went past it.
//!
//! A place is empty while its word is 0. An entry is stored tag first and word last (Release), so that who reads the word
//! (Acquire) after the tag has a pair that belonged together, or one whose extent the full hash in the file will refuse.

use crate::atomic::{AtomicU32, AtomicU64, Ordering};

use super::extent::Extent;
use super::word::{self, Candidate};
use crate::kernels::{LANES, Lanes};

/// Entries in a line.
pub(super) const LINE_PLACES: u32 = 6;

/// One cache line of the index.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Line {
    words: [AtomicU64; LINE_PLACES as usize],
    /// The lower parts of the tags, first place lowest; what is left of them is in the words.
    tags: AtomicU64,
    tags_of_last: AtomicU32,
    /// Eight counts of four bits, by [`cell`] of the tag: entries that lie further along their routes than here.
    passed: AtomicU32,
}

impl Line {
    /// The places whose tag ends like this one, empty ones too. All at once: which place it is cannot be predicted.
    #[inline]
    pub(super) fn matches(&self, tag: u32) -> Lanes {
        const { assert!(LANES == LINE_PLACES) };
        let first = self.tags.load(Ordering::Relaxed);
        let last = self.tags_of_last.load(Ordering::Relaxed);
        Lanes::equal(first, last, word::lower(tag))
    }

    #[inline]
    fn lower_of(&self, place: u32) -> u16 {
        if place < TAGS_IN_WORD {
            lane(self.tags.load(Ordering::Relaxed), place)
        } else {
            let tags = u64::from(self.tags_of_last.load(Ordering::Relaxed));
            lane(tags, place - TAGS_IN_WORD)
        }
    }

    #[inline]
    fn set_lower(&self, place: u32, lower: u16) {
        let with = |tags: u64, place: u32| {
            let shift = u16::BITS * place;
            tags & !(0xffff << shift) | u64::from(lower) << shift
        };
        if place < TAGS_IN_WORD {
            let tags = with(self.tags.load(Ordering::Relaxed), place);
            self.tags.store(tags, Ordering::Relaxed);
        } else {
            let tags = u64::from(self.tags_of_last.load(Ordering::Relaxed));
            let tags = with(tags, place - TAGS_IN_WORD) & 0xffff_ffff;
            self.tags_of_last.store(tags as u32, Ordering::Relaxed);
        }
    }

    /// What lies at `place`, if there is anything and its tag begins like this one.
    #[inline]
    pub(super) fn candidate(&self, place: u32, tag: u32) -> Option<Candidate> {
        let word = self.words.get(place as usize)?.load(Ordering::Acquire);
        (word != 0 && word::begins_like(word, tag)).then(|| Candidate::new(word))
    }

    /// The extent at `place`, if there is one.
    #[cfg(test)]
    fn extent(&self, place: u32) -> Option<Extent> {
        word::extent(self.words.get(place as usize)?.load(Ordering::Acquire))
    }

    /// Whether an entry with this tag may lie further along the route.
    #[inline]
    pub(super) fn was_passed(&self, tag: u32) -> bool {
        self.passed.load(Ordering::Relaxed) >> cell(tag) & CELL_MAX != 0
    }

    /// A bit for each empty place.
    #[inline]
    pub(super) fn vacancies(&self) -> u32 {
        (0..).zip(&self.words).fold(0, |places, (place, word)| {
            places | u32::from(word.load(Ordering::Relaxed) == 0) << place
        })
    }

    /// Stores an entry at `place`, which is empty. The writer's alone, as are all below.
    #[inline]
    pub(super) fn store(&self, place: u32, tag: u32, extent: Extent) {
        self.set_lower(place, word::lower(tag));
        if let Some(at) = self.words.get(place as usize) {
            at.store(word::new(tag, extent), Ordering::Release);
        }
    }

    /// Stores the word of an entry into a line that no reader knows yet; [`finish`](Self::finish) adds the rest.
    #[inline]
    pub(super) fn store_word(&self, place: u32, word: u64) {
        if let Some(at) = self.words.get(place as usize) {
            at.store(word, Ordering::Relaxed);
        }
    }

    /// Completes a line whose first words were stored: the rest are empty.
    #[inline]
    pub(super) fn finish(&self, draft: &Draft) {
        for word in self.words.iter().skip(draft.len as usize) {
            word.store(0, Ordering::Relaxed);
        }
        let (first, last) = draft.lowers.split_at(TAGS_IN_WORD as usize);
        let joined = |tags: &[u16]| {
            tags.iter()
                .rfold(0, |all, &tag| all << u16::BITS | u64::from(tag))
        };
        self.tags.store(joined(first), Ordering::Relaxed);
        self.tags_of_last
            .store((joined(last) & 0xffff_ffff) as u32, Ordering::Relaxed);
        self.passed.store(draft.passed, Ordering::Relaxed);
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
        self.passed
            .store(passed + more(passed, tag), Ordering::Relaxed);
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

/// Bytes of a line.
pub(super) const LINE_SIZE: usize = 64;

/// A line as it lies in a snapshot: its words, little-endian.
impl Line {
    /// The bytes of a line that nobody stores to meanwhile.
    pub(super) fn to_bytes(&self) -> [u8; LINE_SIZE] {
        let mut bytes = [0; LINE_SIZE];
        let (words, _) = bytes.as_chunks_mut::<8>();
        let last = u64::from(self.tags_of_last.load(Ordering::Relaxed))
            | u64::from(self.passed.load(Ordering::Relaxed)) << u32::BITS;
        let values = self.words.iter().chain([&self.tags]);
        let values = values.map(|word| word.load(Ordering::Relaxed));
        for (bytes, value) in words.iter_mut().zip(values.chain([last])) {
            *bytes = value.to_le_bytes();
        }
        bytes
    }

    /// Makes this, which nobody reads yet, the line of these bytes.
    pub(super) fn set_bytes(&self, bytes: &[u8; LINE_SIZE]) {
        let (words, _) = bytes.as_chunks::<8>();
        let mut values = words.iter().map(|bytes| u64::from_le_bytes(*bytes));
        for word in self.words.iter().chain([&self.tags]) {
            word.store(values.next().unwrap_or(0), Ordering::Relaxed);
        }
        let last = values.next().unwrap_or(0);
        self.tags_of_last
            .store((last & 0xffff_ffff) as u32, Ordering::Relaxed);
        self.passed
            .store((last >> u32::BITS) as u32, Ordering::Relaxed);
    }

    /// Shows every entry, as its tag and word.
    #[inline]
    pub(super) fn for_each(&self, mut visit: impl FnMut(u32, u64)) {
        for (place, word) in (0..).zip(&self.words) {
            let word = word.load(Ordering::Acquire);
            if word != 0 {
                visit(word::tag(self.lower_of(place), word), word);
            }
        }
    }

    /// Makes a recycled line as good as new.
    pub(super) fn clear(&self) {
        for word in &self.words {
            word.store(0, Ordering::Relaxed);
        }
        self.passed.store(0, Ordering::Relaxed);
    }
}

/// Places whose tags are in the first word of them.
const TAGS_IN_WORD: u32 = u64::BITS / u16::BITS;

/// One of the lanes.
#[inline]
const fn lane(lanes: u64, nth: u32) -> u16 {
    (lanes >> (u16::BITS * nth) & 0xffff) as u16
}

/// What is known of a line that is being filled, but for its words.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Draft {
    lowers: [u16; LINE_PLACES as usize],
    len: u8,
    passed: u32,
}

impl Draft {
    /// The place of another entry with this tag, if there is one left.
    #[inline]
    pub(super) fn add(&mut self, tag: u32) -> Option<u32> {
        let place = u32::from(self.len);
        *self.lowers.get_mut(place as usize)? = word::lower(tag);
        self.len += 1;
        Some(place)
    }

    /// As [`Line::pass`].
    pub(super) const fn pass(&mut self, tag: u32) {
        self.passed += more(self.passed, tag);
    }
}

const CELL_MAX: u32 = 15;

/// What to add to the counts for one more entry with this tag: nothing once its count is at its end.
#[inline]
const fn more(passed: u32, tag: u32) -> u32 {
    let counts = passed >> cell(tag) & CELL_MAX < CELL_MAX;
    (counts as u32) << cell(tag)
}

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
        assert_eq!(size_of::<Line>(), LINE_SIZE);
        assert_eq!(align_of::<Line>(), LINE_SIZE);
    }

    /// Snapshots are used where they lie, so their layout is that of memory.
    #[test]
    fn a_line_is_its_bytes() {
        let line = Line::default();
        for place in [0_u32, 2, 5] {
            let tag = (place + 1).wrapping_mul(0x9e37_79b9);
            line.store(place, tag, Extent::new(u64::from(place + 1) * 64 + 1, 1));
            line.pass(tag);
        }
        let bytes = line.to_bytes();
        let other = Line::default();
        other.set_bytes(&bytes);
        assert_eq!(other.to_bytes(), bytes);
        let list = |line: &Line| {
            let mut all = Vec::new();
            line.for_each(|tag, word| all.push((tag, word)));
            all
        };
        assert_eq!((list(&line), list(&line).len()), (list(&other), 3));
        let word = line.words[2].load(Ordering::Relaxed);
        assert_eq!(bytes[16..24], word.to_le_bytes());
        let passed = line.passed.load(Ordering::Relaxed);
        assert_eq!(bytes[60..], passed.to_le_bytes());
        assert_eq!(std::mem::offset_of!(Line, tags), 48);
        assert_eq!(std::mem::offset_of!(Line, tags_of_last), 56);
        assert_eq!(std::mem::offset_of!(Line, passed), 60);
    }

    /// The comparison of all tags at once against that of each, where sums and neighbours could mislead it.
    #[test]
    fn matches_are_those_of_the_places() {
        let lowers = [0, 1, 2, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff];
        let line = Line::default();
        for turn in 0..500_u32 {
            let of =
                |place: u32| lowers[((turn / 8_u32.pow(place % 3) + place * turn) % 8) as usize];
            for place in 0..LINE_PLACES {
                line.set_lower(place, of(place));
            }
            for place in 0..LINE_PLACES {
                assert_eq!(line.lower_of(place), of(place));
            }
            for lower in lowers {
                let mut found: Vec<u32> = line.matches(u32::from(lower) << 5).collect();
                found.sort_unstable();
                let wanted: Vec<u32> = (0..LINE_PLACES)
                    .filter(|&place| of(place) == lower)
                    .collect();
                assert_eq!(found, wanted, "{lower:#x} in turn {turn}");
            }
        }
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
        let tag = |n: u32| (n % 2) << 5 | 1 << 31;
        for n in 0..LINE_PLACES {
            assert_eq!(line.vacancies(), 0b11_1111 >> n << n);
            line.store(n, tag(n), Extent::new((u64::from(n) + 1) * 64 + 1, 1));
        }
        assert_eq!(line.vacancies(), 0);
        let places = |tag| {
            let mut places: Vec<u32> = line.matches(tag).collect();
            places.sort_unstable();
            places
        };
        assert_eq!(
            (places(tag(0)), places(tag(1))),
            (vec![0, 2, 4], vec![1, 3, 5])
        );
        line.vacate(3);
        assert_eq!((line.vacancies(), line.extent(3)), (1 << 3, None));
        line.replace(2, tag(2), Extent::new(64 + 9, 9));
        assert_eq!(line.extent(2), Some(Extent::new(64 + 9, 9)));
        let candidate = line.candidate(2, tag(2));
        assert_eq!(candidate.map(Candidate::extent), line.extent(2));
        assert!(line.candidate(2, 1 << 30).is_none());
    }
}
