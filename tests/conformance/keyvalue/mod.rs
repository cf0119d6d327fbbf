//! The cases of `wasi:keyvalue` that are alike in both drafts. Each guest has this folder as a module, and beside it the
//! module `draft`, which names the interfaces of its draft and says what is not alike.

mod batches;
mod handles;
mod keys;
mod listing;
mod numbers;
mod room;
mod values;

pub use room::Room;

use tailstone_conformance::Chapter;

use crate::draft;

/// The cases.
pub const CHAPTERS: &[Chapter<Room>] = &[
    keys::CASES,
    values::CASES,
    batches::CASES,
    listing::CASES,
    numbers::CASES,
    draft::NUMBERS,
    draft::SWAPS,
    handles::CASES,
];
