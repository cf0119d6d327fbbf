//! The phases that redb's own benchmark has, one after the other on one store, with its shape of data and in random order of keys.
//! Reads of ranges are not among them: a store without an order has none.

use super::Job;
use super::loading::{BUFFERED, DURABLE, in_folder, write_batches, write_singly};
use super::reading::read_singly;
use super::threads::read_shared;
use crate::data::{self, Order, VALUE_BYTES, Values};
use crate::files;
use crate::measured::{Measured, Rows, float, timed};
use crate::peer::{Outcome, Peer, Reads, Writes};

/// Writes of a thousand each.
const BATCHES: u64 = 100;
const BATCH: usize = 1000;

/// Phases and what they took.
struct Phases(Rows);

impl Phases {
    fn add(&mut self, phase: &str, operations: u64, work: impl FnOnce() -> Outcome) -> Outcome {
        let measured = timed(operations, work)?;
        self.0.push((format!("redb-{phase}"), measured));
        Ok(())
    }

    /// The same with each change on stable storage: done by a store that cannot, so that it holds the same, but not told.
    fn add_durable<P: Peer>(
        &mut self,
        phase: &str,
        operations: u64,
        work: impl FnOnce() -> Outcome,
    ) -> Outcome {
        self.add(phase, operations, work)?;
        if !P::DURABLE {
            self.0.pop();
        }
        Ok(())
    }

    fn add_size(&mut self, phase: &str, bytes: u64) {
        let measured = Measured {
            operations: 1,
            file_bytes: bytes,
            ..Measured::default()
        };
        self.0.push((
            format!("redb-{phase}"),
            measured.with("bytes", float(bytes)),
        ));
    }
}

/// All phases that `P` can.
pub fn run<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    let mut phases = Phases(Rows::new());
    let all = Order::shuffled(job.records, 11);
    in_folder(&job.scratch(), |folder| {
        let mut next = job.records;
        let mut fresh = |count| {
            let mut records: Vec<u64> = (next..next + count).collect();
            next += count;
            data::shuffle(&mut records, count);
            Order::of(records)
        };
        let singles = fresh(job.durable_writes);
        let batches = fresh(BATCHES.min(job.records / BATCH as u64) * BATCH as u64);
        let unsynced = fresh(50_000.min(job.records));

        let store = P::open(folder, DURABLE)?;
        phases.add_durable::<P>("bulk-load", all.len(), || {
            store.writing(|writes| write_batches(writes, &all, all.records.len().max(1)))
        })?;
        phases.add_durable::<P>("individual-writes", singles.len(), || {
            store.writing(|writes| write_singly(writes, &singles, &mut Values::new(VALUE_BYTES)))
        })?;
        phases.add_durable::<P>("batch-writes", batches.len(), || {
            store.writing(|writes| write_batches(writes, &batches, BATCH))
        })?;
        store.close()?;
        let store = P::open(folder, BUFFERED)?;
        phases.add("nosync-writes", unsynced.len(), || {
            store
                .writing(|writes| write_singly(writes, &unsynced, &mut Values::new(VALUE_BYTES)))?;
            store.hand_over()
        })?;
        reads(&store, &Order::shuffled(job.records, 13), &mut phases)?;
        let half = all.clone().truncated(all.len() / 2);
        let keys: Vec<&[u8]> = half.keys.iter().map(|key| &key[..]).collect();
        phases.add("removals", half.len(), || {
            store.writing(|writes| writes.remove_all(&keys))?;
            store.hand_over()
        })?;
        store.close()?;
        phases.add_size("uncompacted-size", files::bytes(folder)?);
        let mut store = P::open(folder, BUFFERED)?;
        let mut can = false;
        phases.add("compaction", 1, || {
            can = store.compact()?;
            Ok(())
        })?;
        store.close()?;
        if can {
            phases.add_size("compacted-size", files::bytes(folder)?);
        } else {
            phases.0.pop();
        }
        Ok(phases.0)
    })
}

fn reads<P: Peer>(store: &P, all: &Order, phases: &mut Phases) -> Outcome {
    let values = Values::new(VALUE_BYTES);
    phases.add("len", 1, || {
        let count = store.reading(|reads| reads.len())?;
        let good = count >= all.len();
        good.then_some(()).ok_or_else(|| "it lost count".into())
    })?;
    for phase in ["random-reads-1st", "random-reads-2nd"] {
        phases.add(phase, all.len(), || {
            store.reading(|reads| read_singly(reads, all, &values))
        })?;
    }
    for threads in [4, 8, 16, 32] {
        let share = all.records.len().div_ceil(threads).max(1);
        phases.add(
            &format!("random-reads-{threads}-threads"),
            all.len(),
            || read_shared(store, all, share, &values),
        )?;
    }
    Ok(())
}
