//! Values of several sizes.

use super::loading::{closed, in_folder, write_singly};
use super::reading::read_singly;
use super::{Job, size};
use crate::data::{Order, Values};
use crate::measured::{Rows, float, timed};
use crate::peer::{Durability, Outcome, Peer, Settings};

/// Bytes of the values.
pub const SIZES: [u64; 6] = [8, 150, 4 << 10, 64 << 10, 1 << 20, 64 << 20];

/// Bytes of all values together for a million records.
const TOTAL_BYTES: u64 = 256 << 20;
const MOST: u64 = 200_000;

/// How many values of `bytes` there are: fewer where a trial run asks for fewer records.
pub fn count_of(job: &Job<'_>, bytes: u64) -> u64 {
    let part = job.records.min(1_000_000);
    let total = TOTAL_BYTES / 1_000_000 * part;
    (total / bytes).clamp(1, MOST.min(part))
}

/// Writes them one by one into an empty store, and reads them in another order.
pub fn values<P: Peer>(job: &Job<'_>, bytes: u64) -> Outcome<Rows> {
    let count = count_of(job, bytes);
    let value_bytes = usize::try_from(bytes)?;
    let mut values = Values::new(value_bytes);
    let settings = Settings {
        durability: Durability::Buffered,
        value_bytes,
    };
    let (ascending, shuffled) = (Order::ascending(0, count), Order::shuffled(count, 7));
    in_folder(&job.scratch(), |folder| {
        let store = P::open(folder, settings)?;
        let written = timed(count, || {
            store.writing(|writes| write_singly(writes, &ascending, &mut values))?;
            store.hand_over()
        })?;
        let written = closed(store, written, folder)?;
        let store = P::open(folder, settings)?;
        let read = store.reading(|reads| {
            read_singly(reads, &shuffled, &values)?;
            timed(count, || read_singly(reads, &shuffled, &values))
        })?;
        store.close()?;
        let written = written.with("value_bytes", float(bytes));
        let read = read.with("value_bytes", float(bytes));
        let mut rows = vec![(format!("read-{}", size(bytes)), read)];
        // The other way to read writes no other way.
        if job.name != "tailstone-reader" {
            rows.insert(0, (format!("write-{}", size(bytes)), written));
        }
        Ok(rows)
    })
}
