//! How much one call may make, whatever it asks.

/// Keys or changes on one page.
pub const PAGE_ENTRIES: usize = 1000;

/// Bytes of keys on one page, unless one key alone is longer.
pub const PAGE_BYTES: usize = 256 << 10;

/// Bytes of values that are asked for together: the same key may be asked for any number of times.
pub const TOGETHER_BYTES: usize = 64 << 20;
