//! Entries dealt out to ranges of tags as they come.
//!
//! Dealt out at the end, all of them would be moved at once, into as much memory again.

use super::extent::Extent;
use super::tag::Mixer;

/// The hash of a key, or its tag, and where an entry of it lies.
pub(super) type Entry = (u64, Extent);

pub(super) const RANGE_BITS: u32 = 8;
/// Ranges of tags.
const RANGES: usize = 1 << RANGE_BITS;
/// Entries that wait to be dealt out together; few enough that they stay in the nearest caches.
const MOST_WAITING: usize = 1 << 10;
/// Entries by the range that their tags are in, each range in the order in which its entries came.
#[derive(Debug)]
pub(super) struct Ranges {
    mixer: Mixer,
    dealt: Vec<Vec<Entry>>,
    waiting: Vec<Entry>,
    dealt_len: usize,
}

impl Ranges {
    pub(super) const fn new(mixer: Mixer) -> Self {
        Self {
            mixer,
            dealt: Vec::new(),
            waiting: Vec::new(),
            dealt_len: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.dealt_len + self.waiting.len()
    }

    #[inline]
    pub(super) fn push(&mut self, entry: Entry) {
        self.waiting.push(entry);
        if self.waiting.len() == MOST_WAITING {
            self.deal();
        }
    }

    #[cold]
    fn deal(&mut self) {
        self.dealt.resize_with(RANGES, Vec::new);
        self.dealt_len += self.waiting.len();
        for &entry in &self.waiting {
            let nth = self.mixer.tag(entry.0) >> (u32::BITS - RANGE_BITS);
            if let Some(range) = self.dealt.get_mut(nth as usize) {
                range.push(entry);
            }
        }
        self.waiting.clear();
    }

    /// All entries in slices to be read from behind: so those of one key come last first.
    pub(super) fn backwards(&self) -> impl Iterator<Item = &[Entry]> {
        let dealt = self.dealt.iter().map(Vec::as_slice);
        std::iter::once(&self.waiting[..]).chain(dealt)
    }

    /// The entries of each range.
    pub(super) fn into_ranges(mut self) -> Vec<Vec<Entry>> {
        self.deal();
        self.dealt
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::Index;
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn entries_of_a_key_keep_their_order() {
        // None, fewer than are dealt out at a time, as many, and many more.
        for entries in [0, 5, 1 << 10, if cfg!(miri) { 1100 } else { 300_000 }] {
            let mixer = Index::create().0.mixer;
            let mut ranges = Ranges::new(mixer);
            let hash = |entry: u64| (entry % 700).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let extent = |entry: u64| Extent::new((entry + 1) * 64, 1);
            for entry in 0..entries {
                ranges.push((hash(entry), extent(entry)));
            }
            assert_eq!(ranges.len() as u64, entries);
            let mut last = HashMap::new();
            let mut met = 0;
            for &(hash, extent) in ranges.backwards().flat_map(|slice| slice.iter().rev()) {
                let offset = extent.metadata_offset();
                assert!(last.insert(hash, offset).is_none_or(|last| offset < last));
                met += 1;
            }
            assert_eq!(met, entries);
            let ranges = ranges.into_ranges();
            assert_eq!(ranges.len(), RANGES);
            for (nth, range) in (0..).zip(&ranges) {
                for (hash, extent) in range {
                    assert_eq!(mixer.tag(*hash) >> (u32::BITS - RANGE_BITS), nth);
                    let offset = extent.metadata_offset();
                    assert!(last.insert(*hash, offset).is_none_or(|last| last <= offset));
                    met -= 1;
                }
            }
            assert_eq!(met, 0);
        }
    }
}
