//! How many bytes a second are written.
//!
//! Invariant: over any stretch of time no more than its seconds' worth is let through, besides one burst of a second's worth and
//! what a single longer write goes past it.

use std::time::Instant;

use tailstone_interface::Result;

use super::meter::exceeded;

/// Bytes that may be written at once, as of a moment.
pub struct Rate {
    left: f64,
    since: Instant,
}

impl Rate {
    /// A second's worth of this many bytes a second, none of them taken yet.
    pub fn new(per_second: u64) -> Self {
        Self {
            left: to_f64(per_second),
            since: Instant::now(),
        }
    }

    /// Takes bytes, or refuses.
    pub fn take(&mut self, per_second: u64, bytes: u64) -> Result<()> {
        if per_second == u64::MAX {
            return Ok(());
        }
        let now = Instant::now();
        let gained = now.duration_since(self.since).as_secs_f64() * to_f64(per_second);
        self.left = (self.left + gained).min(to_f64(per_second));
        self.since = now;
        // A write longer than a second's worth goes through when nothing else did, and is paid off later.
        if self.left < to_f64(bytes.min(per_second)) {
            return Err(exceeded(format!(
                "more than {per_second} bytes a second are written; try again later"
            )));
        }
        self.left -= to_f64(bytes);
        Ok(())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate need not be exact to the byte"
)]
const fn to_f64(bytes: u64) -> f64 {
    bytes as f64
}
