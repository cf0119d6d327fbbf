//! What is measured: the names, and who does which.

mod large;
mod latencies;
mod loading;
mod opening;
mod reading;
mod redb_phases;
mod streams;
mod threads;
mod upkeep;

pub use large::{SIZES, count_of};
pub use loading::{Durable, durable_writes, in_folder};
pub use streams::{in_pieces, same, source};
pub use upkeep::over_parts;

use crate::engines::Engine;
use crate::lanes::Lane;
use crate::measured::Rows;
use crate::peer::{Outcome, Peer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// One workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// All records in batches of 10,000 into an empty store.
    Load,
    /// A fifth of the records, one by one, into an empty store.
    Write,
    /// A few hundred durable writes by each of so many threads.
    WriteDurable(u8),
    /// All records by key, in the order they were written.
    ReadOrdered,
    /// All records by key, in random order.
    ReadShuffled,
    /// A tenth of the records in random order from the disk, and the opening before it.
    ReadShuffledCold,
    /// All records, 1,024 at a time, in random order.
    BatchRead,
    /// As many keys that are not there.
    Miss,
    /// All records in random order, shared out among so many threads.
    Threads(u8),
    /// Two threads that read, without and with a third that writes.
    ReadersBesideWriter,
    /// Each operation by a clock of its own.
    Latency(Operation),
    /// Opening the loaded store, which was closed in order.
    Reopen,
    /// Opening the loaded store, whose process ended without closing it.
    ReopenWithoutSnapshot,
    /// The same, and behind the store's end lies what does not belong to it.
    Recover(Tail),
    /// What a process holds in memory once it has opened the store and read everything.
    Memory,
    /// The same where there is no snapshot of the index to open from.
    MemoryWithoutSnapshot,
    /// Values of so many bytes, one by one, into an empty store, and out of it.
    Values(u64),
    /// Values of 1 MiB from a file into an empty store, and out of it into a file.
    Streams,
    /// Every value of the loaded store.
    Iterate,
    /// Every checksum of the loaded store, by so many threads.
    Verify(u8),
    /// Giving back the space of a store half of which was overwritten.
    Compact,
    /// The phases that redb's own benchmark has.
    Redb,
}

/// What is timed one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// A read of the loaded store.
    Read,
    /// A buffered write.
    Write,
    /// A durable write.
    WriteDurable,
}

/// What lies behind the end of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tail {
    /// 800 bytes of a write that was torn, made of offsets into the store, which look like the metadata of entries.
    Torn,
    /// 64 MiB of random bytes.
    Random,
    /// 64 MiB of zeros.
    Zeros,
    /// A value of 64 MiB that was torn, made of the tails that the store had after each record: metadata of an entry wherever one looks.
    OwnTails,
}

