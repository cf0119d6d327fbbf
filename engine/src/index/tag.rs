//! Which bits of a hash the index keeps.
//!
//! Key hashes may be chosen by a caller, so they are mixed with numbers of this index that nobody outside knows: hashes that
//! share their upper or lower half, or any other pattern, spread like any others.

use std::hash::{BuildHasher, RandomState};

/// The lowest bits of a mixed hash are not kept.
pub(super) const LOST_BITS: u32 = 5;
/// The bits of a mixed hash that are its tag.
pub(super) const TAG_MASK: u32 = !0 << LOST_BITS;

/// How an index mixes hashes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mixer {
    mask: u64,
    first: u64,
    second: u64,
}

impl Mixer {
    /// A mixer of its own, from the system's randomness where there is any.
    pub(super) fn random() -> Self {
        if cfg!(loom) {
            // Loom repeats a run with one choice changed: all others have to be the same again.
            return Self {
                mask: 0x9e37_79b9_7f4a_7c15,
                first: 0xbf58_476d_1ce4_e5b9,
                second: 0x94d0_49bb_1331_11eb,
            };
        }
        let state = RandomState::new();
        Self {
            mask: state.hash_one(0_u8),
            first: state.hash_one(1_u8) | 1,
            second: state.hash_one(2_u8) | 1,
        }
    }

    /// What it mixes with.
    pub(super) const fn numbers(self) -> [u64; 3] {
        [self.mask, self.first, self.second]
    }

    /// A mixer with the numbers of another one; `None` for numbers that none has.
    pub(super) const fn from_numbers([mask, first, second]: [u64; 3]) -> Option<Self> {
        if first & second & 1 == 0 {
            return None;
        }
        Some(Self {
            mask,
            first,
            second,
        })
    }

    /// The tag of `hash`. One folded product would leave consecutive hashes on a lattice, which is uneven for some factors;
    /// two do not.
    #[inline]
    pub(super) fn tag(self, hash: u64) -> u32 {
        let mixed = fold(fold(hash ^ self.mask, self.first), self.second);
        (mixed >> 32) as u32 & TAG_MASK
    }
}

#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let (low, high) = left.carrying_mul(right, 0);
    low ^ high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of `hashes` by the upper six bits of their tags; each should be near a 64th.
    fn assert_even(what: &str, hashes: impl Iterator<Item = u64>) {
        let mixer = Mixer::random();
        let mut counts = [0_u32; 64];
        let mut total = 0;
        for hash in hashes {
            counts[(mixer.tag(hash) >> 26) as usize] += 1;
            total += 1;
        }
        let mean = total / 64;
        for count in counts {
            assert!(
                (mean * 3 / 4..=mean * 5 / 4).contains(&count),
                "{what}: {counts:?} with {mixer:?}"
            );
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of hashes")]
    fn patterns_spread_evenly() {
        let n = 1 << 16;
        for shift in 0..=48 {
            assert_even("one field counts", (0..n).map(move |i| i << shift));
        }
        assert_even(
            "equal upper halves",
            (0..n).map(|i| 0xdead_beef_0000_0000 | (i * 7919) & 0xffff_ffff),
        );
        assert_even(
            "equal lower halves",
            (0..n).map(|i| (i * 7919) << 32 | 0xdead_beef),
        );
        assert_even("both halves equal", (0..n).map(|i| i << 32 | i));
        assert_even("reversed bits", (0..n).map(u64::reverse_bits));
    }
}
