//! The scan: the greatest offset at which a sound entry ends.
//!
//! Going backwards, blocks are first ruled out in bulk: the upper half of some `prev_offset` in them would have to be as
//! small as the file's own length is. What is left is judged by the payload's checksum: directly while a budget of
//! bytes lasts (the length of what is scanned and 16 MiB), and from then on from [`Prefixes`], in constant time. Any
//! content is thus judged in time that is linear in the file.
//!
//! The entry that a candidate points back to is not looked at: a sound entry behind a damaged one must be found, so
//! that opening refuses the file rather than cut off both.
//!
//! Metadata of nothing but zeros is never accepted here. A run of zeros is full of it, and the checksum of what lies before passes
//! through every value along such a run, so that 0 would be met by chance. [`recover`](super::recover()) accepts it where an
//! entry must end. Nor is a payload of one zero byte behind a pre-pad: no writer makes one, but a deletion copied to
//! another offset, as in the remains of a nested store, can look like it.

use super::polynomial::{append, divide_by_byte, inverse_power, multiply};
use super::prefixes::{Prefixes, checksum};
use super::window::{Window, short_read, slice};
use crate::backing::Backing;
use crate::format::{ENTRY_TRAILER, Entry, METADATA_SIZE, MIN_ENTRY_SIZE, TOMBSTONE};
use crate::{Error, Result};
use std::ops::Range;

/// Payloads up to here are read with the entry; longer ones on their own.
pub(super) const SMALL_PAYLOAD: u64 = 4 << 10;

/// What is read first, and how far reads grow.
const FIRST_READ: u64 = 64 << 10;
const LARGEST_READ: u64 = 1 << 20;
/// How many candidates are ruled out, or judged, together.
const BLOCK: usize = 4 << 10;
const SPARE_BUDGET: u64 = 16 << 20;

