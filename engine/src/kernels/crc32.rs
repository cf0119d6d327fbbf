//! CRC-32 (ISO-HDLC) of bytes: where the processor has instructions for it, by those; in wasm, which has none, by tables.
//!
//! Invariant: both give the same for the same bytes. The tables are made when they are first used: as constants they were the
//! largest single part of a module, and do not compress.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crc32fast::{Hasher, hash};
#[cfg(target_arch = "wasm32")]
pub(crate) use tables::{Hasher, hash};

#[cfg(any(target_arch = "wasm32", test))]
mod tables {
    //! Sixteen bytes at a time, each looked up in a table of its own.

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
                *register = *register >> 8 ^ of(&first, *register);
            }
        }
        tables
    }

    /// What the table has for the low byte.
    #[inline]
    fn of(table: &[u32; 256], low: u32) -> u32 {
        let [low, ..] = low.to_le_bytes();
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
        let mut register = !checksum;
        let (steps, rest) = bytes.as_chunks::<STEP>();
        for step in steps {
            let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = step.map(u32::from);
            let [r0, r1, r2, r3] = register.to_le_bytes().map(u32::from);
            register = of(t15, r0 ^ a) ^ of(t14, r1 ^ b) ^ of(t13, r2 ^ c) ^ of(t12, r3 ^ d);
            register ^= of(t11, e) ^ of(t10, f) ^ of(t9, g) ^ of(t8, h);
            register ^= of(t7, i) ^ of(t6, j) ^ of(t5, k) ^ of(t4, l);
            register ^= of(t3, m) ^ of(t2, n) ^ of(t1, o) ^ of(t0, p);
        }
        for byte in rest {
            register = register >> 8 ^ of(t0, register ^ u32::from(*byte));
        }
        !register
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::backing::device::seeded::Seeded;

        #[test]
        fn tables_give_what_instructions_give() {
            let mut random = Seeded::new(32);
            for length in (0..70).chain([255, 4096, 10_007]) {
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
}
