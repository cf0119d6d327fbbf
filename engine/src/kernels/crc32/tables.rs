//! CRC-32 without instructions for it: sixteen bytes at a time, each looked up in a table of its own; long ones are made short first.

use super::long;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const POLYNOMIAL: u32 = 0xedb8_8320;
/// Bytes for one step.
const STEP: usize = 16;

type Table = [AtomicU32; 256];

/// What a register becomes by a byte that has as many more behind it as tables come before.
///
/// Each lies at an address that is in the instruction which looks it up: those of sixteen tables in a box did not fit into the
/// registers. Zeros take no room in a module, and what is atomic may change in a `static`; in wasm it is read as anything else is.
static TABLES: [Table; STEP] = [const { [const { AtomicU32::new(0) }; 256] }; STEP];
static MADE: AtomicBool = AtomicBool::new(false);

fn prepare() {
    if !MADE.load(Ordering::Acquire) {
        make();
    }
}

/// Threads that make them at the same time write the same.
#[cold]
fn make() {
    let [first, ..] = &TABLES;
    for (register, byte) in first.iter().zip(0..) {
        let made = (0..8).fold(byte, |register: u32, _| {
            register >> 1 ^ POLYNOMIAL & 0_u32.wrapping_sub(register & 1)
        });
        register.store(made, Ordering::Relaxed);
    }
    let all = TABLES.as_flattened();
    for (before, register) in all.iter().zip(all.iter().skip(first.len())) {
        let before = before.load(Ordering::Relaxed);
        register.store(before >> 8 ^ of(first, before), Ordering::Relaxed);
    }
    MADE.store(true, Ordering::Release);
}

/// What the table has for the low byte.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "where code is made small, every byte would take a call"
)]
fn of(table: &Table, bytes: u32) -> u32 {
    let [low, ..] = bytes.to_le_bytes();
    match table.get(usize::from(low)) {
        Some(register) => register.load(Ordering::Relaxed),
        // A byte is below 256, which the compiler sees.
        None => 0,
    }
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
#[must_use]
pub fn hash(bytes: &[u8]) -> u32 {
    extend(0, bytes)
}

fn extend(checksum: u32, bytes: &[u8]) -> u32 {
    prepare();
    !long::run(!checksum, bytes)
}

/// The checksum of `bytes` by tables alone, which is what a benchmark compares with.
#[must_use]
pub fn hash_by_tables(bytes: &[u8]) -> u32 {
    prepare();
    !look_up(!0, bytes)
}

/// What `register` becomes by `bytes`, from tables that are made.
pub(super) fn look_up(mut register: u32, bytes: &[u8]) -> u32 {
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
    ] = &TABLES;
    let (steps, mut rest) = bytes.as_chunks::<STEP>();
    for step in steps {
        let ([a, b, c, d], _) = step.as_chunks::<4>() else {
            break;
        };
        let (a, b) = (u32::from_le_bytes(*a) ^ register, u32::from_le_bytes(*b));
        let (c, d) = (u32::from_le_bytes(*c), u32::from_le_bytes(*d));
        register = of(t15, a) ^ of(t14, a >> 8) ^ of(t13, a >> 16) ^ of(t12, a >> 24);
        register ^= of(t11, b) ^ of(t10, b >> 8) ^ of(t9, b >> 16) ^ of(t8, b >> 24);
        register ^= of(t7, c) ^ of(t6, c >> 8) ^ of(t5, c >> 16) ^ of(t4, c >> 24);
        register ^= of(t3, d) ^ of(t2, d >> 8) ^ of(t1, d >> 16) ^ of(t0, d >> 24);
    }
    while let Some((word, left)) = rest.split_first_chunk() {
        let a = u32::from_le_bytes(*word) ^ register;
        register = of(t3, a) ^ of(t2, a >> 8) ^ of(t1, a >> 16) ^ of(t0, a >> 24);
        rest = left;
    }
    for byte in rest {
        register = register >> 8 ^ of(t0, register ^ u32::from(*byte));
    }
    register
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backing::device::seeded::Seeded;

    /// Miri takes minutes for what takes a second otherwise.
    const STRIDE: usize = if cfg!(miri) { 97 } else { 1 };

    #[test]
    fn every_short_length_at_every_alignment() {
        let mut random = Seeded::new(32);
        let bytes = random.bytes(700 + 16);
        for from in (0..16).step_by(STRIDE.min(5)) {
            for length in (0..=700).step_by(STRIDE) {
                let bytes = &bytes[from..from + length];
                let expected = crc32fast::hash(bytes);
                assert_eq!(hash(bytes), expected, "{length} at {from}");
                assert_eq!(hash_by_tables(bytes), expected, "{length} at {from}");
            }
        }
    }

    #[test]
    fn long_ones_at_any_alignment() {
        let mut random = Seeded::new(33);
        let bytes = random.bytes(70_000);
        // Up to there in steps that meet every remainder of a word, and the bounds between the ways.
        for length in (700..10_000)
            .step_by(17 * STRIDE)
            .chain(4080..4112)
            .chain([8192, 50_000, 69_985])
        {
            for from in [0, 1, 4, 15] {
                let bytes = &bytes[from..from + length];
                assert_eq!(hash(bytes), crc32fast::hash(bytes), "{length} at {from}");
            }
        }
        if !cfg!(miri) {
            let bytes = random.bytes((1 << 20) + 77);
            assert_eq!(hash(&bytes), crc32fast::hash(&bytes));
            for byte in [0, 255] {
                let bytes = vec![byte; 1 << 20];
                assert_eq!(hash(&bytes), crc32fast::hash(&bytes), "all {byte}");
            }
        }
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let mut random = Seeded::new(34);
        for round in 0..if cfg!(miri) { 3 } else { 300 } {
            let length = random.len_below(40_000);
            let bytes = random.bytes(length);
            let mut hasher = Hasher::new();
            let mut left = &bytes[..];
            while !left.is_empty() {
                // Short pieces and long ones.
                let most = [20, 700, 9_000][random.len_below(3)];
                let cut = random.len_below(most);
                let (piece, rest) = left.split_at(cut.min(left.len()));
                hasher.update(piece);
                hasher = Hasher::new_with_initial(hasher.finalize());
                left = rest;
            }
            assert_eq!(hasher.finalize(), crc32fast::hash(&bytes), "round {round}");
        }
        assert_eq!(hash(b"123456789"), 0xcbf4_3926);
    }
}
