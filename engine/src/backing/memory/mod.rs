//! A store in heap memory, for tests, caches and places without storage.
//!
//! Bytes that were written are never written over: a write below the end, which the engine does after one it gave up,
//! goes to fresh memory. So views and borrows need no care about later calls, whatever their order, and reads take no
//! lock. What was written over or cut off is freed when the backing and the views of it are dropped.

mod arena;
mod backing;
mod list;
mod pieces;
mod view;

pub use backing::MemoryBacking;
pub use view::MemoryView;
