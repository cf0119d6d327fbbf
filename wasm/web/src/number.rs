//! Offsets between the engine, where they are `u64`, and JavaScript, where every number is an `f64`.
//!
//! The format's offsets stay below 2^48, so they pass through an `f64` exactly.

/// An offset, length or count for JavaScript.
#[expect(
    clippy::cast_precision_loss,
    reason = "the format's offsets stay below 2^48"
)]
pub const fn to_js(value: u64) -> f64 {
    value as f64
}

/// An offset or length from JavaScript. What is negative or not a number becomes 0, what is too large the maximum.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which the callers' range checks then see"
)]
pub const fn from_js(value: f64) -> u64 {
    value as u64
}

/// A length from JavaScript, of something that lies in memory.
pub fn length_from_js(value: f64) -> usize {
    usize::try_from(from_js(value)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{from_js, length_from_js, to_js};

    #[test]
    fn offsets_of_the_format_survive_the_way_there_and_back() {
        for offset in [
            0,
            1,
            21,
            u64::from(u32::MAX) + 1,
            5 << 30,
            (1 << 48) - 1,
            1 << 53,
        ] {
            assert_eq!(from_js(to_js(offset)), offset);
        }
    }

    #[test]
    fn odd_numbers_saturate() {
        assert_eq!(from_js(-1.0), 0);
        assert_eq!(from_js(f64::NAN), 0);
        assert_eq!(from_js(f64::INFINITY), u64::MAX);
        assert_eq!(length_from_js(1e300), usize::MAX);
    }
}
