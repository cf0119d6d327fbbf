//! The file format: what an entry is, byte by byte. Nothing here reads or writes a file.
//!
//! Offsets and lengths are `u64` throughout; conversions to `usize` belong to the callers that index memory.

mod batch;
mod bucket;
mod checksum;
mod entry;
mod limits;
mod reserved;
mod snapshot;

pub use batch::{BATCH_HASH, BATCH_MARKER_SIZE, BatchMarker};
pub use bucket::{
    KeyEnd, Keyed, MAX_BUCKET_NAME_BYTES, MAX_KEY_BYTES, behind_value, full_key, hash_of_full_key,
    length_of_name, split_full_key,
};
pub use checksum::{compute_checksum, compute_hash, compute_hash_batch};
pub use entry::{Entry, EntryMetadata, PADDING, align_to_payload, pre_pad};
pub use limits::{
    ENTRY_TRAILER, MAX_OFFSET, METADATA_SIZE, MIN_ENTRY_SIZE, PAYLOAD_ALIGNMENT, TOMBSTONE,
};
pub use reserved::{FILLER_HASH, is_reserved_hash};
pub use snapshot::{SNAPSHOT_HASH, SnapshotHead, SnapshotSegment};
