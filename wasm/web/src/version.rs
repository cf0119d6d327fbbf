//! Versions of values as JavaScript has them: numbers that an `f64` holds exactly.

/// Bits of an offset in the format, of which the lowest are 0 for a value.
const OFFSET_BITS: u32 = 48;
const ALIGNMENT_BITS: u32 = 6;
/// What remains of an `f64` for the checksum.
const CHECKSUM_BITS: u32 = 53 - (OFFSET_BITS - ALIGNMENT_BITS);

/// What tells a value from every other one of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Where the value lies, and as much of its checksum as there is room for: a value that was lost with the power may have had the
    /// place of another one.
    pub number: u64,
    /// Counts the compactions, which put other values where these were.
    pub generation: u32,
}

impl Version {
    /// From the engine's number, which has an offset below and 16 bits of a checksum above.
    pub const fn of(number: u64, generation: u32) -> Self {
        let place = (number & ((1 << OFFSET_BITS) - 1)) >> ALIGNMENT_BITS;
        let checksum = (number >> OFFSET_BITS) & ((1 << CHECKSUM_BITS) - 1);
        Self {
            number: place | checksum << (OFFSET_BITS - ALIGNMENT_BITS),
            generation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;
    use crate::number::{from_js, to_js};

    #[test]
    fn every_version_passes_through_a_float_and_none_is_anothers() {
        let mut seen = std::collections::BTreeSet::new();
        for place in [0, 1, 2, 1 << 20, (1 << 42) - 1] {
            for checksum in [0, 1, 2, 1023, 2047] {
                let version = Version::of(place << 6 | checksum << 48, 7);
                assert_eq!(from_js(to_js(version.number)), version.number);
                assert!(seen.insert(version.number));
                assert_eq!(version.generation, 7);
            }
        }
        assert_eq!(
            from_js(to_js(Version::of(u64::MAX, 0).number)),
            (1 << 53) - 1
        );
    }
}
