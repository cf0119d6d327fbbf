//! One entry: its metadata codec and the rule of well-formedness.

use super::limits::{ENTRY_TRAILER, METADATA_SIZE, MIN_ENTRY_SIZE, PAYLOAD_ALIGNMENT};
use std::ops::Range;

/// Zeros to pad with, before a payload.
pub const PADDING: [u8; 64] = [0; 64];

/// The first multiple of [`PAYLOAD_ALIGNMENT`] at or after `offset`.
#[must_use]
pub const fn align_to_payload(offset: u64) -> u64 {
    (offset + (PAYLOAD_ALIGNMENT - 1)) & !(PAYLOAD_ALIGNMENT - 1)
}

/// The zeros to write at tail `tail`, so that the payload behind them is aligned.
#[must_use]
pub fn pre_pad(tail: u64) -> &'static [u8] {
    let pad = align_to_payload(tail) - tail;
    usize::try_from(pad)
        .ok()
        .and_then(|pad| PADDING.get(..pad))
        .unwrap_or(&[])
}

/// The 20 bytes behind every payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryMetadata {
    /// XXH3-64 of the key.
    pub key_hash: u64,
    /// The tail before this entry, where its pre-pad starts.
    pub prev_offset: u64,
    /// CRC-32 of the payload, little-endian.
    pub checksum: [u8; 4],
}

impl EntryMetadata {
    /// Puts the three fields together.
    #[must_use]
    pub const fn new(key_hash: u64, prev_offset: u64, checksum: [u8; 4]) -> Self {
        Self {
            key_hash,
            prev_offset,
            checksum,
        }
    }

    /// The metadata as it lies in the file.
    #[must_use]
    #[expect(clippy::many_single_char_names, reason = "twenty bytes in their order")]
    pub const fn serialize(&self) -> [u8; 20] {
        let [a, b, c, d, e, f, g, h] = self.key_hash.to_le_bytes();
        let [i, j, k, l, m, n, o, p] = self.prev_offset.to_le_bytes();
        let [q, r, s, t] = self.checksum;
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t]
    }

    /// Reads metadata from the 20 bytes it takes in the file.
    #[must_use]
    #[expect(clippy::many_single_char_names, reason = "twenty bytes in their order")]
    pub const fn deserialize(bytes: &[u8; 20]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = *bytes;
        Self {
            key_hash: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            prev_offset: u64::from_le_bytes([i, j, k, l, m, n, o, p]),
            checksum: [q, r, s, t],
        }
    }
}

/// A well-formed entry and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its metadata.
    pub metadata: EntryMetadata,
    /// Where the metadata starts, and the payload ends.
    pub metadata_offset: u64,
    /// Where the payload starts.
    pub payload_offset: u64,
    /// Whether it is a deletion.
    pub is_tombstone: bool,
}

impl Entry {
    /// Reads the entry that ends at `end` from the last byte of its payload and its metadata.
    ///
    /// `None` when it is not well-formed: no room for a byte of payload, or a previous tail that is not before it.
    #[must_use]
    pub fn parse(end: u64, trailer: &[u8; ENTRY_TRAILER]) -> Option<Self> {
        if end < MIN_ENTRY_SIZE {
            return None;
        }
        let (last_byte, metadata) = trailer.split_first()?;
        let metadata = EntryMetadata::deserialize(metadata.try_into().ok()?);
        let metadata_offset = end - METADATA_SIZE;
        let prev = metadata.prev_offset;
        if prev >= metadata_offset {
            return None;
        }
        let is_tombstone = metadata_offset - prev == 1 && *last_byte == 0;
        let payload_offset = if is_tombstone {
            prev
        } else {
            align_to_payload(prev)
        };
        (payload_offset < metadata_offset).then_some(Self {
            metadata,
            metadata_offset,
            payload_offset,
            is_tombstone,
        })
    }

    /// The offsets of the payload.
    #[must_use]
    pub const fn payload(&self) -> Range<u64> {
        self.payload_offset..self.metadata_offset
    }

    /// The payload's length in bytes, at least 1.
    #[must_use]
    pub const fn payload_len(&self) -> u64 {
        self.metadata_offset - self.payload_offset
    }

    /// The tail right after this entry.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.metadata_offset + METADATA_SIZE
    }

    /// The bytes the entry takes in the file, its pre-pad included.
    #[must_use]
    pub const fn file_len(&self) -> u64 {
        self.end() - self.metadata.prev_offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trailer(last: u8, metadata: EntryMetadata) -> [u8; ENTRY_TRAILER] {
        let mut bytes = [last; ENTRY_TRAILER];
        bytes[1..].copy_from_slice(&metadata.serialize());
        bytes
    }

    #[test]
    fn a_previous_tail_at_or_behind_the_metadata_is_malformed() {
        for (end, prev, fine) in [
            (21, 0, true),
            (20, 0, false),
            (84, 64, false),
            (85, 64, true),
            (85, 65, false),
        ] {
            let parsed = Entry::parse(end, &trailer(1, EntryMetadata::new(7, prev, [0; 4])));
            assert_eq!(parsed.is_some(), fine, "end {end}, prev {prev}");
        }
        assert!(
            Entry::parse(
                u64::MAX,
                &trailer(0, EntryMetadata::new(0, u64::MAX - 21, [0; 4]))
            )
            .is_some()
        );
    }

    #[test]
    fn a_tombstone_is_one_zero_without_a_pad() {
        let entry = Entry::parse(108, &trailer(0, EntryMetadata::new(1, 87, [0; 4]))).unwrap();
        assert!(entry.is_tombstone);
        assert_eq!(entry.payload(), 87..88);
        assert_eq!(entry.file_len(), 21);
        assert!(Entry::parse(108, &trailer(9, EntryMetadata::new(1, 87, [0; 4]))).is_none());
    }
}
