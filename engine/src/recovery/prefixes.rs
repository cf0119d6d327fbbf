//! The checksum of any payload: directly, or in constant time from checksums of the file's prefixes.
//!
//! Prefix checksums are compared *normalised*: with `N(a) = P(a) x^(-8a)`, the payload `a..b` has the checksum `c` exactly
//! when `N(a) = (P(b) + c) x^(-8b)`. Neither side depends on the other's offset: going through a file, the right side's factor
//! follows from one byte to the next, and the left side is remembered for starts that many candidates share.

use super::polynomial::{inverse_power, multiply};
use super::window::for_each_piece;
use crate::backing::Backing;
use crate::format::PAYLOAD_ALIGNMENT;
use crate::{Error, Result};
use std::io;
use std::ops::Range;

/// How far apart prefixes lie in small files: less makes the pass over the file slow and the table large, for little.
const LEAST_SPACING: u64 = 4 * PAYLOAD_ALIGNMENT;
/// The most memory that prefixes so near to each other may take; above it they lie farther apart.
const MAX_TABLE: u64 = 32 << 20;
/// The farthest apart they lie, whatever the file's size.
const MAX_SPACING: u64 = 4 << 10;
const MAX_SPACING_BYTES: usize = 4 << 10;

/// The CRC-32 of the bytes of `range`.
pub(super) fn checksum<B: Backing>(backing: &B, range: Range<u64>) -> Result<u32> {
    let mut hasher = crate::kernels::crc32::Hasher::new();
    for_each_piece(backing, range, |piece| {
        hasher.update(piece);
        Ok(())
    })?;
    Ok(hasher.finalize())
}

/// How many normalised checksums are remembered: 1 MiB of them.
const REMEMBERED: usize = 1 << 16;

/// Checksums of the prefixes that end at multiples of a spacing.
pub(super) struct Prefixes {
    spacing: u64,
    table: Vec<u32>,
    /// Where a prefix ends, and its normalised checksum.
    remembered: Vec<(u64, u32)>,
}

impl Prefixes {
    /// Reads the first `end` bytes once.
    pub(super) fn build<B: Backing>(backing: &B, end: u64) -> Result<Self> {
        let mut spacing = LEAST_SPACING;
        while spacing < MAX_SPACING && end / spacing >= MAX_TABLE / 4 {
            spacing *= 2;
        }
        let mut table = Vec::new();
        let count = usize::try_from(end / spacing + 1).unwrap_or(usize::MAX);
        table.try_reserve_exact(count).map_err(|_| Error::Io {
            doing: "reserve memory for the prefix checksums of a damaged store",
            source: io::Error::from(io::ErrorKind::OutOfMemory),
        })?;
        let mut prefix = 0;
        let piece_len = usize::try_from(spacing).unwrap_or(MAX_SPACING_BYTES);
        for_each_piece(backing, 0..end, |bytes| {
            for piece in bytes.chunks(piece_len) {
                table.push(prefix);
                prefix = extend(prefix, piece);
            }
            Ok(())
        })?;
        if end.is_multiple_of(spacing) {
            table.push(prefix);
        }
        // The empty prefix, whose checksum is 0, is at its place in a table of zeros.
        Ok(Self {
            spacing,
            table,
            remembered: vec![(0, 0); REMEMBERED],
        })
    }

    /// `N(at)`; reads a little of the file when `at` is no multiple of the spacing.
    #[inline]
    pub(super) fn normalised<B: Backing>(&mut self, backing: &B, at: u64) -> Result<u32> {
        let slot = usize::try_from(at / PAYLOAD_ALIGNMENT % REMEMBERED as u64).unwrap_or(0);
        if let Some(&(end, normalised)) = self.remembered.get(slot)
            && end == at
        {
            return Ok(normalised);
        }
        let normalised = multiply(self.plain(backing, at)?, inverse_power(at));
        if let Some(place) = self.remembered.get_mut(slot) {
            *place = (at, normalised);
        }
        Ok(normalised)
    }

    /// `P(at)`, the checksum of all bytes before `at`.
    pub(super) fn plain<B: Backing>(&self, backing: &B, at: u64) -> Result<u32> {
        let prefix = self.entry(at / self.spacing)?;
        let rest = at % self.spacing;
        if rest == 0 {
            return Ok(prefix);
        }
        let mut buffer = [0; MAX_SPACING_BYTES];
        let bytes = usize::try_from(rest)
            .ok()
            .and_then(|rest| buffer.get_mut(..rest))
            .unwrap_or_default();
        backing
            .read(at - rest, bytes)
            .map_err(Error::io("read the store"))?;
        Ok(extend(prefix, bytes))
    }

    fn entry(&self, index: u64) -> Result<u32> {
        usize::try_from(index)
            .ok()
            .and_then(|index| self.table.get(index).copied())
            .ok_or_else(|| super::window::short_read("read the prefix checksums"))
    }
}

fn extend(prefix: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crate::kernels::crc32::Hasher::new_with_initial(prefix);
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::sample::{Bytes, Random};

    #[test]
    fn every_range_is_judged_like_the_direct_checksum() {
        let bytes = Random::new(7).bytes(20_000);
        let backing = Bytes::new(bytes.clone());
        for spacing in [LEAST_SPACING, 1024] {
            let mut prefixes = Prefixes::build(&backing, 20_000).unwrap();
            prefixes.table = prefixes
                .table
                .into_iter()
                .step_by(usize::try_from(spacing / prefixes.spacing).unwrap())
                .collect();
            prefixes.spacing = spacing;
            for (start, end) in [
                (0, 1),
                (0, 20_000),
                (64, 65),
                (128, 9_999),
                (6_400, 6_463),
                (1024, 2048),
            ] {
                let direct = checksum(&backing, start..end).unwrap();
                let plain = prefixes.plain(&backing, end).unwrap();
                assert_eq!(
                    plain,
                    crate::kernels::crc32::hash(&bytes[..usize::try_from(end).unwrap()])
                );
                assert_eq!(
                    prefixes.normalised(&backing, start).unwrap(),
                    multiply(plain ^ direct, inverse_power(end)),
                    "{start}..{end}, spacing {spacing}"
                );
            }
        }
    }

    #[test]
    fn a_whole_number_of_pieces_has_its_last_prefix() {
        let whole = 2 * LEAST_SPACING;
        let bytes = vec![3; usize::try_from(whole).unwrap()];
        let prefixes = Prefixes::build(&Bytes::new(bytes.clone()), whole).unwrap();
        assert_eq!(
            prefixes.plain(&Bytes::new(bytes.clone()), whole).unwrap(),
            crate::kernels::crc32::hash(&bytes)
        );
    }
}
