//! What a place holds: an extent and the beginning of a tag, in one word.
//!
//! A tag has 27 bits, its lower 16 beside the word and the upper 11 in it: the upper ones are much the same for all entries of
//! a line, so that the lower ones tell them apart. An extent takes the other 53: the payload's start, a multiple
//! of 64, in 42 bits and its length in 11. Lengths from [`LEN_END`] on are no lengths: they say that the other 48 bits are
//! where the metadata lies, of a payload that is too long for this or does not start at such a multiple, or of a deletion.

use super::extent::Extent;
use super::tag::LOST_BITS;
use std::ops::Range;

const START_BITS: u32 = 42;
const LEN_BITS: u32 = 11;
const UPPER_SHIFT: u32 = START_BITS + LEN_BITS;
/// Bits of a tag below those that a word keeps.
const BELOW_UPPER: u32 = LOST_BITS + u16::BITS;
const START_MASK: u64 = (1 << START_BITS) - 1;
const LEN_MASK: u64 = (1 << LEN_BITS) - 1;
const OFFSET_BITS: u32 = 48;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;
const EXTENT_MASK: u64 = (1 << UPPER_SHIFT) - 1;

/// Upper five bits of a length: metadata follow.
const LONG: u64 = 0b11111;
const DELETION: u64 = 0b11110;
/// The first length that is none, so that an extent does not keep it.
pub(crate) const LEN_END: u64 = DELETION << (OFFSET_BITS - START_BITS);

/// The word of an entry, never 0.
#[inline]
pub(super) const fn new(tag: u32, extent: Extent) -> u64 {
    let offset = extent.metadata_offset();
    let packed = match extent.payload_len() {
        Some(len) if len < LEN_END && offset.wrapping_sub(len) % 64 == 0 => {
            (len << START_BITS) | ((offset - len) / 64)
        }
        _ if extent.is_deletion() => DELETION << OFFSET_BITS | offset,
        _ => LONG << OFFSET_BITS | offset,
    };
    (((tag >> BELOW_UPPER) as u64) << UPPER_SHIFT) | packed
}

/// The extent in a word; `None` for 0.
#[inline]
pub(super) const fn extent(word: u64) -> Option<Extent> {
    let packed = word & EXTENT_MASK;
    let len = packed >> START_BITS & LEN_MASK;
    if len < LEN_END {
        if word == 0 {
            return None;
        }
        Some(Extent::new((packed & START_MASK) * 64 + len, len))
    } else if packed >> OFFSET_BITS == DELETION {
        Some(Extent::deletion(packed & OFFSET_MASK))
    } else {
        Some(Extent::new(packed & OFFSET_MASK, u64::MAX))
    }
}

/// An entry that may be the one looked for. What of it is asked for is taken out of its word then: a lookup is the faster the
/// less lies between its waits for memory.
#[derive(Debug, Clone, Copy)]
pub struct Candidate(u64);

impl Candidate {
    /// What lies in a place that is not empty.
    #[inline]
    pub(super) const fn new(word: u64) -> Self {
        debug_assert!(word != 0);
        Self(word)
    }

    /// The whole extent.
    #[inline]
    #[must_use]
    pub const fn extent(self) -> Extent {
        match extent(self.0) {
            Some(extent) => extent,
            None => Extent::new(0, 0),
        }
    }

    /// Where the payload lies, and its metadata behind it; `None` if the index keeps only where the metadata lies.
    #[inline]
    #[must_use]
    pub const fn payload(self) -> Option<Range<u64>> {
        let len = self.0 >> START_BITS & LEN_MASK;
        let start = (self.0 & START_MASK) * 64;
        if len < LEN_END {
            Some(start..start + len)
        } else {
            None
        }
    }
}

/// The part of a tag that lies beside the word.
#[inline]
pub(super) const fn lower(tag: u32) -> u16 {
    (tag >> LOST_BITS & 0xffff) as u16
}

/// Whether the rest of `tag` is what the word says.
#[inline]
pub(super) const fn begins_like(word: u64, tag: u32) -> bool {
    (word >> UPPER_SHIFT) as u32 == tag >> BELOW_UPPER
}

/// A whole tag from what lies beside a word and the word.
#[inline]
pub(super) const fn tag(lower: u16, word: u64) -> u32 {
    ((word >> UPPER_SHIFT) as u32) << BELOW_UPPER | (lower as u32) << LOST_BITS
}

#[cfg(test)]
mod tests {
    use super::super::tag::TAG_MASK;
    use super::*;

    #[test]
    fn words_give_back_what_they_were_made_of() {
        let last = (1 << 48) - 64;
        for tag_of in [0, TAG_MASK, 0xdead_bee0, 1 << 31, 1 << 5] {
            for start in [0, 64, 128, last - (1 << 16)] {
                for len in [1, 2, 150, LEN_END - 1] {
                    let extent_of = Extent::new(start + len, len);
                    let word = new(tag_of, extent_of);
                    assert_eq!(extent(word), Some(extent_of), "{start} {len}");
                    let candidate = Candidate::new(word);
                    assert_eq!(candidate.extent(), extent_of);
                    assert_eq!(candidate.payload(), Some(start..start + len));
                    assert_eq!(tag(lower(tag_of), word), tag_of);
                    assert!(begins_like(word, tag_of));
                    assert!(!begins_like(word, tag_of ^ 1 << 21));
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_keeps_its_place() {
        for offset in [1, 77, (1 << 48) - 1] {
            for len in [LEN_END, LEN_END + 1, 4096, 65_534, 1 << 40] {
                let candidate = Candidate::new(new(0, Extent::new(offset, len)));
                assert_eq!(candidate.payload(), None);
                let found = candidate.extent();
                assert_eq!(found.metadata_offset(), offset);
                assert_eq!((found.payload_len(), found.is_deletion()), (None, false));
            }
            let found = extent(new(TAG_MASK, Extent::deletion(offset))).unwrap();
            assert_eq!(found, Extent::deletion(offset));
        }
        assert_eq!(extent(0), None);
    }
}
