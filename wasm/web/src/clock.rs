//! The time of day that values expire by: asked once a call, as asking JavaScript costs as much as a small read.

use crate::number;
use std::sync::atomic::{AtomicU64, Ordering};

static NOW: AtomicU64 = AtomicU64::new(0);

/// Asks for the time of day.
pub fn wind() {
    NOW.store(number::from_js(js_sys::Date::now()), Ordering::Relaxed);
}

/// The time when it was asked for last, in milliseconds since 1970.
pub fn now() -> u64 {
    NOW.load(Ordering::Relaxed)
}
