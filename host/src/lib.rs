//! Runs the tailstone component in wasmtime, in a sandbox that holds one directory and nothing else.
//!
//! What is here, in the order a reader needs it: [`find_component`] for where the component lies, [`Runtime`] for what
//! compiles it once, [`Session`] for one open store, [`Limits`] for what an instance may take, [`Error`] for what can go
//! wrong; [`folder`] puts whole folders through a session. For plugins: [`keyvalue`] for what they may store, in any embedding of
//! wasmtime; [`Sandbox`], [`Plugin`] and [`Running`] for a ready one;
//! [`conformance`] tries who provides stores.
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

pub use bindings::{Access, Info, Refusal};
pub use component::{COMPONENT_FILE, find_beside_component, find_component};
pub use error::{Error, Result};
pub use file_lock::unlock;
pub use limits::Limits;
pub use runtime::{Cache, DEFAULT_BUCKET, Runtime};
pub use sandbox::{Plugin, Running, Sandbox};
pub use session::Session;
