//! The two digests of the format: XXH3-64 of keys and CRC-32 of payloads.

use xxhash_rust::xxh3::xxh3_64;

/// The 64-bit hash of a key: XXH3-64, seed 0, default secret.
#[must_use]
pub fn compute_hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// The hashes of several keys, in the order given.
#[must_use]
pub fn compute_hash_batch(keys: &[&[u8]]) -> Vec<u64> {
    keys.iter().map(|key| xxh3_64(key)).collect()
}

/// The checksum of a payload as stored: CRC-32/ISO-HDLC, little-endian.
#[must_use]
pub fn compute_checksum(payload: &[u8]) -> [u8; 4] {
    crate::kernels::crc32::hash(payload).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_digests() {
        for (key, hash) in [
            (&b""[..], 0x2d06_8005_38d3_94c2),
            (b"alice", 0x4da1_0dd6_1a01_16b0),
            (b"key1", 0x384d_070c_d5d8_29e2),
            (b"test_key", 0xe061_4cc5_ecbe_ed92),
        ] {
            assert_eq!(compute_hash(key), hash);
        }
        assert_eq!(
            compute_checksum(b"123456789"),
            0xcbf4_3926_u32.to_le_bytes()
        );
        assert_eq!(compute_checksum(&[0]), 0xd202_ef8d_u32.to_le_bytes());
    }
}
