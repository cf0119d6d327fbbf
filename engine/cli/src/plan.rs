//! What `bench` is asked for.

use crate::size;

/// What `bench --help` says.
pub const ABOUT: &str = "\
Measure this disk, with a store in FILE, which must not exist and is removed again

Every round goes through the same steps, by the clock on the wall, and every value that is read is compared whole with what was \
written. Keys have 16 bytes. The table shows the median of the rounds, the least and the most; machines that do other work differ \
much between rounds, so compare figures of one run.

  plain writes       the values alone, appended to a plain file, a system call for each
  single writes      each value under its key, handed to the system, not synced
  batches            the same, many in one call
  reads in order     each value, in the order of writing, from the page cache
  reads shuffled     the same in a random order
  misses             keys that are not there
  reopening          closing is not part of it
  plain writes, each synced        the same with fdatasync: what the disk can do
  durable writes, 1 or 8 threads   each returns once it is on stable storage

Of writes that wait for the disk there are at most 256 a round and row. The last column is the time against that of the plain file \
in the same round: 0.5 is twice as fast. A run that is interrupted leaves FILE and FILE.baseline behind.";

/// What is measured.
#[derive(Debug, Clone, clap::Args)]
pub struct Plan {
    /// How many values a round writes and reads
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub records: u32,
    /// How long each value is, such as 150 or 4K
    #[arg(long, value_name = "SIZE", default_value = "150", value_parser = size::parse)]
    pub value_size: usize,
    /// How many values go into a batch
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// How many times everything is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Leave the store of the last round where it is
    #[arg(long)]
    pub keep: bool,
}
