//! Writing into an empty store. The clock stops when all is handed to the system, before the store is closed; what closing takes is a
//! figure of its own.

use super::Job;
use crate::data::{Order, VALUE_BYTES, Values};
use crate::files;
use crate::measured::{Measured, Rows, float, timed};
use crate::peer::{Durability, Outcome, Pair, Peer, Settings, Writes};
use std::path::Path;
use std::thread;

const BATCH: usize = 10_000;

/// For the usual values.
pub const BUFFERED: Settings = Settings {
    durability: Durability::Buffered,
    value_bytes: VALUE_BYTES,
};

/// The same, with each write on stable storage.
pub const DURABLE: Settings = Settings {
    durability: Durability::Durable,
    value_bytes: VALUE_BYTES,
};

/// Writes records in batches.
pub fn write_batches(writes: &mut impl Writes, order: &Order, batch: usize) -> Outcome {
    let mut template = Values::new(VALUE_BYTES);
    for (records, keys) in order.records.chunks(batch).zip(order.keys.chunks(batch)) {
        let values: Vec<[u8; VALUE_BYTES]> = records
            .iter()
            .map(|record| template.of(*record).try_into())
            .collect::<Result<_, _>>()?;
        let pairs = keys.iter().zip(&values);
        let pairs: Vec<Pair<'_>> = pairs.map(|(key, value)| (&key[..], &value[..])).collect();
        writes.write_all(&pairs)?;
    }
    Ok(())
}

/// Writes records one by one.
pub fn write_singly(writes: &mut impl Writes, order: &Order, values: &mut Values) -> Outcome {
    for (record, key) in order.iter() {
        writes.write(key, values.of(record))?;
    }
    Ok(())
}

/// Loads the store that most workloads read, and leaves it.
pub fn load<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    let folder = job.loaded();
    files::empty(&folder)?;
    let order = Order::ascending(0, job.records);
    let store = P::open(&folder, BUFFERED)?;
    let measured = timed(job.records, || {
        store.writing(|writes| write_batches(writes, &order, BATCH))?;
        store.hand_over()
    })?;
    Ok(job.row(closed(store, measured, &folder)?))
}

/// Makes a store whose process ends before it is closed.
pub fn kill<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    let folder = job.killed();
    files::empty(&folder)?;
    let order = Order::ascending(0, job.records);
    let store = P::open(&folder, BUFFERED)?;
    store.writing(|writes| write_batches(writes, &order, BATCH))?;
    store.hand_over()?;
    std::process::exit(0)
}

/// Closes a store, and adds what that took and what it left.
pub fn closed<P: Peer>(store: P, measured: Measured, folder: &Path) -> Outcome<Measured> {
    let closing = timed(1, || store.close())?;
    Ok(measured
        .filling(files::bytes(folder)?)
        .with("close_wall_s", closing.wall_s)
        .with("close_cpu_s", closing.cpu_s))
}

/// Runs `work` with an empty folder, which is removed again.
pub fn in_folder<T>(folder: &Path, work: impl FnOnce(&Path) -> Outcome<T>) -> Outcome<T> {
    files::empty(folder)?;
    let result = work(folder)?;
    files::remove(folder)?;
    Ok(result)
}

/// A fifth of the records, one by one.
pub fn write<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    let order = Order::ascending(0, job.records / 5);
    in_folder(&job.scratch(), |folder| {
        let store = P::open(folder, BUFFERED)?;
        let measured = timed(order.len(), || {
            store.writing(|writes| write_singly(writes, &order, &mut Values::new(VALUE_BYTES)))?;
            store.hand_over()
        })?;
        Ok(job.row(closed(store, measured, folder)?))
    })
}

/// So many writes by so many threads.
#[derive(Debug, Clone, Copy)]
pub struct Durable {
    /// Threads.
    pub threads: u8,
    /// Writes of each.
    pub each: u64,
}

/// Runs `write` for each record of each thread and times all of it.
pub fn durable_writes(
    durable: Durable,
    write: impl Fn(&Order) -> Outcome + Sync,
) -> Outcome<Measured> {
    let threads = u64::from(durable.threads);
    let shares: Vec<Order> = (0..threads)
        .map(|thread| Order::ascending(thread * durable.each, durable.each))
        .collect();
    let operations = threads * durable.each;
    let measured = timed(operations, || {
        thread::scope(|scope| {
            let write = &write;
            let running: Vec<_> = shares
                .iter()
                .map(|share| scope.spawn(move || write(share)))
                .collect();
            running
                .into_iter()
                .try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
        })
    })?;
    let rate = float(operations) / measured.wall_s;
    Ok(measured.with("writes_per_s", rate))
}

/// Durable writes by several threads.
pub fn write_durable<P: Peer>(job: &Job<'_>, threads: u8) -> Outcome<Rows> {
    if !P::DURABLE {
        return Ok(Rows::new());
    }
    let durable = Durable {
        threads,
        each: job.durable_writes,
    };
    in_folder(&job.scratch(), |folder| {
        let store = P::open(folder, DURABLE)?;
        let measured = durable_writes(durable, |share| {
            store.writing(|writes| write_singly(writes, share, &mut Values::new(VALUE_BYTES)))
        })?;
        Ok(job.row(closed(store, measured, folder)?))
    })
}
