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

    /// The numbers of the format.
    pub mod constants {
        pub use crate::format::{METADATA_SIZE, PAYLOAD_ALIGNMENT, TOMBSTONE as NULL_BYTE};
    }
}
