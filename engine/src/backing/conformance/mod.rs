//! The contract of [`Backing`], [`Resident`](super::Resident) and [`Rewrite`](super::Rewrite) as functions that panic
//! where it is broken: for authors of backings, who call them from their tests.
//!
//! `make` gives an empty backing each time it is called. None of the functions needs threads, files or a clock, except
//! [`concurrent_readers`], so they also run in a browser or in a sandbox.
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test suite that lives in the library: to panic is how it reports"
)]

mod ranges;
mod tail;
mod views;

pub use ranges::{empty_backing, nothing_past_the_end, random_ranges, writes_are_concatenated};
pub use tail::{big_writes, cut_bytes_do_not_come_back, rewriting_at_the_tail};
#[cfg(not(target_family = "wasm"))]
pub use views::concurrent_readers;
pub use views::{resident, rewrite, views_are_aligned, views_never_change};

use super::Backing;

/// Everything that is promised of a [`Backing`] used by one thread.
pub fn backing<B: Backing>(make: &mut dyn FnMut() -> B) {
    empty_backing(make);
    writes_are_concatenated(make);
    nothing_past_the_end(make);
    views_never_change(make);
    views_are_aligned(make);
    rewriting_at_the_tail(make);
    cut_bytes_do_not_come_back(make);
    big_writes(make);
    for seed in [1, 2, 3] {
        random_ranges(make, seed);
    }
}
