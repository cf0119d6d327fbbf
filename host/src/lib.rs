//! Runs the tailstone component in wasmtime, in a sandbox that holds one directory and nothing else.
//!
//! What is here, in the order a reader needs it: [`find_component`] for where the component lies, [`Runtime`] for what
//! compiles it once, [`Session`] for one open store, [`Limits`] for what an instance may take, [`Error`] for what can go
//! wrong; [`folder`] puts whole folders through a session, [`run_command`] runs any WASI command in the same sandbox.
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
mod command;
mod component;
mod error;
mod file_lock;
pub mod folder;
mod limits;
mod runtime;
mod session;
mod state;
mod ticker;

pub use bindings::{Access, Info, Refusal};
pub use command::run_command;
pub use component::{COMPONENT_FILE, find_component};
pub use error::{Error, Result};
pub use file_lock::unlock;
pub use limits::Limits;
pub use runtime::Runtime;
pub use session::Session;
