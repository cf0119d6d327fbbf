//! What must hold whatever bytes a store is made of: plain functions that libFuzzer calls with what it makes up
//! (`cargo xtask fuzz`), and `tests/corpus.rs` with what is kept of that.
//!
//! Each panics when something does not hold. A further one is a line in [`TARGETS`], a file in `engine/fuzz/fuzz_targets` and a
//! folder in `engine/fuzz/corpus`; a test says when one of the three is missing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a check that does not hold fails there and then"
)]

mod batch_marker;
mod bucket_trailer;
mod examine;
mod index_snapshot;
mod open;
mod reading;
mod recovery;
mod rescue;
mod source;
mod watched;

pub use batch_marker::batch_marker;
pub use bucket_trailer::bucket_trailer;
pub use index_snapshot::index_snapshot;
pub use open::open;
pub use reading::reading;
pub use recovery::recovery;
pub use rescue::rescue;
pub use source::Source;

/// A target: bytes in, a panic if something does not hold.
pub type Target = fn(&[u8]);

/// All targets, by their names.
pub const TARGETS: [(&str, Target); 7] = [
    ("open", open),
    ("recovery", recovery),
    ("bucket_trailer", bucket_trailer),
    ("batch_marker", batch_marker),
    ("reading", reading),
    ("rescue", rescue),
    ("index_snapshot", index_snapshot),
];
