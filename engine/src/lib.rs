//! An append-only, zero-copy, single-file key-value store.
//!
//! A store is one file (or one run of bytes elsewhere) to which entries are appended; values are read where they lie.
//!
//! ```
//! use tailstone::{DataStore, DataStoreReader, DataStoreWriter};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("notes.tsl");
//!
//! let store = DataStore::open(&path)?;
//! store.write(b"greeting", b"good morning")?;
//! let value = store.read(b"greeting")?.expect("just written");
//! assert_eq!(value.as_slice(), b"good morning");
//! store.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is here, in the order a reader needs it: [`Store`] and its aliases (`DataStore` for files, [`MemoryStore`] for the
//! heap), the traits [`DataStoreReader`] and [`DataStoreWriter`], [`EntryHandle`] for values, [`Reader`] for hot loops,
//! [`Store::history`] and [`Store::as_of`] for what was before,
//! [`Options`] for opening, `folder` for import and export, [`backing`] for other media, [`recovery`] for damaged files, [`format`](mod@format) for the file itself.
//!
//! Keys are compared by their 64-bit hash alone. Among a million keys the chance that any two share one is 3 in 10^8; somebody
//! who chooses the keys can make two collide.

#[cfg(feature = "arrow")]
mod arrow;
mod atomic;
pub mod backing;
#[cfg(any(unix, windows))]
mod backup;
mod bucket;
mod compact;
mod compat;
mod error;
#[cfg(feature = "extensions")]
pub mod extensions;
#[cfg(any(unix, windows))]
pub mod folder;
pub mod format;
mod index;
pub mod kernels;
mod options;
mod pin;
pub mod recovery;
mod store;
#[cfg(feature = "serde")]
mod typed;
mod upkeep;

#[cfg(any(unix, windows))]
pub use backup::BackupReport;
pub use bucket::{
    BorrowedValue, Bucket, BucketBatch, BucketHistory, BucketVersion, BucketView, BucketWriter,
    KeyPage, Keys, Value, ValueExtent, ValueStream, VersionExtent,
};
pub use compat::storage_engine::{constants, digest};
pub use compat::{storage_engine, traits, utils};
pub use error::{Error, Result};
pub use format::{
    EntryMetadata, TOMBSTONE as NULL_BYTE, compute_checksum, compute_hash, compute_hash_batch,
};
pub use options::{Durability, Options};
pub use recovery::RecoveryReport;
#[cfg(any(unix, windows))]
pub use store::DataStore;
pub use store::{
    Batch, ChangePage, DataStoreReader, DataStoreWriter, Entries, EntryHandle, EntryIterator,
    EntryStream, EntryWriter, History, LoggedChange, MemoryStore, ReadView, Reader,
    STREAM_BUFFER_BYTES, Stats, Store, Usage, Version,
};
#[cfg(feature = "serde")]
pub use typed::TypedValues;
#[cfg(any(unix, windows))]
pub use upkeep::{salvage, verify_file};
pub use utils::NamespaceHasher;

/// The README's code, compiled and run with the examples of this documentation.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
