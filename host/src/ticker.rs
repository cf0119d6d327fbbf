//! The clock that deadlines are counted in: a thread that advances the engine's epoch.
//!
//! Invariant: it holds the engine weakly, so it ends within a tick of the last store.

use std::thread;
use std::time::Duration;

use wasmtime::Engine;

use crate::error::{Error, Result};

/// How exact deadlines are.
const TICK: Duration = Duration::from_millis(10);

/// Starts the clock of `engine`.
pub fn start(engine: &Engine) -> Result<()> {
    let weak = engine.weak();
    thread::Builder::new()
        .name("epoch".to_owned())
        .spawn(move || {
            loop {
                thread::sleep(TICK);
                match weak.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => break,
                }
            }
        })
        .map_err(|source| Error::Io {
            doing: "start the clock",
            source,
        })?;
    Ok(())
}

/// `time` in ticks, at least one; a call that starts between two ticks is given the rest of the first one too.
pub fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(TICK.as_millis()))
        .map_or(u64::MAX / 2, |ticks| ticks.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_never_cut_short() {
        for (millis, expected) in [(0, 1), (1, 2), (10, 2), (11, 3), (60_000, 6_001)] {
            assert_eq!(
                ticks(Duration::from_millis(millis)),
                expected,
                "{millis} ms"
            );
        }
        assert!(ticks(Duration::MAX) > 1 << 60);
    }
}