/// Where the upper half of `prev_offset` lies in an entry's trailer.
const UPPER_HALF: usize = 13;

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
        Self { window: Window::new(backing), end, budget: end.saturating_add(SPARE_BUDGET), prefixes: None }
    }

    pub(super) const fn window(&mut self) -> &mut Window<'b, B> {
        &mut self.window
    }

    /// Whether the payload has the checksum that its metadata say.
    #[inline]
    pub(super) fn is_sound(&mut self, entry: &Entry) -> Result<bool> {
        if entry.payload_len() <= SMALL_PAYLOAD {
            let actual = crc32fast::hash(self.window.bytes(entry.payload())?);
            return Ok(actual.to_le_bytes() == entry.metadata.checksum);
        }
        match self.judge_directly(entry)? {
            Some(verdict) => Ok(verdict),
            None => self.judge_by_prefixes(entry),
        }
    }

    /// The sound entry that ends last, at or below `ceiling`, and whose `prev_offset` is at least `floor`.
    pub(super) fn last_sound(&mut self, floor: u64, ceiling: u64) -> Result<Option<Entry>> {
        self.last_sound_of(floor, floor.saturating_add(MIN_ENTRY_SIZE), ceiling)
    }

    /// The same among those that end at `lowest` or later.
    pub(super) fn last_sound_of(&mut self, floor: u64, lowest: u64, ceiling: u64) -> Result<Option<Entry>> {
        let lowest = lowest.max(MIN_ENTRY_SIZE);
        let (mut high, mut length) = (ceiling.min(self.end), FIRST_READ);
        while high >= lowest {
            let low = high.saturating_sub(length).saturating_add(1).max(lowest);
            let bytes = low - MIN_ENTRY_SIZE..high;
            let view = self.window.backing().view(bytes.clone()).map_err(Error::io("read the store"))?;
            let trailers =
                slice(view.as_ref(), bytes.start, &bytes).ok_or_else(|| short_read("read the store"))?;
            if let Some(entry) = self.last_sound_in(floor, low, trailers)? {
                return Ok(Some(entry));
            }
            high = low - 1;
            length = (length * 2).min(LARGEST_READ);
        }
        Ok(None)
    }

    /// Looks at every entry that would end at `low` or later; the first of `bytes` is the first of that one's trailer.
    fn last_sound_in(&mut self, floor: u64, low: u64, bytes: &[u8]) -> Result<Option<Entry>> {
        let limit = u32::try_from(self.end >> 32).unwrap_or(u32::MAX);
        let count = (bytes.len() + 1).saturating_sub(ENTRY_TRAILER);
        let mut upper = count;
        while upper > 0 {
            let lower = upper.saturating_sub(BLOCK);
            let block = bytes.get(lower..upper + ENTRY_TRAILER - 1).unwrap_or_default();
            let first_end = low.saturating_add(lower as u64);
            upper = lower;
            if !may_hold_an_entry(block, limit) {
                continue;
            }
            let found = if self.prefixes.is_some() {
                self.search_by_prefixes(floor, first_end, block)?
            } else {
                self.search_directly(floor, first_end, block)?
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn search_directly(&mut self, floor: u64, first_end: u64, block: &[u8]) -> Result<Option<Entry>> {
        for (index, trailer) in block.array_windows().enumerate().rev() {
            let Some(entry) = candidate(floor, first_end.saturating_add(index as u64), trailer) else { continue };
            match self.judge_directly(&entry)? {
                Some(true) => return Ok(Some(entry)),
                Some(false) => {}
                None => return self.search_by_prefixes(floor, first_end, block),
            }
        }
        Ok(None)
    }

    /// Goes forward through the block, because `P(m)` and `x^(-8m)` follow from one byte to the next.
    fn search_by_prefixes(&mut self, floor: u64, first_end: u64, block: &[u8]) -> Result<Option<Entry>> {
        let backing = self.window.backing();
        let prefixes = self.prefixes()?;
        let mut found = None;
        let mut end = first_end;
        let mut prefix = prefixes.plain(backing, end - METADATA_SIZE)?;
        let mut weight = inverse_power(end - METADATA_SIZE);
        for trailer in block.array_windows() {
            if let Some(entry) = candidate(floor, end, trailer) {
                let stored = u32::from_le_bytes(entry.metadata.checksum);
                let sound = if entry.is_tombstone {
                    stored == crc32fast::hash(&TOMBSTONE)
                } else {
                    prefixes.normalised(backing, entry.payload_offset)? == multiply(prefix ^ stored, weight)
                };
                if sound {
                    found = Some(entry);
                }
            }
            let [_, next, ..] = trailer;
            prefix = append(prefix, *next);
            weight = divide_by_byte(weight);
            end = end.saturating_add(1);
        }
        Ok(found)
    }

    /// `None` when the budget does not allow it. Only failures are charged: sound payloads do not overlap.
    fn judge_directly(&mut self, entry: &Entry) -> Result<Option<bool>> {
        let cost = entry.payload_len();
        if self.prefixes.is_some() || cost > self.budget {
            return Ok(None);
        }
        let sound = has_its_checksum(self.window.backing(), entry)?;
        if !sound {
            self.budget -= cost;
        }
        Ok(Some(sound))
    }

    fn judge_by_prefixes(&mut self, entry: &Entry) -> Result<bool> {
        let backing = self.window.backing();
        let prefixes = self.prefixes()?;
        let stored = u32::from_le_bytes(entry.metadata.checksum);
        let m = entry.metadata_offset;
        let product = multiply(prefixes.plain(backing, m)? ^ stored, inverse_power(m));
        Ok(prefixes.normalised(backing, entry.payload_offset)? == product)
    }

    fn prefixes(&mut self) -> Result<&Prefixes> {
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

/// Whether the metadata in `trailer` are nothing but zeros.
pub(super) fn is_blank(trailer: &[u8; ENTRY_TRAILER]) -> bool {
    let [_, metadata @ ..] = trailer;
    *metadata == [0; ENTRY_TRAILER - 1]
}

/// How many of the first `length` bytes lie before the zeros at their end.
pub(super) fn length_without_zeros<B: Backing>(backing: &B, length: u64) -> Result<u64> {
    let (mut high, mut size) = (length, FIRST_READ);
    while high > 0 {
        let range: Range<u64> = high.saturating_sub(size)..high;
        let view = backing.view(range.clone()).map_err(Error::io("read the store"))?;
        let bytes = slice(view.as_ref(), range.start, &range).ok_or_else(|| short_read("read the store"))?;
        // In blocks, so that the compiler compares many bytes at a time.
        for (index, block) in bytes.rchunks(BLOCK).enumerate() {
            if block.iter().fold(0, |any, &byte| any | byte) != 0 {
                let zeros = index * BLOCK + block.iter().rev().take_while(|&&byte| byte == 0).count();
                return Ok(high.saturating_sub(zeros as u64));
            }
        }
        high = range.start;
        size = (size * 2).min(LARGEST_READ);
    }
    Ok(0)
}

/// The entry that ends at `end`, if its checksum is worth looking at.
#[inline]
fn candidate(floor: u64, end: u64, trailer: &[u8; ENTRY_TRAILER]) -> Option<Entry> {
    let prev: [u8; 8] = trailer.get(9..17)?.try_into().ok()?;
    let prev = u64::from_le_bytes(prev);
    if prev < floor || prev >= end || is_blank(trailer) {
        return None;
    }
    let [last_byte, ..] = trailer;
    Entry::parse(end, trailer).filter(|entry| entry.is_tombstone || entry.payload_len() > 1 || *last_byte != 0)
}

/// Whether any trailer in `block` may have a `prev_offset` whose upper half is at most `limit`; quick and never wrong to
/// say no.
fn may_hold_an_entry(block: &[u8], limit: u32) -> bool {
    let halves = block.get(UPPER_HALF..).unwrap_or_default();
    // One pass per phase: within it the words follow each other, which lets the compiler compare several at once.
    let mut any = false;
    for phase in 0..4 {
        let (words, _) = halves.get(phase..).unwrap_or_default().as_chunks();
        any |= words.iter().fold(false, |any, word| any | (u32::from_le_bytes(*word) <= limit));
    }
    any && block.iter().fold(0, |any, &byte| any | byte) != 0
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
        scan.last_sound(0, u64::MAX).unwrap().map(|entry| entry.end())
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
                !is_blank(trailer)
                    && Entry::parse(end as u64, trailer).is_some_and(|entry| {
                        let payload = usize::try_from(entry.payload_offset).unwrap()..end - 20;
                        crc32fast::hash(&bytes[payload]).to_le_bytes() == entry.metadata.checksum
                    })
            });
            let plain = plain.map(|end| end as u64);
            assert_eq!(last_sound(&bytes, false), plain, "round {round}");
            assert_eq!(last_sound(&bytes, true), plain, "round {round}");
        }
    }

    #[test]
    fn the_filter_lets_every_entry_through() {
        for offset in 0..BLOCK {
            let mut block = vec![0xff; BLOCK + ENTRY_TRAILER - 1];
            assert!(!may_hold_an_entry(&block, 0));
            block[offset + UPPER_HALF..offset + UPPER_HALF + 4].fill(0);
            assert!(may_hold_an_entry(&block, 0), "{offset}");
        }
        assert!(!may_hold_an_entry(&[0; 600], 0));
    }

    #[test]
    fn zeros_at_the_end_are_counted() {
        for length in [0_usize, 1, 4096, 4097, 70_000, 3 << 20] {
            for nonzero in [0, 1, length / 2, length] {
                let mut bytes = vec![0; length];
                bytes[..nonzero.min(length)].fill(1);
                let backing = Bytes::new(bytes);
                assert_eq!(length_without_zeros(&backing, length as u64).unwrap(), nonzero.min(length) as u64);
            }
        }
    }

    #[test]
    fn a_floor_leaves_out_what_began_before_it() {
        let sample = Sample::mixed();
        let backing = Bytes::new(sample.bytes.clone());
        let mut scan = Scan::new(&backing, sample.tail());
        for pair in sample.ends.windows(2) {
            let found = scan.last_sound(pair[0], pair[1]).unwrap().map(|entry| entry.end());
            assert_eq!(found, Some(pair[1]));
            assert!(scan.last_sound(pair[0], pair[1] - 1).unwrap().is_none());
        }
    }
}
