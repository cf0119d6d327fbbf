//! The reference itself, put to the tests that stand for its own: what `tests/REFERENCE.md` calls "same" is so on both sides,
//! and code written for the one compiles against the other once its `use` lines say so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

extern crate simd_r_drive as tailstone;
use simd_r_drive_extensions as extensions;

#[path = "../reference_behaviours/align_or_copy.rs"]
mod align_or_copy;
#[path = "../reference_behaviours/alignment.rs"]
mod alignment;
#[path = "../reference_behaviours/basic_operations.rs"]
mod basic_operations;
#[path = "../reference_behaviours/batches.rs"]
mod batches;
#[path = "../reference_behaviours/compaction.rs"]
mod compaction;
#[path = "../reference_behaviours/concurrency.rs"]
mod concurrency;
#[path = "../reference_behaviours/expiring_values.rs"]
mod expiring_values;
#[path = "../reference_behaviours/hash_stability.rs"]
mod hash_stability;
#[path = "../reference_behaviours/imported_files.rs"]
mod imported_files;
#[path = "../reference_behaviours/integrity.rs"]
mod integrity;
#[path = "../reference_behaviours/names.rs"]
mod names;
#[path = "../reference_behaviours/namespaces.rs"]
mod namespaces;
#[path = "../reference_behaviours/optional_values.rs"]
mod optional_values;
#[path = "../reference_behaviours/parallel_iteration.rs"]
mod parallel_iteration;
#[path = "../reference_behaviours/persistence.rs"]
mod persistence;
#[path = "../reference_behaviours/scratch.rs"]
mod scratch;
#[path = "../reference_behaviours/storage_operations.rs"]
mod storage_operations;
#[path = "../reference_behaviours/streaming.rs"]
mod streaming;
#[path = "../reference_behaviours/zero_copy.rs"]
mod zero_copy;

#[test]
fn it_is_the_reference_that_is_tested() {
    let tested = std::any::type_name::<tailstone::DataStore>();
    assert!(tested.starts_with("simd_r_drive::"), "{tested}");
}
