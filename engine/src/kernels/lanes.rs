//! Six numbers compared with one, all at once.

#[cfg(not(target_arch = "x86_64"))]
use portable as imp;
#[cfg(target_arch = "x86_64")]
use sse2 as imp;

/// Lanes there are.
pub(crate) const LANES: u32 = 6;

/// Lanes that are alike, to be taken one by one. A lane's bits lie where the comparison leaves them.
#[derive(Debug)]
pub(crate) struct Lanes(imp::Mask);

impl Lanes {
    /// Those of the lanes that equal `lane`; four are in `first`, lowest first, and two in `last`.
    #[inline]
    pub(crate) fn equal(first: u64, last: u32, lane: u16) -> Self {
        Self(imp::equal(first, last, lane))
    }
}

impl Iterator for Lanes {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(imp::lane_of(bit))
    }
}

/// SSE2 belongs to every x86-64.
#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi16, _mm_movemask_epi8, _mm_packs_epi16, _mm_set_epi64x, _mm_set1_epi16,
    };

    pub(super) type Mask = u32;

    #[inline]
    pub(super) fn equal(first: u64, last: u32, lane: u16) -> Mask {
        // SAFETY: every x86-64 has the instructions, and they work on registers alone.
        let bytes = unsafe {
            let lanes = _mm_set_epi64x(i64::from(last), first.cast_signed());
            let equal = _mm_cmpeq_epi16(lanes, _mm_set1_epi16(lane.cast_signed()));
            // A byte for each lane.
            _mm_movemask_epi8(_mm_packs_epi16(equal, equal))
        };
        // Without the two that do not exist.
        bytes.cast_unsigned() & 0b11_1111
    }

    #[inline]
    pub(super) const fn lane_of(bit: u32) -> u32 {
        bit
    }
}

/// Arithmetic on whole words.
#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    /// The lowest bit of each 16-bit lane.
    const LOWEST: u64 = 0x0001_0001_0001_0001;
    /// All bits of each lane but the highest.
    const LOWER: u64 = 0x7fff_7fff_7fff_7fff;

    pub(super) type Mask = u64;

    #[inline]
    pub(super) const fn equal(first: u64, last: u32, lane: u16) -> Mask {
        let pattern = lane as u64 * LOWEST;
        let first = zero_lanes(first ^ pattern);
        let last = zero_lanes(last as u64 ^ pattern) & 0x8000_8000;
        // A lane's highest bit, moved to where the lanes of both have places of their own.
        first >> 15 | last >> 14
    }

    #[inline]
    pub(super) const fn lane_of(bit: u32) -> u32 {
        bit / 16 + bit % 2 * 4
    }

    /// The highest bit of each lane that is zero, and no other.
    #[inline]
    const fn zero_lanes(lanes: u64) -> u64 {
        // No sum reaches the next lane.
        !(((lanes & LOWER) + LOWER) | lanes | LOWER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways against each lane by itself, where sums and neighbours could mislead them.
    #[test]
    fn equal_lanes_are_those_that_are_equal() {
        let values = [0, 1, 2, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff];
        for turn in 0..(if cfg!(miri) { 100 } else { 5000_u32 }) {
            let lane_at =
                |nth: u32| values[((turn / 8_u32.pow(nth % 4) + nth * turn) % 8) as usize];
            let joined = |from: u32, to: u32| {
                (from..to)
                    .rev()
                    .fold(0_u64, |all, nth| all << 16 | u64::from(lane_at(nth)))
            };
            let first = joined(0, 4);
            let last = u32::try_from(joined(4, 6)).unwrap();
            for value in values {
                let wanted: Vec<u32> = (0..LANES).filter(|&nth| lane_at(nth) == value).collect();
                let mut found: Vec<u32> = Lanes::equal(first, last, value).collect();
                found.sort_unstable();
                assert_eq!(found, wanted, "{value:#x} in turn {turn}");
                let mut mask = portable::equal(first, last, value);
                let mut found = Vec::new();
                while mask != 0 {
                    found.push(portable::lane_of(mask.trailing_zeros()));
                    mask &= mask - 1;
                }
                found.sort_unstable();
                assert_eq!(found, wanted, "{value:#x} in turn {turn}");
            }
        }
    }
}
