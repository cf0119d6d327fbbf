//! CRC-32 (ISO-HDLC) of bytes: where the processor has instructions for it, by those; in wasm, which has none, by tables, and by
//! sums of words where bytes are many.
//!
//! Invariant: both give the same for the same bytes. The tables are made when they are first used: as constants they were the
//! largest single part of a module, and do not compress.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crc32fast::Hasher;
#[cfg(not(target_arch = "wasm32"))]
pub use crc32fast::hash;
#[cfg(target_arch = "wasm32")]
pub(crate) use tables::Hasher;
#[cfg(target_arch = "wasm32")]
pub use tables::hash;
#[cfg(any(target_arch = "wasm32", test))]
pub use tables::hash_by_tables;

#[cfg(any(target_arch = "wasm32", test))]
mod long;
#[cfg(any(target_arch = "wasm32", test))]
mod tables;
