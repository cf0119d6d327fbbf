//! How long single operations took, counted by their length: memory stays the same however many there are.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::steps::PLAIN_SYNCED;

/// Lengths from each power of two to the next are told apart in so many steps, within 2 %.
const STEPS: u64 = 64;
/// What looking at the clock takes, which is in all the others.
pub const CLOCK: &str = "the clock alone";

const STEP_BITS: u32 = STEPS.ilog2();

/// The lengths of one kind of operation.
pub struct Latency {
    pub name: &'static str,
    counts: Vec<u64>,
    most: u64,
}

/// A row of the report, in nanoseconds.
#[derive(Serialize)]
pub struct LatencyRow {
    pub name: &'static str,
    pub operations: u64,
    pub p50_ns: u64,
    pub p99_ns: u64,
    pub p99_9_ns: u64,
    pub most_ns: u64,
}

impl LatencyRow {
    /// There is no store in it.
    pub fn is_plain(&self) -> bool {
        [CLOCK, PLAIN_SYNCED.name].contains(&self.name)
    }
}

impl Latency {
    pub fn new(name: &'static str) -> Self {
        let counts = vec![0; slot(u64::MAX).saturating_add(1)];
        Self {
            name,
            counts,
            most: 0,
        }
    }

    /// Does `work` and counts how long it took, if it did not fail.
    pub fn time<R, E>(&mut self, work: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
        let begun = Instant::now();
        let result = work()?;
        self.count(begun.elapsed());
        Ok(result)
    }

    fn count(&mut self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.most = self.most.max(ns);
        if let Some(count) = self.counts.get_mut(slot(ns)) {
            *count += 1;
        }
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: &Self) {
        self.most = self.most.max(other.most);
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    pub fn row(&self) -> LatencyRow {
        LatencyRow {
            name: self.name,
            operations: self.counts.iter().sum(),
            p50_ns: self.reached_by(500),
            p99_ns: self.reached_by(990),
            p99_9_ns: self.reached_by(999),
            most_ns: self.most,
        }
    }

    /// The length that so many of a thousand did not exceed.
    fn reached_by(&self, of_thousand: u64) -> u64 {
        let all: u64 = self.counts.iter().sum();
        let wanted = all.saturating_mul(of_thousand).div_ceil(1000).max(1);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map_or(0, |slot| middle_of(slot).min(self.most))
    }
}

/// Where a length is counted.
fn slot(ns: u64) -> usize {
    let above = ns.checked_ilog2().unwrap_or(0).saturating_sub(STEP_BITS);
    let slot = u64::from(above) * STEPS + (ns >> above);
    usize::try_from(slot).unwrap_or(usize::MAX)
}

/// The length that stands for all that are counted there.
fn middle_of(slot: usize) -> u64 {
    let slot = u64::try_from(slot).unwrap_or(u64::MAX);
    let above = (slot / STEPS).saturating_sub(1);
    let first = (slot - above * STEPS) << above;
    first + ((1 << above) / 2)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Latency, middle_of, slot};

    #[test]
    fn a_length_is_found_again_within_two_percent() {
        let mut before = 0;
        for shift in 0..64 {
            for more in [0, 1, 3] {
                let ns = (1_u64 << shift) + ((1_u64 << shift) / 4) * more;
                let (slot, middle) = (slot(ns), middle_of(slot(ns)));
                assert!(slot >= before, "{ns}");
                before = slot;
                assert!(middle.abs_diff(ns) <= ns / 50, "{ns}: {middle}");
            }
        }
        assert_eq!(slot(u64::MAX) + 1, Latency::new("").counts.len());
    }

    #[test]
    fn percentiles_are_of_all_that_was_counted() {
        let mut first = Latency::new("it");
        let mut second = Latency::new("it");
        for micros in 1..=1000 {
            let half = if micros % 2 == 0 {
                &mut first
            } else {
                &mut second
            };
            half.count(Duration::from_micros(micros));
        }
        first.merge(&second);
        let row = first.row();
        assert_eq!((row.operations, row.most_ns), (1000, 1_000_000));
        for (is, ns) in [
            (row.p50_ns, 500_000_u64),
            (row.p99_ns, 990_000),
            (row.p99_9_ns, 999_000),
        ] {
            assert!(is.abs_diff(ns) <= ns / 50, "{is} is not {ns}");
        }
        assert_eq!(Latency::new("none").row().p99_ns, 0);
    }

    #[test]
    fn what_failed_is_not_counted() {
        let mut latency = Latency::new("it");
        assert_eq!(latency.time(|| Err::<(), _>("no")), Err("no"));
        assert_eq!(latency.time(|| Ok::<_, &str>(5)), Ok(5));
        assert_eq!(latency.row().operations, 1);
    }
}
