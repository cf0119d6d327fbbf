//! The steps of a benchmark, in turns: each round goes through all of them.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tailstone::{DataStore, DataStoreReader, DataStoreWriter, Durability};

use super::records::{Values, key, shuffled};
use super::{Made, disk};
use crate::exit::{Failure, Result, Status};
use crate::plan::Plan;
use crate::progress::Progress;

/// Writes that wait for the disk, in a round and row: a slow disk does some hundred in a second.
const DURABLE_MAX: u32 = 256;
const THREADS: u32 = 8;

/// A kind of key for each purpose, so that none replaces another's.
const BUFFERED: u32 = 0;
const ABSENT: u32 = 1;
const DURABLE: u32 = 2;

/// One row: the same operations, timed once a round.
pub struct Step {
    pub name: &'static str,
    /// How many operations one time is for.
    pub operations: u32,
    /// What an operation moves, in bytes.
    pub bytes: usize,
    /// Name of the row with what a plain file takes for the same.
    pub plain: Option<&'static str>,
    pub times: Vec<Duration>,
}

const PLAIN: &str = "plain writes";
const PLAIN_SYNCED: &str = "plain writes, each synced";

struct Rounds {
    plan: Plan,
    values: Values,
    steps: Vec<Step>,
    done: u64,
    progress: Progress,
}

/// Goes through all rounds; leaves nothing behind unless the plan keeps the store.
pub fn measure(file: &Path, plan: &Plan) -> Result<Vec<Step>> {
    let mut made = Made::take(file)?;
    let mut name = file.as_os_str().to_owned();
    name.push(".baseline");
    let baseline = Made::take(Path::new(&name))?;
    let mut rounds = Rounds {
        plan: plan.clone(),
        values: Values::new(plan.value_size),
        steps: Vec::new(),
        done: 0,
        progress: Progress::of_steps("bench"),
    };
    for round in 0..plan.rounds {
        rounds.one(&made, &baseline, u64::from(round))?;
    }
    if plan.keep {
        made.keep();
    }
    Ok(rounds.steps)
}

impl Rounds {
    fn one(&mut self, made: &Made, baseline: &Made, seed: u64) -> Result {
        let (records, len) = (self.plan.records, self.plan.value_size);
        let mut values = self.values.clone();
        let file = baseline.new_file()?;
        self.time((PLAIN, records, len, None), || {
            disk::append(&file, &mut values, records, false)
        })?;
        let file = baseline.new_file()?;

        let store = made.new_store()?;
        self.time(("single writes", records, len, Some(PLAIN)), || {
            write_single(&store, &mut values, BUFFERED, records)
        })?;
        drop(store);
        let store = made.new_store()?;
        let batch = self.plan.batch;
        self.time(("batches", records, len, Some(PLAIN)), || {
            write_batches(&store, &mut values, records, batch)
        })?;
        self.time(("reads in order", records, len, None), || {
            read_all(&store, &values, 0..records)
        })?;
        let order = shuffled(records, seed);
        self.time(("reads shuffled", records, len, None), || {
            read_all(&store, &values, order.iter().copied())
        })?;
        self.time(("misses", records, 0, None), || miss_all(&store, &order))?;
        store.close()?;

        let mut opened = None;
        self.time(("reopening", 1, 0, None), || {
            opened = Some(made.open(Durability::Sync)?);
            Ok(())
        })?;
        let Some(store) = opened else { return Ok(()) };
        let durable = records.min(DURABLE_MAX);
        self.time((PLAIN_SYNCED, durable, len, None), || {
            disk::append(&file, &mut values, durable, true)
        })?;
        let row = ("durable writes, 1 thread", durable, len, Some(PLAIN_SYNCED));
        self.time(row, || write_single(&store, &mut values, DURABLE, durable))?;
        let each = durable.div_ceil(THREADS);
        let row = (
            "durable writes, 8 threads",
            each.saturating_mul(THREADS),
            len,
            Some(PLAIN_SYNCED),
        );
        self.time(row, || write_at_once(&store, &values, each))?;
        check_durable(&store, &values, durable, each)?;
        store.close()?;
        Ok(())
    }

    /// Times `work` as this round's entry of a row.
    fn time(
        &mut self,
        (name, operations, bytes, plain): (&'static str, u32, usize, Option<&'static str>),
        work: impl FnOnce() -> Result,
    ) -> Result {
        let begun = Instant::now();
        work()?;
        let time = begun.elapsed();
        match self.steps.iter_mut().find(|step| step.name == name) {
            Some(step) => step.times.push(time),
            None => self.steps.push(Step {
                name,
                operations,
                bytes,
                plain,
                times: vec![time],
            }),
        }
        self.done += 1;
        let steps = u64::from(self.plan.rounds).saturating_mul(10);
        self.progress.update(self.done, Some(steps));
        Ok(())
    }
}

fn write_single(store: &DataStore, values: &mut Values, kind: u32, count: u32) -> Result {
    for number in 0..count {
        store.write(&key(kind, number), values.of(number))?;
    }
    Ok(())
}

fn write_batches(store: &DataStore, values: &mut Values, count: u32, batch: u32) -> Result {
    let mut first = 0;
    while first < count {
        let end = first.saturating_add(batch).min(count);
        let records: Vec<_> = (first..end)
            .map(|number| (key(BUFFERED, number), values.of(number).to_vec()))
            .collect();
        let entries: Vec<(&[u8], &[u8])> = records
            .iter()
            .map(|(key, value)| (key.as_slice(), value.as_slice()))
            .collect();
        store.batch_write(&entries)?;
        first = end;
    }
    Ok(())
}

/// Each thread its own keys.
fn write_at_once(store: &DataStore, values: &Values, each: u32) -> Result {
    thread::scope(|scope| {
        let writers: Vec<_> = (1..=THREADS)
            .map(|thread| {
                let mut values = values.clone();
                scope.spawn(move || write_single(store, &mut values, DURABLE + thread, each))
            })
            .collect();
        writers.into_iter().try_for_each(|writer| {
            let stopped = |_| Failure::new(Status::Io, "a writing thread stopped");
            writer.join().map_err(stopped)?
        })
    })
}

fn read_all(store: &DataStore, values: &Values, numbers: impl Iterator<Item = u32>) -> Result {
    numbers
        .into_iter()
        .try_for_each(|number| check(store, values, BUFFERED, number))
}

fn check_durable(store: &DataStore, values: &Values, single: u32, each: u32) -> Result {
    (0..single).try_for_each(|number| check(store, values, DURABLE, number))?;
    (1..=THREADS).try_for_each(|thread| {
        (0..each).try_for_each(|number| check(store, values, DURABLE + thread, number))
    })
}

fn check(store: &DataStore, values: &Values, kind: u32, number: u32) -> Result {
    let value = store.read(&key(kind, number))?;
    if value.is_some_and(|value| values.is(number, &value)) {
        return Ok(());
    }
    let message = format!("value {number} was read otherwise than it was written");
    Err(Failure::new(Status::Damaged, message))
}

fn miss_all(store: &DataStore, numbers: &[u32]) -> Result {
    for &number in numbers {
        if store.read(&key(ABSENT, number))?.is_some() {
            let message = format!("key {number} was found and never written");
            return Err(Failure::new(Status::Damaged, message));
        }
    }
    Ok(())
}