impl Workload {
    /// In the order in which they are told.
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Load,
            Self::Write,
            Self::WriteDurable(1),
            Self::WriteDurable(8),
            Self::ReadOrdered,
            Self::ReadShuffled,
            Self::ReadShuffledCold,
            Self::BatchRead,
            Self::Miss,
            Self::Threads(2),
            Self::Threads(4),
            Self::Threads(8),
            Self::ReadersBesideWriter,
            Self::Latency(Operation::Read),
            Self::Latency(Operation::Write),
            Self::Latency(Operation::WriteDurable),
            Self::Reopen,
            Self::ReopenWithoutSnapshot,
            Self::Recover(Tail::Torn),
            Self::Recover(Tail::Random),
            Self::Recover(Tail::Zeros),
            Self::Recover(Tail::OwnTails),
            Self::Memory,
            Self::MemoryWithoutSnapshot,
        ];
        all.extend(SIZES.map(Self::Values));
        all.extend([
            Self::Streams,
            Self::Iterate,
            Self::Verify(1),
            Self::Verify(2),
            Self::Compact,
            Self::Redb,
        ]);
        all
    }

    /// Whom it can tell apart. Who is asked in vain says so itself.
    pub fn contenders(self) -> Vec<Contender> {
        let engines = Engine::ALL.iter().filter(|engine| match engine {
            // The same store as the one before it, but for the way it reads, or makes writes durable.
            Engine::TailstoneReader => matches!(
                self,
                Self::ReadOrdered
                    | Self::ReadShuffled
                    | Self::ReadShuffledCold
                    | Self::Miss
                    | Self::Threads(_)
                    | Self::ReadersBesideWriter
                    | Self::Latency(Operation::Read)
                    | Self::Values(_)
            ),
            Engine::TailstoneSync => matches!(
                self,
                Self::WriteDurable(_) | Self::Latency(Operation::WriteDurable)
            ),
            Engine::Tailstone => true,
            // Only this store has snapshots.
            _ if self == Self::MemoryWithoutSnapshot => false,
            Engine::SimdRDrive => !matches!(self, Self::Verify(_)),
            #[cfg(feature = "peers")]
            _ => !matches!(self, Self::Recover(_) | Self::Verify(_) | Self::Streams),
        });
        let engines = engines.copied().map(Contender::Engine);
        let lanes = Lane::ALL.into_iter().filter(|lane| lane.runs(self));
        engines.chain(lanes.map(Contender::Lane)).collect()
    }

    /// Whether it reads the store that `Load` leaves.
    pub const fn needs_load(self) -> bool {
        !matches!(
            self,
            Self::Load
                | Self::Write
                | Self::WriteDurable(_)
                | Self::Latency(Operation::Write | Operation::WriteDurable)
                | Self::ReopenWithoutSnapshot
                | Self::MemoryWithoutSnapshot
                | Self::Recover(_)
                | Self::Values(_)
                | Self::Streams
                | Self::Redb
        )
    }

    /// Whether it reads a store whose process ended without closing it.
    pub const fn needs_kill(self) -> bool {
        matches!(
            self,
            Self::ReopenWithoutSnapshot | Self::MemoryWithoutSnapshot | Self::Recover(_)
        )
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load => f.write_str("load"),
            Self::Write => f.write_str("write"),
            Self::WriteDurable(threads) => write!(f, "write-durable-{threads}"),
            Self::ReadOrdered => f.write_str("read-ordered"),
            Self::ReadShuffled => f.write_str("read-shuffled"),
            Self::ReadShuffledCold => f.write_str("read-shuffled-cold"),
            Self::BatchRead => f.write_str("batch-read"),
            Self::Miss => f.write_str("miss"),
            Self::Threads(threads) => write!(f, "threads-{threads}"),
            Self::ReadersBesideWriter => f.write_str("readers-beside-writer"),
            Self::Latency(Operation::Read) => f.write_str("latency-read"),
            Self::Latency(Operation::Write) => f.write_str("latency-write"),
            Self::Latency(Operation::WriteDurable) => f.write_str("latency-write-durable"),
            Self::Reopen => f.write_str("reopen"),
            Self::ReopenWithoutSnapshot => f.write_str("reopen-without-snapshot"),
            Self::Recover(Tail::Torn) => f.write_str("recover"),
            Self::Recover(Tail::Random) => f.write_str("recover-random"),
            Self::Recover(Tail::Zeros) => f.write_str("recover-zeros"),
            Self::Recover(Tail::OwnTails) => f.write_str("recover-own-tails"),
            Self::Memory => f.write_str("memory"),
            Self::MemoryWithoutSnapshot => f.write_str("memory-without-snapshot"),
            Self::Values(bytes) => write!(f, "values-{}", size(*bytes)),
            Self::Streams => f.write_str("streams"),
            Self::Iterate => f.write_str("iterate"),
            Self::Verify(threads) => write!(f, "verify-{threads}"),
            Self::Compact => f.write_str("compact"),
            Self::Redb => f.write_str("redb"),
        }
    }
}

/// A number of bytes as part of a name.
pub fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{}MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{}KiB", bytes >> 10),
        bytes => format!("{bytes}B"),
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::all()
            .into_iter()
            .find(|workload| workload.to_string() == name)
            .ok_or_else(|| format!("no workload is called {name}"))
    }
}

