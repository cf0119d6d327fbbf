//! CRC-32 without instructions for it: sixteen bytes at a time, each looked up in a table of its own; long ones are made short first.

use super::long;
use std::sync::LazyLock;

const POLYNOMIAL: u32 = 0xedb8_8320;
/// Bytes for one step.
const STEP: usize = 16;

/// What a register becomes by a byte that has `row` more behind it.
type Tables = [[u32; 256]; STEP];

static TABLES: LazyLock<Box<Tables>> = LazyLock::new(make);

fn make() -> Box<Tables> {
    let mut tables = Box::new([[0; 256]; STEP]);
    let mut before = [0; 256];
    for (register, byte) in before.iter_mut().zip(0..) {
        *register = (0..8).fold(byte, |register: u32, _| {
            register >> 1 ^ POLYNOMIAL & 0_u32.wrapping_sub(register & 1)
        });
    }
    let first = before;
    for row in tables.iter_mut() {
        *row = before;
        for register in &mut before {
            *register = *register >> 8 ^ of(&first, u64::from(*register));
        }
    }
    tables
}

/// What the table has for the low byte.
#[inline]
fn of(table: &[u32; 256], bytes: u64) -> u32 {
    let [low, ..] = bytes.to_le_bytes();
    // A byte is below 256, which the compiler sees.
    table.get(usize::from(low)).copied().unwrap_or(0)
}

/// A checksum of bytes that come in pieces.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hasher {
    checksum: u32,
}

impl Hasher {
    pub(crate) const fn new() -> Self {
        Self::new_with_initial(0)
    }

    /// Goes on from the checksum of what comes before.
    pub(crate) const fn new_with_initial(checksum: u32) -> Self {
        Self { checksum }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.checksum = extend(self.checksum, bytes);
    }

    pub(crate) const fn finalize(self) -> u32 {
        self.checksum
    }
}

/// The checksum of `bytes`.
pub(crate) fn hash(bytes: &[u8]) -> u32 {
    extend(0, bytes)
}

fn extend(checksum: u32, bytes: &[u8]) -> u32 {
    let tables: &Tables = &TABLES;
    let mut register = !checksum;
    let mut bytes = bytes;
    if let Some((residual, rest)) = long::residual(register, bytes) {
        register = look_up(tables, 0, residual.as_flattened());
        bytes = rest;
    }
    !look_up(tables, register, bytes)
}

fn look_up(tables: &Tables, mut register: u32, bytes: &[u8]) -> u32 {
    let [
        t0,
        t1,
        t2,
        t3,
        t4,
        t5,
        t6,
        t7,
        t8,
        t9,
        t10,
        t11,
        t12,
        t13,
        t14,
        t15,
    ] = tables;
    let (steps, rest) = bytes.as_chunks::<STEP>();
    for step in steps {
        let ([low, high], _) = step.as_chunks::<8>() else {
            break;
        };
        let low = u64::from_le_bytes(*low) ^ u64::from(register);
        let high = u64::from_le_bytes(*high);
        register = of(t15, low) ^ of(t14, low >> 8) ^ of(t13, low >> 16) ^ of(t12, low >> 24);
        register ^= of(t11, low >> 32) ^ of(t10, low >> 40);
        register ^= of(t9, low >> 48) ^ of(t8, low >> 56);
        register ^= of(t7, high) ^ of(t6, high >> 8) ^ of(t5, high >> 16) ^ of(t4, high >> 24);
        register ^= of(t3, high >> 32) ^ of(t2, high >> 40);
        register ^= of(t1, high >> 48) ^ of(t0, high >> 56);
    }
    for byte in rest {
        register = register >> 8 ^ of(t0, u64::from(register) ^ u64::from(*byte));
    }
    register
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backing::device::seeded::Seeded;

    #[test]
    fn tables_give_what_instructions_give() {
        let mut random = Seeded::new(32);
        for length in (0..70).chain([255, 4096, 8191, 8192, 8193, 10_007, 50_000, 1_000_003]) {
            let bytes = random.bytes(length);
            let expected = crc32fast::hash(&bytes);
            assert_eq!(hash(&bytes), expected, "{length}");
            for cut in [0, 1, length / 3, length] {
                let (before, behind) = bytes.split_at(cut.min(length));
                let mut hasher = Hasher::new();
                hasher.update(before);
                let mut hasher = Hasher::new_with_initial(hasher.finalize());
                hasher.update(behind);
                assert_eq!(hasher.finalize(), expected, "{length}, cut at {cut}");
            }
        }
        assert_eq!(hash(b"123456789"), 0xcbf4_3926);
    }
}
