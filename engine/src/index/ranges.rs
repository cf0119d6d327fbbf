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
/// Entries of the first part of a range, and of the longest ones.
const FIRST_PART: usize = 8;
const LONGEST_PART: usize = 1 << 8;

/// Entries by the range that their tags are in, each range in parts that do not move, in the order in which its entries came.
#[derive(Debug)]
pub(super) struct Ranges {
    mixer: Mixer,
    parts: Vec<Vec<Vec<Entry>>>,
    waiting: Vec<Entry>,
    dealt: usize,
}

impl Ranges {
    pub(super) const fn new(mixer: Mixer) -> Self {
        Self {
            mixer,
            parts: Vec::new(),
            waiting: Vec::new(),
            dealt: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.dealt + self.waiting.len()
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
        self.parts.resize_with(RANGES, Vec::new);
        self.dealt += self.waiting.len();
        for entry in self.waiting.drain(..) {
            let nth = self.mixer.tag(entry.0) >> (u32::BITS - RANGE_BITS);
            let Some(parts) = self.parts.get_mut(nth as usize) else {
                continue;
            };
            match parts.last_mut() {
                Some(part) if part.len() < part.capacity() => part.push(entry),
                last => {
                    let len = last.map_or(FIRST_PART, |part| (part.len() * 2).min(LONGEST_PART));
                    let mut part = Vec::with_capacity(len);
                    part.push(entry);
                    parts.push(part);
                }
            }
        }
    }

    /// All entries; those of one key come last first.
    pub(super) fn backwards(&self) -> impl Iterator<Item = Entry> {
        let dealt = self
            .parts
            .iter()
            .flatten()
            .rev()
            .flat_map(|part| part.iter().rev());
        self.waiting.iter().rev().chain(dealt).copied()
    }

    /// The parts of each range.
    pub(super) fn into_ranges(mut self) -> Vec<Vec<Vec<Entry>>> {
        self.deal();
        self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::Index;
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn entries_of_a_key_keep_their_order() {
        // None, fewer than are dealt out at a time, as many, and parts of all lengths.
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
            for (hash, extent) in ranges.backwards() {
                let offset = extent.metadata_offset();
                assert!(last.insert(hash, offset).is_none_or(|last| offset < last));
                met += 1;
            }
            assert_eq!(met, entries);
            let ranges = ranges.into_ranges();
            assert_eq!(ranges.len(), RANGES);
            for (nth, parts) in (0..).zip(&ranges) {
                for (hash, extent) in parts.iter().flatten() {
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
