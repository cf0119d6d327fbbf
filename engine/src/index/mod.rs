//! Key hash → extent of the newest entry. (Stand-in until the lock-free one is here.)
mod extent;
pub use extent::Extent;