/// Who does a workload: a store, or what the machine does without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// A store.
    Engine(Engine),
    /// The machine.
    Lane(Lane),
}

impl Contender {
    /// What it is called on the command line and in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Engine(engine) => engine.name(),
            Self::Lane(lane) => lane.name(),
        }
    }

    /// The folder that it works in.
    pub const fn home(self) -> &'static str {
        match self {
            Self::Engine(engine) => engine.home(),
            Self::Lane(_) => "lanes",
        }
    }

    /// The folder whose loaded store it reads: where there is no store, what this one left.
    pub const fn reads(self) -> &'static str {
        match self {
            Self::Engine(engine) => engine.home(),
            Self::Lane(_) => Engine::Tailstone.home(),
        }
    }

    /// Does a job.
    pub fn run(self, job: &Job<'_>) -> Outcome<Rows> {
        match self {
            Self::Engine(engine) => engine.run(job),
            Self::Lane(lane) => lane.run(job),
        }
    }
}

impl FromStr for Contender {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let engines = Engine::ALL.iter().copied().map(Self::Engine);
        let mut all = engines.chain(Lane::ALL.map(Self::Lane));
        all.find(|contender| contender.name() == name)
            .ok_or_else(|| format!("no store is called {name}"))
    }
}

/// What one process is for.
#[derive(Debug)]
pub struct Job<'a> {
    /// What is done.
    pub workload: Workload,
    /// Whether only what it needs is made: a store whose process ends without closing it.
    pub prepares: bool,
    /// The folder that all stores lie in.
    pub folder: &'a Path,
    /// Who does it.
    pub name: &'static str,
    /// The folder of this one's stores, under `folder`.
    pub home: &'a str,
    /// Records in a loaded store.
    pub records: u64,
    /// Durable writes of each thread.
    pub durable_writes: u64,
}

impl Job<'_> {
    /// The loaded store.
    pub fn loaded(&self) -> PathBuf {
        self.folder.join(self.home).join("loaded")
    }

    /// The store that was not closed.
    pub fn killed(&self) -> PathBuf {
        self.folder.join(self.home).join("killed")
    }

    /// A place for this workload alone.
    pub fn scratch(&self) -> PathBuf {
        self.folder.join(self.home).join("scratch")
    }

    /// One row, called like the workload.
    pub fn row(&self, measured: crate::measured::Measured) -> Rows {
        vec![(self.workload.to_string(), measured)]
    }
}

/// Does a job on a store.
pub fn run<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    match job.workload {
        _ if job.prepares => loading::kill::<P>(job),
        Workload::Load => loading::load::<P>(job),
        Workload::Write => loading::write::<P>(job),
        Workload::WriteDurable(count) => loading::write_durable::<P>(job, count),
        Workload::ReadOrdered
        | Workload::ReadShuffled
        | Workload::BatchRead
        | Workload::Miss
        | Workload::Iterate => reading::warm::<P>(job),
        Workload::ReadShuffledCold => reading::cold::<P>(job),
        Workload::Memory => reading::memory::<P>(job, &job.loaded()),
        Workload::MemoryWithoutSnapshot => reading::memory_killed::<P>(job),
        Workload::Threads(count) => threads::read::<P>(job, count),
        Workload::ReadersBesideWriter => threads::beside_writer::<P>(job),
        Workload::Latency(operation) => latencies::run::<P>(job, operation),
        Workload::Reopen => opening::reopen::<P>(job),
        Workload::ReopenWithoutSnapshot => opening::reopen_killed::<P>(job),
        Workload::Recover(tail) => opening::recover::<P>(job, tail),
        Workload::Values(bytes) => large::values::<P>(job, bytes),
        Workload::Streams => streams::run(job),
        Workload::Verify(threads) => upkeep::verify(job, threads),
        Workload::Compact => upkeep::compact::<P>(job),
        Workload::Redb => redb_phases::run::<P>(job),
    }
}
