//! The engine in a browser's worker: a store in a file of the browser's own file system, reached through a
//! `FileSystemSyncAccessHandle`.
//!
//! The TypeScript half (`js/`) owns workers, messages and files; this crate is what one worker holds.

mod answers;
mod backing;
mod changes;
mod clock;
mod device;
mod execute;
mod failure;
mod handle;
mod number;
mod request;
mod salvage;
mod source;
mod store;
mod version;

pub use backing::{Promotion, WebBacking};
pub use device::OpfsDevice;
pub use handle::SyncHandle;
pub use salvage::{intact_up_to, salvage};
pub use source::Source;
pub use store::WebStore;

/// Memory for requests and answers that is kept between calls, in bytes; what a call took beyond goes back after it, or once the next ones
/// need less.
const KEPT_BYTES: usize = 1 << 20;
