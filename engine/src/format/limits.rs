//! The numbers of the format, each derived from the ones before it.

/// Bytes of metadata behind every payload: key hash (8), previous tail (8), checksum (4).
pub const METADATA_SIZE: u64 = 20;

/// Payloads start at multiples of this many bytes.
pub const PAYLOAD_ALIGNMENT: u64 = 64;

/// The smallest entry: one byte of payload and its metadata.
pub const MIN_ENTRY_SIZE: u64 = METADATA_SIZE + 1;

/// Offsets stay below this one (256 TiB).
pub const MAX_OFFSET: u64 = 1 << 48;

/// The payload of a deletion: one zero byte, written without a pre-pad.
pub const TOMBSTONE: [u8; 1] = [0];

/// What parsing an entry needs: the last byte of its payload and its metadata.
pub const ENTRY_TRAILER: usize = 21;
