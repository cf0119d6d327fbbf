//! Durable, bounded storage for plugins in wasmtime: `wasi:keyvalue` in both drafts and `tailstone:store`, granted store by store; a
//! sandbox to run them in; and the storage engine itself as a component, for who trusts nothing native.
//!
//! # A tour
//!
//! **You have an embedding of wasmtime.** [`keyvalue::add_to_linker`] is the one line, [`keyvalue::KeyValueCtx::builder`] the one builder:
//! what this plugin may open, under which name, to do what and how much of it. [`keyvalue`] shows both; `examples/embed.rs` is a whole
//! program. Calls return once they are done, in about a microsecond; with the feature `async` and `add_to_linker_async`
//! a store on a server is asked elsewhere while other plugins go on.
//!
//! **You have none.** A [`Sandbox`] compiles plugins (once, if a [`Cache`] keeps them) and puts each instance under [`Limits`]: time,
//! memory, tables, handles. A [`Plugin`] starts in microseconds; [`Running`] is called by name:
//!
//! ```no_run
//! use tailstone_host::keyvalue::{Grant, KeyValueCtx, Quota};
//! use tailstone_host::{Cache, Limits, Sandbox};
//! use wasmtime_wasi::WasiCtx;
//!
//! let sandbox = Sandbox::new(Limits::default(), &Cache::User)?;
//! let plugin = sandbox.load("visits.wasm".as_ref())?;
//! let stores = KeyValueCtx::builder()
//!     .grant("visits", Grant::file("visits.tsl").quota(Quota::default().with_bytes(64 << 20)))
//!     .build();
//! let mut running = plugin.start(stores, WasiCtx::builder().build())?;
//! assert_eq!(running.invoke("visit(\"ada\")")?, "ok(1)");
//! # Ok::<(), tailstone_host::Error>(())
//! ```
//!
//! What a plugin does wrong is an error of its call: a loop ends at its deadline, a memory that grows at its bound, a write above its
//! quota is refused before anything is written. An instance that trapped is not called again.
//!
//! **You write plugins.** `host/plugins` has a visit counter over `wasi:keyvalue`, which runs unchanged on other hosts, an index of notes over
//! `tailstone:store` (ranges, batches, versions, a change feed), and a guest book in JavaScript and in Python. `wasm/wit` has the interfaces.
//!
//! **You have a store of your own.** [`keyvalue::Backend`] and [`keyvalue::Bucket`] put it behind the same imports, grants and quotas. [`conformance`], and
//! `tailstone-host conformance` with the feature of that name, hold it to what every provider ought to do.
//!
//! **You trust nothing native.** The engine is a component too, which needs files and nothing else ([`find_component`] says where it lies).
//! [`Runtime`] compiles it, a [`Session`] is one open store in it, [`folder`] puts whole folders through one:
//!
//! ```no_run
//! use tailstone_host::{Access, Limits, Runtime, find_component};
//!
//! let runtime = Runtime::new(&find_component(None)?, Limits::default())?;
//! let mut session = runtime.open("notes.tsl".as_ref(), Access::Create)?;
//! session.put(b"greeting", b"good morning")?;
//! assert_eq!(session.get(b"greeting")?.as_deref(), Some(&b"good morning"[..]));
//! session.close()?;
//! # Ok::<(), tailstone_host::Error>(())
//! ```
//!
//! # Features
//!
//! None is on unless asked for. `async`: calls that are awaited, under tokio. `conformance`: the command of that name. `redis`: stores on a server
//! that speaks Redis's protocol.

mod bindings;
mod component;
pub mod conformance;
mod error;
mod file_lock;
pub mod folder;
pub mod keyvalue;
mod limits;
mod runtime;
mod sandbox;
mod session;
mod state;
mod ticker;

pub use bindings::{Access, Info, KeyPage, Refusal};
pub use component::{COMPONENT_FILE, find_component, find_guest};
pub use error::{Error, Result};
pub use file_lock::unlock;
pub use limits::Limits;
pub use runtime::{Cache, DEFAULT_BUCKET, Runtime};
pub use sandbox::{Plugin, Running, Sandbox};
pub use session::Session;
