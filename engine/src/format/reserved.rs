//! Keys the store keeps for itself: entries with these hashes are hidden from readers and refused to writers.

use super::batch::BATCH_HASH;
use super::snapshot::SNAPSHOT_HASH;
use xxhash_rust::const_xxh3::xxh3_64;

/// The key hash of what makes a batch as long as its marker says, where that was written before the batch was known: that of
/// `tailstone/fill/1`.
pub const FILLER_HASH: u64 = xxh3_64(b"tailstone/fill/1");

/// Names whose hashes are reserved, each versioned in its name.
const RESERVED: [u64; 3] = [SNAPSHOT_HASH, BATCH_HASH, FILLER_HASH];

/// Whether `key_hash` belongs to an entry that the store keeps for itself.
#[must_use]
pub const fn is_reserved_hash(key_hash: u64) -> bool {
    key_hash == RESERVED[0] || key_hash == RESERVED[1] || key_hash == RESERVED[2]
}
