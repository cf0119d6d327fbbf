//! How a store is opened and how far a write goes before it returns.

use crate::backing;

/// How far a write has come when its call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Handed to the operating system: it survives the end of the process, not a loss of power.
    #[default]
    Buffered,
    /// On stable storage: it survives a loss of power, which costs no more than what had not returned and never leaves a file
    /// that needs to be [salvaged](crate::salvage()).
    ///
    /// Threads that write at the same time share a sync. What is written together, by one call or by several threads, goes
    /// behind a marker that is synced first, so files are not byte for byte those of the reference (which reads them all the
    /// same); a thread that writes alone, one entry a call, leaves no marker. For a call with several entries that is a second sync, for
    /// threads that go on writing together it is not. Payloads above 64 KiB go alone.
    Sync,
}

/// What a store is opened with; `DataStore::options()` starts one.
///
/// `create` and `create_new` concern files alone: a store over any other backing is empty when the backing is.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, each set by its own method"
)]
pub struct Options {
    pub(crate) create: bool,
    pub(crate) create_new: bool,
    pub(crate) read_only: bool,
    pub(crate) verify_reads: bool,
    pub(crate) durability: Durability,
    pub(crate) snapshots: bool,
    clock: fn() -> u64,
}

impl Options {
    /// Opens for reading and writing, creates what is missing, buffers writes, leaves checksums to `verify`.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            create: true,
            create_new: false,
            read_only: false,
            verify_reads: false,
            durability: Durability::Buffered,
            snapshots: true,
            clock: backing::milliseconds_since_epoch,
        }
    }

    /// Whether a missing file is created; it is, unless this is switched off.
    #[must_use]
    pub const fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Whether an existing file is an error (of kind `AlreadyExists`).
    #[must_use]
    pub const fn create_new(mut self, create_new: bool) -> Self {
        self.create_new = create_new;
        self
    }

    /// Whether writes are refused and the file is left as it is, a torn tail included. Several read-only handles may
    /// share a file that nobody has open for writing.
    #[must_use]
    pub const fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Whether every read compares the value with its checksum, at the cost of reading all of it.
    #[must_use]
    pub const fn verify_reads(mut self, verify_reads: bool) -> Self {
        self.verify_reads = verify_reads;
        self
    }

    /// Whether opening starts from the last [snapshot of the index](crate::Store::snapshot_index), and closing writes one when it is due; both,
    /// unless this is switched off.
    #[must_use]
    pub const fn snapshots(mut self, snapshots: bool) -> Self {
        self.snapshots = snapshots;
        self
    }

    /// The clock by which values of buckets expire, in milliseconds since the Unix epoch; the system's by default. Where there is
    /// none (in a browser) the default stands still at 0, and nothing expires.
    #[must_use]
    pub const fn clock(mut self, clock: fn() -> u64) -> Self {
        self.clock = clock;
        self
    }

    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// How far each write goes before its call returns; [`Durability`] says what each step costs.
    #[must_use]
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
