//! CRC-32 (ISO-HDLC) of bytes: where the processor has instructions for it, by those; in wasm, which has none, by tables.
//!
//! Invariant: both give the same for the same bytes. The tables are made when they are first used: as constants they were the
//! largest single part of a module, and do not compress.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crc32fast::{Hasher, hash};
#[cfg(target_arch = "wasm32")]
pub(crate) use tables::{Hasher, hash};

#[cfg(any(target_arch = "wasm32", test))]
mod long;
#[cfg(any(target_arch = "wasm32", test))]
mod tables;
