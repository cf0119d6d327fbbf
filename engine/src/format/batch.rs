//! The marker before the entries of an atomic batch: what it announces is there as a whole, or counts for nothing.
//!
//! An ordinary entry under a reserved key. It says where it lies itself, so that a copy at another place is none.

use super::checksum::compute_checksum;
use xxhash_rust::const_xxh3::xxh3_64;

/// The key hash of every marker: that of `tailstone/batch/1`.
pub const BATCH_HASH: u64 = xxh3_64(b"tailstone/batch/1");

/// Bytes of a marker's payload.
pub const BATCH_MARKER_SIZE: u64 = 32;
const SIZE: u32 = 32;
const LENGTH: usize = 32;
/// Bytes that the marker's own checksum covers.
const CHECKED: usize = 28;

/// What a marker announces; lengths and offsets in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchMarker {
    /// Where the marker's payload starts.
    pub offset: u64,
    /// From the end of the marker's entry to the end of the last entry of the batch.
    pub length: u64,
    /// How many entries the batch has; 0 if that was not known when the marker was written.
    pub entries: u64,
}

impl BatchMarker {
    /// The payload: offset, length and count (8 bytes each), the payload's own size (4) and the CRC-32 of all these (4),
    /// little-endian.
    #[must_use]
    pub fn serialize(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let fields = [self.offset, self.length, self.entries].map(u64::to_le_bytes);
        let size = SIZE.to_le_bytes();
        for (to, from) in bytes
            .iter_mut()
            .zip(fields.as_flattened().iter().chain(&size))
        {
            *to = *from;
        }
        let checksum = compute_checksum(bytes.get(..CHECKED).unwrap_or_default());
        if let Some(end) = bytes.last_chunk_mut() {
            *end = checksum;
        }
        bytes
    }

    /// The marker in a payload that starts at `offset`; `None` if it is none, or one that was made for another place.
    #[must_use]
    pub fn deserialize(offset: u64, payload: &[u8]) -> Option<Self> {
        let payload: &[u8; LENGTH] = payload.try_into().ok()?;
        let field = |nth: usize| {
            let bytes = payload.get(nth * 8..nth * 8 + 8)?;
            Some(u64::from_le_bytes(bytes.try_into().ok()?))
        };
        let marker = Self {
            offset: field(0)?,
            length: field(1)?,
            entries: field(2)?,
        };
        (marker.offset == offset && marker.serialize() == *payload).then_some(marker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{compute_hash, is_reserved_hash};

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        assert_eq!(compute_hash(b"tailstone/batch/1"), BATCH_HASH);
        assert!(is_reserved_hash(BATCH_HASH));
        assert_eq!(u64::try_from(LENGTH), Ok(BATCH_MARKER_SIZE));
        let marker = BatchMarker {
            offset: 0x0123_4567_89c0,
            length: 4321,
            entries: 17,
        };
        let bytes = marker.serialize();
        assert_eq!(
            BatchMarker::deserialize(marker.offset, &bytes),
            Some(marker)
        );
        assert_eq!(BatchMarker::deserialize(marker.offset + 64, &bytes), None);
        assert_eq!(BatchMarker::deserialize(marker.offset, &bytes[1..]), None);
        assert_eq!(BatchMarker::deserialize(marker.offset, &[]), None);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes;
                bytes[at] ^= 1 << bit;
                assert_eq!(BatchMarker::deserialize(marker.offset, &bytes), None);
            }
        }
        // As it lies in files, for good.
        assert_eq!(
            bytes[..28],
            [
                0xc0, 0x89, 0x67, 0x45, 0x23, 0x01, 0, 0, 0xe1, 0x10, 0, 0, 0, 0, 0, 0, 17, 0, 0,
                0, 0, 0, 0, 0, 32, 0, 0, 0
            ]
        );
    }
}
