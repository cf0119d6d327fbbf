//! The program as its users meet it: the real binary, on real files, judged by its bytes and statuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

mod backup;
mod bench;
mod bucket;
mod exit_status;
mod folders;
mod history;
mod json;
mod listing;
mod man;
mod program;
mod read_only;
mod recovery;
mod reference;
mod streams;
mod upkeep;
