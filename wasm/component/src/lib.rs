//! The store as a component: the engine over files of WASI 0.2, behind the interfaces in `wasm/wit`.
//!
//! Invariant: the component reaches nothing but the first directory that its host granted, and in it nothing but files
//! whose plain names it was given, and the lock files beside them.
//!
//! Built by `cargo xtask component`: compiled for `wasm32-unknown-unknown`, which leaves out everything that a C library
//! would import, and wrapped into a component there. `cargo component build --release` on this crate gives the same
//! exports with a longer list of imports.

#[allow(unsafe_code, missing_docs, reason = "generated")]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "storage",
        pub_export_macro: false,
    });

    export!(Component with_types_in self);

    use super::Component;
}

mod backing;
mod directory;
mod failure;
mod file;
mod keyvalue;
mod lock;
mod open_stores;
mod session;

use bindings::exports::tailstone::store::stores::Guest;

/// What answers the calls of the world `storage`.
struct Component;

impl Guest for Component {
    type Store = session::Session;
}
