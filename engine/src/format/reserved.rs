//! Keys the store keeps for itself: entries with these hashes are hidden from readers and refused to writers.

use super::batch::BATCH_HASH;
use super::snapshot::SNAPSHOT_HASH;

/// Names whose hashes are reserved, each versioned in its name.
const RESERVED: [u64; 2] = [SNAPSHOT_HASH, BATCH_HASH];

/// Whether `key_hash` belongs to an entry that the store keeps for itself.
#[must_use]
pub const fn is_reserved_hash(key_hash: u64) -> bool {
    key_hash == RESERVED[0] || key_hash == RESERVED[1]
}
