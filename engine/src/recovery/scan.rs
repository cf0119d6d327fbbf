//! The scan: the greatest offset at which a sound entry ends.
//!
//! Going backwards, blocks are first ruled out in bulk: the upper half of some `prev_offset` in them would have to be as
//! small as the file's own length is. What is left is judged by the payload's checksum: directly while a budget of
//! bytes lasts (an eighth of what is scanned and 16 MiB), and from then on from [`Prefixes`], in constant time. Any
//! content is thus judged in time that is linear in the file.
//!
//! Within a block the shortest payloads are judged first, and candidates whose metadata overlap those of a sound entry
//! are passed over: a pre-pad behind metadata looks like the metadata of a "first entry", whose payload is the whole file.
//!
//! The entry that a candidate points back to is not looked at: a sound entry behind a damaged one must be found, so
//! that opening refuses the file rather than cut off both.
//!
//! Never accepted here, although well-formed:
//!
//! * metadata of nothing but zeros. A run of zeros is full of it, and the checksum of what lies before passes through every
//!   value along such a run, so that 0 would be met by chance. [`recover`](super::recover()) accepts it where an entry must end;
//! * a payload of one zero byte behind a pre-pad: no writer makes one, but a deletion copied to another offset, as in the
//!   remains of a nested store, can look like it;
//! * a `prev_offset` of 1 to 20, where no entry can end.
//!
//! A first entry whose key hash is 0 (callers may give hashes) is accepted when there is nothing else.

use super::polynomial::{inverse_power, multiply, steps};
use super::prefixes::{Prefixes, checksum};
use super::sieve::{is_blank, may_hold_an_entry};
use super::window::{Window, short_read, slice};
use crate::backing::Backing;
use crate::format::{ENTRY_TRAILER, Entry, METADATA_SIZE, MIN_ENTRY_SIZE, TOMBSTONE};
use crate::{Error, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Payloads up to here are read with the entry; longer ones on their own.
pub(super) const SMALL_PAYLOAD: u64 = 4 << 10;

/// What is read first, and how far reads grow.
pub(super) const FIRST_READ: u64 = 64 << 10;
pub(super) const LARGEST_READ: u64 = 1 << 20;
/// How many candidates are ruled out, or judged, together.
pub(super) const BLOCK: usize = 4 << 10;
const SPARE_BUDGET: u64 = 16 << 20;

/// What a search accepts.
struct Sought {
    /// The least `prev_offset`.
    floor: u64,
    /// The least end.
    lowest: u64,
    /// The greatest end.
    ceiling: u64,
    /// Whether a first entry may have the key hash 0.
    nameless: bool,
}

impl Sought {
    /// The entry that ends at `end`, if its checksum is worth looking at.
    #[inline]
    fn candidate(&self, end: u64, trailer: &[u8; ENTRY_TRAILER]) -> Option<Entry> {
        let prev: [u8; 8] = trailer.get(9..17)?.try_into().ok()?;
        let prev = u64::from_le_bytes(prev);
        if prev < self.floor || prev >= end || (1..MIN_ENTRY_SIZE).contains(&prev) {
            return None;
        }
        let entry = Entry::parse(end, trailer)?;
        let [last_byte, ..] = trailer;
        let stray_zero = *last_byte == 0 && entry.payload_len() == 1 && !entry.is_tombstone;
        let nameless = prev == 0 && entry.metadata.key_hash == 0;
        (!stray_zero && (!nameless || self.nameless && !is_blank(trailer))).then_some(entry)
    }
}

/// Judges entries below a fixed offset, within one budget.
pub(super) struct Scan<'b, B: Backing> {
    window: Window<'b, B>,
    end: u64,
    budget: u64,
    prefixes: Option<Prefixes>,
}

impl<'b, B: Backing> Scan<'b, B> {
    /// A scan that will look at no byte at or past `end`.
    pub(super) const fn new(backing: &'b B, end: u64) -> Self {
        Self {
            window: Window::new(backing),
            end,
            budget: (end / 8).saturating_add(SPARE_BUDGET),
            prefixes: None,
        }
    }

