//! The interfaces of `wasm/wit`, as the host calls them.

mod generated {
    #![allow(missing_docs, reason = "generated")]
    #![allow(clippy::all, clippy::pedantic, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../wasm/wit",
        world: "storage",
    });
}

pub use generated::StoragePre;
pub use generated::exports::tailstone::store::stores::{
    Access, Error as Refusal, Guest, Info, KeyPage,
};
