//! The time of day, where the platform tells it.

/// Milliseconds since the Unix epoch; 0 where there is no clock, or one from before it.
pub(crate) fn milliseconds_since_epoch() -> u64 {
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
    }
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    {
        0
    }
}
