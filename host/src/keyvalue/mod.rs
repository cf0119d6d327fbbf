//! Storage for plugins: `wasi:keyvalue` in both drafts and `tailstone:store`, granted store by store.
//!
//! In the order a reader needs it: [`Grant`] for a store, to do what and how much of it ([`Access`], [`Quota`]); [`KeyValueCtx`]
//! for all that one plugin was granted; [`add_to_linker`] for an embedding that has wasmtime already; [`Backend`] and
//! [`Bucket`] for another store beneath.
//!
//! ```
//! use tailstone_host::keyvalue::{self, Grant, KeyValue, KeyValueCtx, Quota};
//! use wasmtime::Engine;
//! use wasmtime::component::{Linker, ResourceTable};
//!
//! struct State {
//!     table: ResourceTable,
//!     stores: KeyValueCtx,
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("notes.tsl");
//! let stores = KeyValueCtx::builder()
//!     .grant("notes", Grant::file(path).quota(Quota::default().with_bytes(64 << 20)))
//!     .build();
//! let mut linker = Linker::<State>::new(&Engine::default());
//! keyvalue::add_to_linker(&mut linker, |state: &mut State| {
//!     KeyValue::new(&state.stores, &mut state.table)
//! })?;
//! # let _ = stores;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariant: nothing that a guest says is a part of a path, and no call of a guest ends the host, or makes it allocate more than
//! a value that is stored or a page.

mod backend;
mod context;
mod embedded;
mod functions;
mod grant;
mod handles;
mod link_keyvalue;
mod link_store;
mod meter;
mod open_files;
mod rate;
#[cfg(feature = "redis")]
mod redis;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests;
mod words;

pub use backend::{Backend, Bucket, Usage};
pub use context::{KeyValue, KeyValueCtx, KeyValueCtxBuilder};
pub use embedded::{Embedded, Memory};
pub use grant::{Access, Grant, Quota};
#[cfg(feature = "redis")]
pub use redis::Redis;
pub use tailstone_interface::{
    Change, ChangePage, Changed, Info, KeyPage, Packed, Refusal, Result, Stat,
};

use wasmtime::component::Linker;

/// How a linker's functions get at what they serve.
trait View<T>: Fn(&mut T) -> KeyValue<'_> + Copy + Send + Sync + 'static {}

impl<T, F: Fn(&mut T) -> KeyValue<'_> + Copy + Send + Sync + 'static> View<T> for F {}

/// Adds `wasi:keyvalue` 0.2.0-draft and 0.2.0-draft2 and `tailstone:store` to `linker`.
///
/// The functions return once they are done, and may be called from embeddings with and without async support: a call of the
/// embedded engine takes about a microsecond, unless it waits for the medium. For stores on servers in an embedding that awaits its calls
/// there is `add_to_linker_async`, with the feature `async`.
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    view: impl Fn(&mut T) -> KeyValue<'_> + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    let mut functions = functions::Inline { linker, view };
    link_keyvalue::add(&mut functions)?;
    link_store::add(&mut functions)
}

/// The same for embeddings that instantiate and call with `instantiate_async` and `call_async`, under tokio.
///
/// A backend that [is remote](Backend::is_remote) is asked on one of tokio's threads for such work, so other plugins go on meanwhile;
/// the embedded engine is asked where the plugin runs.
#[cfg(feature = "async")]
pub fn add_to_linker_async<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: impl Fn(&mut T) -> KeyValue<'_> + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    let mut functions = functions::Awaited { linker, view };
    link_keyvalue::add(&mut functions)?;
    link_store::add(&mut functions)
}
