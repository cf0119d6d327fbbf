//! An append-only, zero-copy, single-file key-value store.

pub mod backing;
mod error;
pub mod format;
pub mod index;

pub use error::{Error, Result};
