//! What rules bytes out in bulk: no entry here, nothing but zeros there.
//!
//! Loops over whole blocks without early exits, so that the compiler compares many bytes at a time.

use super::scan::{BLOCK, FIRST_READ, LARGEST_READ};
use super::window::{short_read, slice};
use crate::backing::Backing;
use crate::format::ENTRY_TRAILER;
use crate::{Error, Result};
use std::ops::Range;

/// Where the upper half of `prev_offset` lies in an entry's trailer.
const UPPER_HALF: usize = 13;

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
        let view = backing
            .view(range.clone())
            .map_err(Error::io("read the store"))?;
        let bytes = slice(view.as_ref(), range.start, &range)
            .ok_or_else(|| short_read("read the store"))?;
        for (index, block) in bytes.rchunks(BLOCK).enumerate() {
            if block.iter().fold(0, |any, &byte| any | byte) != 0 {
                let zeros =
                    index * BLOCK + block.iter().rev().take_while(|&&byte| byte == 0).count();
                return Ok(high.saturating_sub(zeros as u64));
            }
        }
        high = range.start;
        size = (size * 2).min(LARGEST_READ);
    }
    Ok(0)
}

/// Whether any trailer in `block` may have a `prev_offset` whose upper half is at most `limit`; quick and never wrong to
/// say no.
pub(super) fn may_hold_an_entry(block: &[u8], limit: u32) -> bool {
    let halves = block.get(UPPER_HALF..).unwrap_or_default();
    // One pass per phase: within it the words follow each other, which lets the compiler compare several at once.
    let mut any = false;
    for phase in 0..4 {
        let (words, _) = halves.get(phase..).unwrap_or_default().as_chunks();
        any |= words.iter().fold(false, |any, word| {
            any | (u32::from_le_bytes(*word) <= limit)
        });
    }
    any && block.iter().fold(0, |any, &byte| any | byte) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::sample::Bytes;

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
                assert_eq!(
                    length_without_zeros(&backing, length as u64).unwrap(),
                    nonzero.min(length) as u64
                );
            }
        }
    }
}
