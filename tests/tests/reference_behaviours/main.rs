//! What the reference's own tests check, checked here one to one, through the names that its users know.
//!
//! `tests/REFERENCE.md` lists every behaviour with its test and says where this store differs on purpose; the module
//! `table` keeps that list and these files in agreement. `reference_itself` runs the same modules against the reference, so they
//! use nothing that it does not have; only the differences do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

mod align_or_copy;
mod alignment;
mod basic_operations;
mod batches;
mod compaction;
mod concurrency;
mod differences;
mod expiring_values;
mod extended_differences;
mod hash_stability;
mod imported_files;
mod integrity;
mod names;
mod namespaces;
mod optional_values;
mod parallel_iteration;
mod persistence;
mod scratch;
mod storage_operations;
mod streaming;
mod table;
mod zero_copy;

/// The extensions, which are a crate of their own there.
use tailstone::extensions;
