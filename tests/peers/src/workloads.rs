//! What is measured, each in a process of its own.

use crate::data;
use crate::engines::Engine;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::str::FromStr;
use std::time::Instant;

/// One workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// All records in batches of 10,000 into an empty store.
    Load,
    /// A fifth of the records, one by one, into an empty store.
    Write,
    /// All records by key, in the order they were written.
    ReadOrdered,
    /// All records by key, in random order.
    ReadShuffled,
    /// All records, 1,024 at a time, in random order.
    BatchRead,
    /// As many keys that are not there.
    Miss,
    /// Opening the loaded store.
    Reopen,
    /// Opening the loaded store behind whose end lie 800 bytes of a write that was torn, made of offsets into the store.
    Recover,
}

impl Workload {
    /// In the order in which they need each other's files.
    pub const ALL: [Self; 8] = [
        Self::Load,
        Self::Write,
        Self::ReadOrdered,
        Self::ReadShuffled,
        Self::BatchRead,
        Self::Miss,
        Self::Reopen,
        Self::Recover,
    ];

    /// What it is called on the command line and in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Write => "write",
            Self::ReadOrdered => "read-ordered",
            Self::ReadShuffled => "read-shuffled",
            Self::BatchRead => "batch-read",
            Self::Miss => "miss",
            Self::Reopen => "reopen",
            Self::Recover => "recover",
        }
    }

    /// Whom it can tell apart.
    pub fn engines(self) -> Vec<Engine> {
        let reads = matches!(self, Self::ReadOrdered | Self::ReadShuffled);
        Engine::ALL
            .into_iter()
            .filter(|engine| reads || *engine != Engine::TailstoneReader)
            .collect()
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|w| w.name() == name)
            .ok_or_else(|| format!("no workload is called {name}"))
    }
}

/// What one run took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Measured {
    /// Operations done.
    pub operations: u64,
    /// Time on the clock, in seconds.
    pub wall_s: f64,
    /// Time on the processor, all threads and the system included, in seconds.
    pub cpu_s: f64,
    /// Length of the store's file afterwards, in bytes.
    pub file_bytes: u64,
}

impl Measured {
    /// Processor time of one operation, in nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn cpu_ns(&self) -> f64 {
        self.cpu_s * 1e9 / self.operations as f64
    }

    /// Time on the clock of one operation, in nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn wall_ns(&self) -> f64 {
        self.wall_s * 1e9 / self.operations as f64
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} ns of processor time, {:.0} ns on the clock",
            self.cpu_ns(),
            self.wall_ns()
        )
    }
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "seconds of a benchmark")]
    let seconds = time.tv_sec as f64;
    #[expect(clippy::cast_precision_loss, reason = "below 10^9")]
    let nanoseconds = time.tv_nsec as f64;
    seconds + nanoseconds / 1e9
}

/// Times `work`, which does `operations`.
fn timed(
    operations: u64,
    work: impl FnOnce() -> Result<(), Box<dyn Error>>,
) -> Result<Measured, Box<dyn Error>> {
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    work()?;
    Ok(Measured {
        operations,
        wall_s: wall.elapsed().as_secs_f64(),
        cpu_s: cpu_seconds() - cpu,
        file_bytes: 0,
    })
}

/// Runs one workload on one store and measures it.
pub fn run(
    engine: Engine,
    workload: Workload,
    folder: &Path,
    records: u64,
) -> Result<Measured, Box<dyn Error>> {
    let path = folder.join(engine.file());
    let measured = match workload {
        Workload::Load => {
            remove(&path)?;
            let keys = data::keys(records);
            timed(records, || load(engine, &path, &keys))?
        }
        Workload::Write => {
            let path = folder.join(format!("single-{}", engine.file()));
            remove(&path)?;
            let keys = data::keys(records / 5);
            let measured = timed(records / 5, || engine.open(&path)?.write(&keys, 0))?;
            let file_bytes = fs::metadata(&path)?.len();
            remove(&path)?;
            return Ok(Measured {
                file_bytes,
                ..measured
            });
        }
        Workload::ReadOrdered | Workload::ReadShuffled | Workload::BatchRead | Workload::Miss => {
            let order: Vec<u64> = match workload {
                Workload::ReadOrdered => (0..records).collect(),
                _ => data::shuffled(records, 7),
            };
            let keys: Vec<_> = order.iter().copied().map(data::key).collect();
            let absent: Vec<_> = (records..records * 2).map(data::key).collect();
            let store = engine.open(&path)?;
            // Once before the clock starts, so that every store finds its pages mapped.
            store.read(&keys, &order)?;
            timed(records, || match workload {
                Workload::BatchRead => store.batch_read(&keys, &order),
                Workload::Miss => store.miss(&absent),
                _ => store.read(&keys, &order),
            })?
        }
        Workload::Reopen => timed(1, || engine.open(&path).map(drop))?,
        Workload::Recover => {
            let torn = folder.join(format!("torn-{}", engine.file()));
            fs::copy(&path, &torn)?;
            append_torn_write(&torn)?;
            let measured = timed(1, || engine.open(&torn).map(drop))?;
            let file_bytes = fs::metadata(&torn)?.len();
            remove(&torn)?;
            return Ok(Measured {
                file_bytes,
                ..measured
            });
        }
    };
    Ok(Measured {
        file_bytes: fs::metadata(&path)?.len(),
        ..measured
    })
}

fn load(engine: Engine, path: &Path, keys: &[[u8; 24]]) -> Result<(), Box<dyn Error>> {
    let store = engine.open(path)?;
    let mut first = 0;
    for batch in keys.chunks(10_000) {
        store.load(batch, first)?;
        first += batch.len() as u64;
    }
    Ok(())
}

/// A hundred offsets into the store, which look like the metadata of entries.
fn append_torn_write(path: &Path) -> Result<(), Box<dyn Error>> {
    let length = fs::metadata(path)?.len();
    let offsets = (1..=100_u64).flat_map(|at| (length / 101 * at).to_le_bytes());
    OpenOptions::new()
        .append(true)
        .open(path)?
        .write_all(&offsets.collect::<Vec<u8>>())?;
    Ok(())
}

fn remove(path: &Path) -> Result<(), std::io::Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
