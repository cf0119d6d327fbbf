//! Scripts for the host's functions: bytes are decoded to calls ([`decode`]), a guest makes them through the real linker ([`run`]),
//! and every answer is held against a model ([`model`]). [`corpus`] keeps the inputs that reach what others do not.
//!
//! What holds besides: no call ends the instance, no handle is left once the guest let go of all, and what the files hold then is
//! what the model holds, as the native engine reads it.

mod bucket_calls;
pub mod corpus;
pub mod decode;
pub mod model;
pub mod names;
pub mod pages;
pub mod place;
pub mod rules;
pub mod run;
mod store_calls;

#[allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../wasm/wit",
        // Without what only the guest needs, whose types cannot be compared.
        inline: "package tailstone:host-tests; world answers { export tailstone:store/script@0.1.0; }",
        world: "tailstone:host-tests/answers",
        additional_derives: [Clone, PartialEq],
    });
}

pub use generated::exports::tailstone::store::script::{
    Answer, BucketCall, CasCall, Step, StoreCall,
};
pub use generated::tailstone::store::stores::{
    Access as Asked, Change, ChangePage, Changed, Entry, Error, KeyPage,
};
pub use generated::{Answers, AnswersPre};

/// Handles of each kind in the guest.
pub const SLOTS: usize = 3;

/// Handles of all kinds that the host lets one instance have: fewer than there are slots.
pub const HANDLES: usize = 10;

/// Where a handle lies.
pub fn slot(number: u8) -> usize {
    usize::from(number) % SLOTS
}

/// What an answer or a step looks like, in a line.
pub fn shown(anything: &impl std::fmt::Debug) -> String {
    let all = format!("{anything:?}");
    match all.char_indices().nth(200) {
        Some((end, _)) => format!("{}… ({} characters)", &all[..end], all.len()),
        None => all,
    }
}
