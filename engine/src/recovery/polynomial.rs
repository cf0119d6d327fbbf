//! Arithmetic of CRC-32 checksums: polynomials over GF(2) modulo the CRC's own, in its reflected bit order.
//!
//! A checksum is a polynomial, bit 31 its constant term. Appending `n` bytes multiplies it by x^(8n), so with `P(a)` the
//! checksum of the bytes before `a`, those of `a..b` have the checksum `P(b) + P(a) x^(8(b-a))` (the combination
//! that zlib's `crc32_combine` is known for). The polynomial is primitive: x has the order 2^32 - 1 and an inverse.

use std::sync::LazyLock;

const POLYNOMIAL: u32 = 0xedb8_8320;
const ONE: u32 = 1 << 31;
const X_4: u32 = 1 << 27;
const INVERSE_OF_X_8: u32 = backward_step(ONE, 8);
const DIGITS: usize = 8;

type Powers = [[u32; 256]; DIGITS];

/// x^(8 d 256^k) for the digit `d` and its place `k`: a length has eight digits. Made when first used: few files need
/// them, and as constants they were a tenth of a module for wasm.
static POWERS: LazyLock<Box<Powers>> = LazyLock::new(|| Box::new(powers(multiply(X_4, X_4))));
/// The same for x^(-8).
static INVERSE_POWERS: LazyLock<Box<Powers>> = LazyLock::new(|| Box::new(powers(INVERSE_OF_X_8)));
static STEPS: LazyLock<Box<Steps>> = LazyLock::new(|| Box::new(Steps::new()));

/// A byte forth in a checksum, and back in a polynomial.
pub(super) struct Steps {
    /// What the low byte of a register becomes after one more byte.
    forward: [u32; 256],
    /// What the upper byte of a polynomial becomes when it is divided by x^8.
    backward: [u32; 256],
}

/// The product of two polynomials.
#[inline]
pub(super) const fn multiply(a: u32, b: u32) -> u32 {
    let (mut product, mut multiple, mut bit) = (0, b, 32);
    while bit > 0 {
        bit -= 1;
        product ^= multiple & 0_u32.wrapping_sub(a >> bit & 1);
        multiple = multiple >> 1 ^ POLYNOMIAL & 0_u32.wrapping_sub(multiple & 1);
    }
    product
}

/// x^(8 `bytes`): what appending `bytes` bytes multiplies a checksum by.
pub(super) fn power(bytes: u64) -> u32 {
    raise(&POWERS, bytes)
}

/// x^(-8 `bytes`), the inverse of [`power`].
pub(super) fn inverse_power(bytes: u64) -> u32 {
    raise(&INVERSE_POWERS, bytes)
}

/// The tables for steps, made by the first call.
pub(super) fn steps() -> &'static Steps {
    &STEPS
}

impl Steps {
    fn new() -> Self {
        let mut steps = Self {
            forward: [0; 256],
            backward: [0; 256],
        };
        let places = steps.forward.iter_mut().zip(&mut steps.backward);
        for ((forward, backward), byte) in places.zip(0_u32..) {
            *forward = (0..8).fold(byte, |register, _| {
                register >> 1 ^ POLYNOMIAL & 0_u32.wrapping_sub(register & 1)
            });
            *backward = backward_step(byte << 24, 8);
        }
        steps
    }

    /// The checksum after one more byte.
    #[inline]
    pub(super) fn append(&self, checksum: u32, byte: u8) -> u32 {
        let register = !checksum;
        let [low, ..] = register.to_le_bytes();
        let place = usize::from(low ^ byte);
        !(register >> 8 ^ self.forward.get(place).copied().unwrap_or(0))
    }

    /// `polynomial` divided by x^8.
    #[inline]
    pub(super) fn divide_by_byte(&self, polynomial: u32) -> u32 {
        let [.., high] = polynomial.to_le_bytes();
        let place = usize::from(high);
        polynomial << 8 ^ self.backward.get(place).copied().unwrap_or(0)
    }
}

fn raise(table: &Powers, exponent: u64) -> u32 {
    let mut result = ONE;
    for (row, digit) in table.iter().zip(exponent.to_le_bytes()) {
        if digit != 0 {
            result = multiply(result, row.get(usize::from(digit)).copied().unwrap_or(ONE));
        }
    }
    result
}

fn powers(base: u32) -> Powers {
    let mut table = [[ONE; 256]; DIGITS];
    let mut unit = base;
    for row in &mut table {
        let mut power = ONE;
        for entry in row {
            *entry = power;
            power = multiply(power, unit);
        }
        // Of the next place: the 256th power of this one's.
        unit = power;
    }
    table
}

/// `polynomial` divided by x, `times` times.
const fn backward_step(mut polynomial: u32, times: u32) -> u32 {
    let mut left = times;
    while left > 0 {
        // Dividing undoes `register >> 1 ^ ..`: the correction is the only part of that which sets the top bit.
        let top = 0_u32.wrapping_sub(polynomial >> 31);
        polynomial = (polynomial ^ POLYNOMIAL & top) << 1 | top & 1;
        left -= 1;
    }
    polynomial
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_from_prefixes() {
        let bytes: Vec<u8> = (0..3000_u32)
            .map(|i| (i * i / 8).to_le_bytes()[0])
            .collect();
        for (a, b) in [
            (0, 0),
            (0, 1),
            (1, 2),
            (64, 65),
            (17, 2999),
            (64, 3000),
            (2048, 2052),
        ] {
            let shifted = multiply(
                crate::kernels::crc32::hash(&bytes[..a]),
                power((b - a) as u64),
            );
            assert_eq!(
                crate::kernels::crc32::hash(&bytes[..b]) ^ shifted,
                crate::kernels::crc32::hash(&bytes[a..b]),
                "{a}..{b}"
            );
        }
    }

    #[test]
    fn powers_and_their_inverses() {
        for bytes in [
            0,
            1,
            7,
            64,
            4096,
            1 << 31,
            (1 << 32) - 1,
            1 << 32,
            (1 << 48) - 5,
            u64::MAX,
        ] {
            assert_eq!(multiply(power(bytes), inverse_power(bytes)), ONE, "{bytes}");
        }
        assert_eq!(
            multiply(power(1 << 40), power(12345)),
            power((1 << 40) + 12345)
        );
        let mut down = 0x1234_5678;
        for bytes in 0..300 {
            assert_eq!(multiply(down, power(bytes)), 0x1234_5678);
            down = steps().divide_by_byte(down);
        }
    }

    #[test]
    fn appending_is_the_checksum() {
        let checksum = b"123456789"
            .iter()
            .fold(0, |checksum, &byte| steps().append(checksum, byte));
        assert_eq!(checksum, 0xcbf4_3926);
    }
}
