//! How long single operations take, by a clock of their own each. Nothing is subtracted; what reading the clock costs is told.

use super::loading::{BUFFERED, DURABLE, in_folder};
use super::reading::{is, read_singly, wrong};
use super::{Job, Operation};
use crate::data::{Order, VALUE_BYTES, Values};
use crate::measured::{Measured, Rows, float, timed};
use crate::peer::{Outcome, Peer, Reads, Settings, Writes};
use std::time::Instant;

/// More than these tell nothing new.
const MOST: u64 = 500_000;

/// Times each operation of one kind.
pub fn run<P: Peer>(job: &Job<'_>, operation: Operation) -> Outcome<Rows> {
    let measured = match operation {
        Operation::Read => read::<P>(job)?,
        Operation::Write => write::<P>(job, BUFFERED, job.records / 5)?,
        Operation::WriteDurable if !P::DURABLE => return Ok(Rows::new()),
        Operation::WriteDurable => write::<P>(job, DURABLE, job.durable_writes)?,
    };
    Ok(job.row(measured))
}

fn read<P: Peer>(job: &Job<'_>) -> Outcome<Measured> {
    let order = Order::shuffled(job.records, 7).truncated(MOST);
    let values = Values::new(VALUE_BYTES);
    let store = P::open(&job.loaded(), BUFFERED)?;
    store.reading(|reads| {
        read_singly(reads, &order, &values)?;
        let mut times = Times::of(&order);
        let measured = timed(order.len(), || {
            for (record, key) in order.iter() {
                let good = times.take(|| reads.read(key, |value| is(&values, record, value)))?;
                if !good {
                    return Err(wrong(record));
                }
            }
            Ok(())
        })?;
        Ok(times.tell(measured))
    })
}

fn write<P: Peer>(job: &Job<'_>, settings: Settings, count: u64) -> Outcome<Measured> {
    let order = Order::ascending(0, count.min(MOST));
    let mut values = Values::new(VALUE_BYTES);
    in_folder(&job.scratch(), |folder| {
        let store = P::open(folder, settings)?;
        let mut times = Times::of(&order);
        let measured = timed(order.len(), || {
            store.writing(|writes| {
                for (record, key) in order.iter() {
                    times.take(|| writes.write(key, values.of(record)))?;
                }
                Ok(())
            })
        })?;
        store.close()?;
        Ok(times.tell(measured))
    })
}

/// Times of operations, in nanoseconds.
struct Times(Vec<u64>);

impl Times {
    /// With room for all of them, so that none pays for its growth.
    fn of(order: &Order) -> Self {
        Self(Vec::with_capacity(order.records.len()))
    }

    #[inline]
    fn take<T>(&mut self, operation: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = operation();
        let took = begun.elapsed();
        self.0
            .push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        result
    }

    fn tell(mut self, measured: Measured) -> Measured {
        let mut clock = Self(Vec::with_capacity(1001));
        for _ in 0..1001 {
            clock.take(|| ());
        }
        measured
            .with("p50_ns", self.at(500))
            .with("p99_ns", self.at(990))
            .with("p999_ns", self.at(999))
            .with("clock_ns", clock.at(500))
    }

    /// The time that so many of a thousand operations do not exceed.
    fn at(&mut self, thousandths: usize) -> f64 {
        self.0.sort_unstable();
        let place = self.0.len() * thousandths / 1000;
        let place = place.min(self.0.len().saturating_sub(1));
        float(self.0.get(place).copied().unwrap_or(0))
    }
}
