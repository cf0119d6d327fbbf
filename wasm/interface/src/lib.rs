//! What the interfaces in `wasm/wit` promise of a store, over the engine: the component and the host both answer from here.
//!
//! In the order a reader needs it: [`Refusal`] for what can be said instead of an answer, [`Table`] for an open bucket and the
//! calls of `tailstone:store`, [`keyvalue`] for what `wasi:keyvalue` asks beyond them, [`bounds`] for how much one call may make.
//!
//! Invariant: whatever a guest asks, an answer takes no more memory than `bounds` say or than the value that was asked for.

pub mod bounds;
pub mod keyvalue;
mod page;
mod refusal;
mod table;

pub use page::{ChangePage, Changed, KeyPage};
pub use refusal::{Refusal, Result};
pub use table::{Change, Info, Packed, Stat, Table, check_together};
