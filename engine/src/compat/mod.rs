//! The names and paths of the crate that this store's format comes from, so that code written for it moves over by its `use` lines.

pub mod utils;

/// The two traits, under the path they have there.
pub mod traits {
    pub use crate::store::{DataStoreReader, DataStoreWriter};
}

/// The engine, under the paths it has there.
pub mod storage_engine {
    #[cfg(any(unix, windows))]
    pub use crate::store::DataStore;
    pub use crate::store::{EntryHandle, EntryIterator, EntryStream};
    pub use crate::{EntryMetadata, traits};

    /// The digests of the format.
    pub mod digest {
        pub use crate::format::{compute_checksum, compute_hash, compute_hash_batch};
    }

    /// The numbers of the format, with the types they have there: the metadata's are those of slices in memory.
    pub mod constants {
        use std::ops::Range;

        pub use crate::format::{PAYLOAD_ALIGNMENT, TOMBSTONE as NULL_BYTE};

        /// Bytes of metadata behind every payload.
        pub const METADATA_SIZE: usize = 20;
        /// Where the metadata has the hash of the key.
        pub const KEY_HASH_RANGE: Range<usize> = 0..8;
        /// Where the metadata has the previous tail.
        pub const PREV_OFFSET_RANGE: Range<usize> = 8..16;
        /// Where the metadata has the checksum.
        pub const CHECKSUM_RANGE: Range<usize> = 16..METADATA_SIZE;
        /// Bytes of a checksum.
        pub const CHECKSUM_LEN: usize = 4;
        /// Payloads start at multiples of two to this power.
        pub const PAYLOAD_ALIGN_LOG2: u8 = 6;

        const _: () = assert!(METADATA_SIZE as u64 == crate::format::METADATA_SIZE);
        const _: () = assert!(1 << PAYLOAD_ALIGN_LOG2 == PAYLOAD_ALIGNMENT);
    }
}
