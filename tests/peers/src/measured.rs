//! What one measurement took, and the clocks that say so.

use crate::peer::Outcome;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

/// What one measurement says: the name of each row with what it took. Nothing at all if the store cannot do it.
pub type Rows = Vec<(String, Measured)>;

/// What one run took.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Operations done.
    pub operations: u64,
    /// Time on the clock, in seconds.
    pub wall_s: f64,
    /// Time on the processor, all threads and the system included, in seconds.
    pub cpu_s: f64,
    /// Length of the store's files afterwards, in bytes.
    pub file_bytes: u64,
    /// What else is worth telling, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
}

impl Measured {
    /// Processor time of one operation, in nanoseconds.
    pub fn cpu_ns(&self) -> f64 {
        self.cpu_s * 1e9 / float(self.operations)
    }

    /// Time on the clock of one operation, in nanoseconds.
    pub fn wall_ns(&self) -> f64 {
        self.wall_s * 1e9 / float(self.operations)
    }

    /// With one more figure.
    #[must_use]
    pub fn with(mut self, name: &str, figure: f64) -> Self {
        self.figures.insert(name.to_owned(), figure);
        self
    }

    /// With the length of the store's files.
    #[must_use]
    pub const fn filling(mut self, file_bytes: u64) -> Self {
        self.file_bytes = file_bytes;
        self
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} ns of processor time, {:.0} ns on the clock",
            self.cpu_ns(),
            self.wall_ns()
        )?;
        for (name, figure) in &self.figures {
            write!(f, ", {name} {figure:.4}")?;
        }
        Ok(())
    }
}

/// A count as a figure for people.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub const fn float(count: u64) -> f64 {
    count as f64
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    let part = |of: i64| float(u64::try_from(of).unwrap_or(0));
    part(time.tv_sec) + part(time.tv_nsec) / 1e9
}

/// Processor time of this thread so far.
pub fn thread_cpu_s() -> f64 {
    seconds(ClockId::ThreadCPUTime)
}

/// Times `work`, which does `operations`.
pub fn timed(operations: u64, work: impl FnOnce() -> Outcome) -> Outcome<Measured> {
    let (wall, cpu) = (Instant::now(), seconds(ClockId::ProcessCPUTime));
    work()?;
    Ok(Measured {
        operations,
        wall_s: wall.elapsed().as_secs_f64(),
        cpu_s: seconds(ClockId::ProcessCPUTime) - cpu,
        ..Measured::default()
    })
}