    pub(super) const fn window(&mut self) -> &mut Window<'b, B> {
        &mut self.window
    }

    /// Whether the payload has the checksum that its metadata say.
    #[inline]
    pub(super) fn is_sound(&mut self, entry: &Entry) -> Result<bool> {
        if entry.payload_len() <= SMALL_PAYLOAD {
            let actual = crate::kernels::crc32::hash(self.window.bytes(entry.payload())?);
            return Ok(actual.to_le_bytes() == entry.metadata.checksum);
        }
        self.judge(entry)
    }

    /// The sound entry that ends last, at or below `ceiling`, and whose `prev_offset` is at least `floor`.
    pub(super) fn last_sound(&mut self, floor: u64, ceiling: u64) -> Result<Option<Entry>> {
        self.last_sound_of(floor, floor.saturating_add(MIN_ENTRY_SIZE), ceiling)
    }

    /// The same among those that end at `lowest` or later.
    pub(super) fn last_sound_of(
        &mut self,
        floor: u64,
        lowest: u64,
        ceiling: u64,
    ) -> Result<Option<Entry>> {
        let sought = Sought {
            floor,
            lowest: lowest.max(MIN_ENTRY_SIZE),
            ceiling: ceiling.min(self.end),
            nameless: false,
        };
        match self.search(&sought)? {
            None if floor == 0 => self.search(&Sought {
                nameless: true,
                ..sought
            }),
            found => Ok(found),
        }
    }

    fn search(&mut self, sought: &Sought) -> Result<Option<Entry>> {
        let (mut high, mut length) = (sought.ceiling, FIRST_READ);
        let mut candidates = Vec::new();
        while high >= sought.lowest {
            let low = high
                .saturating_sub(length)
                .saturating_add(1)
                .max(sought.lowest);
            let bytes = low - MIN_ENTRY_SIZE..high;
            let view = self
                .window
                .backing()
                .view(bytes.clone())
                .map_err(Error::io("read the store"))?;
            let trailers = slice(view.as_ref(), bytes.start, &bytes)
                .ok_or_else(|| short_read("read the store"))?;
            if let Some(entry) = self.search_view(sought, low, trailers, &mut candidates)? {
                return Ok(Some(entry));
            }
            high = low - 1;
            length = (length * 2).min(LARGEST_READ);
        }
        self.judge_all(&mut candidates)
    }

    /// Looks at every entry that would end at `low` or later; the first of `bytes` is the first of that one's trailer.
    ///
    /// `candidates` are those from just above that may overlap with what is found here.
    fn search_view(
        &mut self,
        sought: &Sought,
        low: u64,
        bytes: &[u8],
        candidates: &mut Vec<Entry>,
    ) -> Result<Option<Entry>> {
        let limit = u32::try_from(self.end >> 32).unwrap_or(u32::MAX);
        let mut upper = (bytes.len() + 1).saturating_sub(ENTRY_TRAILER);
        while upper > 0 {
            let lower = upper.saturating_sub(BLOCK);
            let block = bytes
                .get(lower..upper + ENTRY_TRAILER - 1)
                .unwrap_or_default();
            let first_end = low.saturating_add(lower as u64);
            upper = lower;
            let promising = may_hold_an_entry(block, limit);
            if !promising && candidates.is_empty() {
                continue;
            }
            let found = if self.prefixes.is_some() {
                match self.judge_all(candidates)? {
                    None if promising => self.search_by_prefixes(sought, first_end, block)?,
                    found => found,
                }
            } else {
                if promising {
                    let ends = (first_end..).zip(block.array_windows());
                    candidates
                        .extend(ends.filter_map(|(end, trailer)| sought.candidate(end, trailer)));
                }
                let near = candidates.extract_if(.., |entry| {
                    entry.end() < first_end.saturating_add(METADATA_SIZE)
                });
                let near: Vec<Entry> = near.collect();
                let found = self.judge_all(candidates)?;
                *candidates = near;
                found
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The last sound one of `candidates`, which are used up.
    fn judge_all(&mut self, candidates: &mut Vec<Entry>) -> Result<Option<Entry>> {
        let shortest = candidates.iter().map(|entry| Reverse(entry.payload_len()));
        let mut shortest: BinaryHeap<_> = shortest.zip(0_usize..).collect();
        let mut left: u64 = candidates.iter().map(Entry::payload_len).sum();
        let mut last: Option<Entry> = None;
        while let Some(entry) = shortest.pop().and_then(|(_, nth)| candidates.get(nth)) {
            let passed_over =
                last.is_some_and(|last| entry.end() < last.end().saturating_add(METADATA_SIZE));
            if !passed_over {
                // Once they cannot all be judged directly, none of the long ones is.
                if entry.payload_len() > LARGEST_READ && left > self.budget {
                    self.prefixes()?;
                }
                if self.judge(entry)? {
                    last = Some(*entry);
                }
            }
            left -= entry.payload_len();
        }
        candidates.clear();
        Ok(last)
    }

    /// Goes forward through the block, because `P(m)` and `x^(-8m)` follow from one byte to the next.
    fn search_by_prefixes(
        &mut self,
        sought: &Sought,
        first_end: u64,
        block: &[u8],
    ) -> Result<Option<Entry>> {
        let backing = self.window.backing();
        let prefixes = self.prefixes()?;
        let mut found = None;
        let mut end = first_end;
        let mut prefix = prefixes.plain(backing, end - METADATA_SIZE)?;
        let mut weight = inverse_power(end - METADATA_SIZE);
        let steps = steps();
        for trailer in block.array_windows() {
            if let Some(entry) = sought.candidate(end, trailer) {
                let stored = u32::from_le_bytes(entry.metadata.checksum);
                let sound = if entry.is_tombstone {
                    stored == crate::kernels::crc32::hash(&TOMBSTONE)
                } else {
                    prefixes.normalised(backing, entry.payload_offset)?
                        == multiply(prefix ^ stored, weight)
                };
                if sound {
                    found = Some(entry);
                }
            }
            let [_, next, ..] = trailer;
            prefix = steps.append(prefix, *next);
            weight = steps.divide_by_byte(weight);
            end = end.saturating_add(1);
        }
        Ok(found)
    }

    /// Only failures are charged: sound payloads do not overlap.
    fn judge(&mut self, entry: &Entry) -> Result<bool> {
        let cost = entry.payload_len();
        if self.prefixes.is_none() && cost <= self.budget {
            let sound = has_its_checksum(self.window.backing(), entry)?;
            if !sound {
                self.budget -= cost;
            }
            return Ok(sound);
        }
        if entry.is_tombstone {
            return Ok(
                entry.metadata.checksum == crate::kernels::crc32::hash(&TOMBSTONE).to_le_bytes()
            );
        }
        let backing = self.window.backing();
        let prefixes = self.prefixes()?;
        let stored = u32::from_le_bytes(entry.metadata.checksum);
        let m = entry.metadata_offset;
        let product = multiply(prefixes.plain(backing, m)? ^ stored, inverse_power(m));
        Ok(prefixes.normalised(backing, entry.payload_offset)? == product)
    }

    fn prefixes(&mut self) -> Result<&mut Prefixes> {
        let built = match self.prefixes.take() {
            Some(built) => built,
            None => Prefixes::build(self.window.backing(), self.end)?,
        };
        Ok(self.prefixes.insert(built))
    }
}

/// Whether the payload of `entry` has the checksum that its metadata say; reads all of it.
pub(super) fn has_its_checksum<B: Backing>(backing: &B, entry: &Entry) -> Result<bool> {
    Ok(checksum(backing, entry.payload())?.to_le_bytes() == entry.metadata.checksum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::sample::{Bytes, Random, Sample};

    fn last_sound(bytes: &[u8], by_prefixes: bool) -> Option<u64> {
        let backing = Bytes::new(bytes.to_vec());
        let mut scan = Scan::new(&backing, bytes.len() as u64);
        if by_prefixes {
            scan.budget = 0;
        }
        scan.last_sound(0, u64::MAX)
            .unwrap()
            .map(|entry| entry.end())
    }

    #[test]
    fn both_ways_find_what_a_plain_search_finds() {
        let sample = Sample::mixed();
        let mut random = Random::new(11);
        for round in 0..150 {
            let mut bytes = sample.bytes[..random.below(sample.bytes.len())].to_vec();
            for _ in 0..round % 4 {
                let at = random.below(bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 0x40;
                }
            }
            let plain = (21..=bytes.len()).rev().find(|&end| {
                let trailer: &[u8; 21] = bytes[end - 21..end].try_into().unwrap();
                let sought = Sought {
                    floor: 0,
                    lowest: 0,
                    ceiling: u64::MAX,
                    nameless: false,
                };
                sought.candidate(end as u64, trailer).is_some_and(|entry| {
                    let payload = usize::try_from(entry.payload_offset).unwrap()..end - 20;
                    crate::kernels::crc32::hash(&bytes[payload]).to_le_bytes()
                        == entry.metadata.checksum
                })
            });
            let plain = plain.map(|end| end as u64);
            assert_eq!(last_sound(&bytes, false), plain, "round {round}");
            assert_eq!(last_sound(&bytes, true), plain, "round {round}");
        }
    }

    #[test]
    fn a_floor_leaves_out_what_began_before_it() {
        let sample = Sample::mixed();
        let backing = Bytes::new(sample.bytes.clone());
        let mut scan = Scan::new(&backing, sample.tail());
        for pair in sample.ends.windows(2) {
            let found = scan
                .last_sound(pair[0], pair[1])
                .unwrap()
                .map(|entry| entry.end());
            assert_eq!(found, Some(pair[1]));
            assert!(scan.last_sound(pair[0], pair[1] - 1).unwrap().is_none());
        }
    }
}
