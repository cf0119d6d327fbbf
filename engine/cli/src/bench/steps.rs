//! What is measured: the rows, by the groups in which they are shown.

use std::time::Duration;

use serde::Serialize;

/// Rows a round has.
pub const STEPS: u64 = 19;

/// Rows that are compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    Writes,
    Reads,
    Long,
    Opening,
    Durable,
}

impl Group {
    /// In the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::Writes,
        Self::Reads,
        Self::Long,
        Self::Opening,
        Self::Durable,
    ];

    /// What stands over its bars.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Writes => "Writes",
            Self::Reads => "Reads",
            Self::Long => "Values of 1 MiB",
            Self::Opening => "Opening",
            Self::Durable => "Writes that wait for the disk",
        }
    }
}

/// What a row is about.
#[derive(Debug, Clone, Copy)]
pub struct About {
    pub name: &'static str,
    pub group: Group,
    /// Whether an operation moves a value.
    pub moves: bool,
    /// Name of the row with what it takes without a store.
    pub plain: Option<&'static str>,
}

/// One row: the same operations, timed once a round.
pub struct Step {
    pub about: About,
    /// How many operations one time is for.
    pub operations: u32,
    /// What an operation moves, in bytes.
    pub bytes: usize,
    pub times: Vec<Duration>,
}

pub const PLAIN: About = of(Group::Writes, "plain writes");
pub const SINGLE: About = of(Group::Writes, "single writes").beside(PLAIN);
pub const BATCHES: About = of(Group::Writes, "batches").beside(PLAIN);

pub const IN_ORDER: About = of(Group::Reads, "reads in order");
pub const SHUFFLED: About = of(Group::Reads, "reads shuffled");
pub const BY_READER: About = of(Group::Reads, "shuffled, reader()");
pub const BY_BATCH: About = of(Group::Reads, "shuffled, batch_read");
pub const MISSES: About = of(Group::Reads, "misses").without_values();

pub const LONG_PLAIN: About = of(Group::Long, "1 MiB plain writes");
pub const LONG_WRITES: About = of(Group::Long, "1 MiB writes").beside(LONG_PLAIN);
pub const LONG_STREAMS: About = of(Group::Long, "1 MiB streamed in").beside(LONG_PLAIN);
pub const LONG_COPIES: About = of(Group::Long, "1 MiB memory copies");
pub const LONG_READS: About = of(Group::Long, "1 MiB reads").beside(LONG_COPIES);
pub const LONG_READ_STREAMS: About = of(Group::Long, "1 MiB streamed out").beside(LONG_COPIES);

pub const OPENING: About = of(Group::Opening, "opening, snapshot").without_values();
pub const OPENING_BARE: About = of(Group::Opening, "opening, none").without_values();

pub const PLAIN_SYNCED: About = of(Group::Durable, "plain writes, each synced");
pub const DURABLE: About = of(Group::Durable, "durable writes, 1 thread").beside(PLAIN_SYNCED);
pub const DURABLE_TOGETHER: About =
    of(Group::Durable, "durable writes, 8 threads").beside(PLAIN_SYNCED);

const fn of(group: Group, name: &'static str) -> About {
    About {
        name,
        group,
        moves: true,
        plain: None,
    }
}

impl About {
    const fn beside(mut self, plain: Self) -> Self {
        self.plain = Some(plain.name);
        self
    }

    const fn without_values(mut self) -> Self {
        self.moves = false;
        self
    }
}
