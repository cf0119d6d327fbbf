//! The engine in a browser's worker: on real files of the browser's file system, and on handles that fail on demand.
//!
//! `cargo xtask test` runs them; they need a browser.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails here"
)]
#![allow(
    clippy::float_cmp,
    clippy::large_stack_arrays,
    reason = "JavaScript's whole numbers; values of some thousand bytes"
)]

mod compaction;
mod faults;
mod files;
mod handles;
mod salvage;
mod worker;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
