//! The index snapshot: a dump of the key index at one tail, in two ordinary entries under one reserved key.
//!
//! The *body* holds the index as it lies in memory, and what listing keys needs. The *head* follows it, says what the body is and where, and
//! has the checksums of its parts: so the last entry of a file is a small one, and opening checks that alone. Both say where they lie, so
//! that a copy at another place is none.

use super::checksum::compute_checksum;
use xxhash_rust::const_xxh3::xxh3_64;

/// The key hash of both entries: that of `tailstone/index/1`.
pub const SNAPSHOT_HASH: u64 = xxh3_64(b"tailstone/index/1");

/// Bytes of a head before its segments.
const FIXED: usize = 112;
const FIXED_SIZE: u64 = 112;
const SEGMENT: usize = 8;
const SEGMENT_SIZE: u64 = 8;
const CHECKSUM_SIZE: u64 = 4;
/// Segments that a head may have: a multiple of what the largest file holds.
const MAX_SEGMENTS: u64 = 1 << 24;

/// One segment of the index: how many chunks it has and how many upper bits its tags share. Segments come in the order of their tags, and so
/// do their chunks in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotSegment {
    /// CRC-32 of its chunks.
    pub checksum: [u8; 4],
    /// How many chunks it has.
    pub chunks: u8,
    /// How many upper bits its tags share.
    pub depth: u8,
}

/// What the head says. Offsets and lengths are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotHead {
    /// Where the head's own payload starts.
    pub offset: u64,
    /// The tail whose index this is, where the body's entry starts.
    pub tail: u64,
    /// Length of the chunks, with which the body's payload starts.
    pub chunks_len: u64,
    /// Length of the ordered keys of buckets behind them; 0 if they were left out.
    pub keys_len: u64,
    /// CRC-32 of these.
    pub keys_checksum: [u8; 4],
    /// Bytes of a chunk.
    pub chunk_size: u32,
    /// Live keys.
    pub live_keys: u64,
    /// What the live values would take in a store of their own, each padded to its successor.
    pub live_span: u64,
    /// How the index mixes hashes.
    pub mixer: [u64; 3],
    /// The segments.
    pub segments: Vec<SnapshotSegment>,
}

impl SnapshotHead {
    /// The length of the payload of a head with so many segments.
    #[must_use]
    pub const fn length(segments: u64) -> u64 {
        FIXED_SIZE + segments * SEGMENT_SIZE + CHECKSUM_SIZE
    }

    /// The length that the payload says it has, if it may be a head that starts at `offset`. Asks for its first 16 bytes only.
    #[must_use]
    pub fn announced_length(offset: u64, start: &[u8]) -> Option<u64> {
        let own = u64_at(start, 0)?;
        let len = u64_at(start, 8)?;
        let longest = Self::length(MAX_SEGMENTS);
        (own == offset && (Self::length(1)..=longest).contains(&len)).then_some(len)
    }

    /// The payload; FORMAT.md has its layout.
    #[must_use]
    pub fn serialize(&self) -> Vec<u8> {
        let segments = u64::try_from(self.segments.len()).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        for field in [
            self.offset,
            Self::length(segments),
            self.tail,
            self.chunks_len,
            self.keys_len,
            self.live_keys,
            self.live_span,
        ] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        for field in self.mixer {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&self.chunk_size.to_le_bytes());
        bytes.extend_from_slice(&self.keys_checksum);
        bytes.extend_from_slice(&segments.to_le_bytes());
        bytes.extend_from_slice(&[0; 16]);
        for segment in &self.segments {
            bytes.extend_from_slice(&segment.checksum);
            bytes.extend_from_slice(&[segment.chunks, segment.depth, 0, 0]);
        }
        let checksum = compute_checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// The head in a payload that starts at `offset`; `None` if it is none, is damaged, or was made for another place.
    #[must_use]
    pub fn deserialize(offset: u64, payload: &[u8]) -> Option<Self> {
        let len = Self::announced_length(offset, payload)?;
        if u64::try_from(payload.len()).ok()? != len {
            return None;
        }
        let (checked, checksum) = payload.split_last_chunk::<4>()?;
        if compute_checksum(checked) != *checksum {
            return None;
        }
        let (fixed, segments) = checked.split_first_chunk::<FIXED>()?;
        let count = u64_at(fixed, 88)?;
        if Self::length(count.min(MAX_SEGMENTS)) != len {
            return None;
        }
        let (segments, rest) = segments.as_chunks::<SEGMENT>();
        if !rest.is_empty() {
            return None;
        }
        let segment = |bytes: &[u8; 8]| {
            let [a, b, c, d, chunks, depth, ..] = *bytes;
            SnapshotSegment {
                checksum: [a, b, c, d],
                chunks,
                depth,
            }
        };
        let small = |at: usize| fixed.get(at..)?.first_chunk::<4>().copied();
        Some(Self {
            offset,
            tail: u64_at(fixed, 16)?,
            chunks_len: u64_at(fixed, 24)?,
            keys_len: u64_at(fixed, 32)?,
            live_keys: u64_at(fixed, 40)?,
            live_span: u64_at(fixed, 48)?,
            mixer: [u64_at(fixed, 56)?, u64_at(fixed, 64)?, u64_at(fixed, 72)?],
            chunk_size: u32::from_le_bytes(small(80)?),
            keys_checksum: small(84)?,
            segments: segments.iter().map(segment).collect(),
        })
    }
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{compute_hash, is_reserved_hash};

    fn head() -> SnapshotHead {
        SnapshotHead {
            offset: 0x12_3440,
            tail: 0x0100,
            chunks_len: 4096,
            keys_len: 77,
            keys_checksum: [1, 2, 3, 4],
            chunk_size: 2048,
            live_keys: 300,
            live_span: 99_999,
            mixer: [u64::MAX, 3, 5],
            segments: vec![
                SnapshotSegment {
                    checksum: [9, 8, 7, 6],
                    chunks: 1,
                    depth: 1,
                };
                2
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        assert_eq!(compute_hash(b"tailstone/index/1"), SNAPSHOT_HASH);
        assert!(is_reserved_hash(SNAPSHOT_HASH));
        let head = head();
        let bytes = head.serialize();
        assert_eq!(bytes.len() as u64, SnapshotHead::length(2));
        assert_eq!(
            SnapshotHead::deserialize(head.offset, &bytes),
            Some(head.clone())
        );
        assert_eq!(SnapshotHead::deserialize(head.offset + 64, &bytes), None);
        for len in 0..bytes.len() {
            assert_eq!(SnapshotHead::deserialize(head.offset, &bytes[..len]), None);
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                assert_eq!(SnapshotHead::deserialize(head.offset, &bytes), None);
            }
        }
    }

    /// As it lies in files, for good.
    #[test]
    fn the_layout_stays() {
        let bytes = head().serialize();
        assert_eq!(bytes[..8], 0x12_3440_u64.to_le_bytes());
        assert_eq!(bytes[8..16], 132_u64.to_le_bytes());
        assert_eq!(bytes[80..88], [0, 8, 0, 0, 1, 2, 3, 4]);
        assert_eq!(bytes[88..96], 2_u64.to_le_bytes());
        assert_eq!(bytes[96..112], [0; 16]);
        assert_eq!(bytes[112..120], [9, 8, 7, 6, 1, 1, 0, 0]);
    }
}
