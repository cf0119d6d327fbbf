//! The engine in a browser's worker: a store in a file of the browser's own file system, reached through a
//! `FileSystemSyncAccessHandle`.
//!
//! The TypeScript half (`js/`) owns workers, messages and files; this crate is what one worker holds.

mod device;
mod failure;
mod handle;
mod number;
mod source;
mod store;

pub use device::OpfsDevice;
pub use handle::SyncHandle;
pub use source::Source;
pub use store::WebStore;
