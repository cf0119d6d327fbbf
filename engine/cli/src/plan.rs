//! What `bench` is asked for.

use crate::size;

/// What `bench --help` says.
pub const ABOUT: &str = "\
Measure this disk, with a store in FILE, which must not exist and is removed again

Every round goes through the same steps, by the clock on the wall, and every value that is read is compared whole with what was \
written. Keys have 16 bytes. The table shows the median of the rounds, the least and the most; machines that do other work differ \
much between rounds, so compare figures of one run. Bars and ranges show the same.

  plain writes          the values alone, appended to a plain file, a system call for each
  single writes         each value under its key, handed to the system, not synced
  batches               the same, many in one call
  reads in order        each value, in the order of writing, from the page cache
  reads shuffled        the same in a random order
  shuffled, reader()    by a view that is pinned once
  shuffled, batch_read  1,024 keys at a time
  misses                keys that are not there
  1 MiB ...             values of a mebibyte, written at once or as a stream, beside plain writes of as many bytes; read into one \
place at once or as a stream, beside copies of memory
  opening, snapshot     from the snapshot of the index that closing leaves
  opening, none         from the entries alone
  plain writes, each synced        the same with fdatasync: what the disk can do
  durable writes, 1 or 8 threads   each returns once it is on stable storage

Then, of operations that are timed one by one in all rounds, how long half of them took at most, 99 of a hundred, and 999 of a thousand, \
with what looking at the clock takes.

Of writes that wait for the disk there are at most 256 a round and row, and of values of a mebibyte a thousandth of the records, at \
most 64; it needs some 300 MB of room. Column `to plain` is the time against that of the plain file, or of the copy, in the same round: \
0.5 is twice as fast. A run that is interrupted leaves FILE and FILE.baseline behind.";

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
    /// How many times everything is measured, at most
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Begin no round that would hardly end within so many seconds; one is always measured
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Leave the store of the last round where it is
    #[arg(long)]
    pub keep: bool,
}
