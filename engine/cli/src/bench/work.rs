//! The operations that are timed, and the look at what they gave.

use std::thread;

use tailstone::{DataStore, DataStoreReader, DataStoreWriter, EntryHandle};

use super::latency::Latency;
use super::records::{Values, key};
use crate::exit::{Failure, Result, Status};

pub const THREADS: u32 = 8;

/// A kind of key for each purpose, so that none replaces another's.
pub const BUFFERED: u32 = 0;
pub const ABSENT: u32 = 1;
pub const LATE: u32 = 2;
pub const LONG: u32 = 3;
/// With as many behind it as there are threads.
pub const DURABLE: u32 = 4;

pub fn write_single(store: &DataStore, values: &mut Values, kind: u32, count: u32) -> Result {
    for number in 0..count {
        store.write(&key(kind, number), values.of(number))?;
    }
    Ok(())
}

/// The same, each of them timed.
pub fn write_each(
    store: &DataStore,
    values: &mut Values,
    kind: u32,
    count: u32,
    latency: &mut Latency,
) -> Result {
    for number in 0..count {
        let (key, value) = (key(kind, number), values.of(number));
        latency.time(|| store.write(&key, value))?;
    }
    Ok(())
}

pub fn write_batches(store: &DataStore, values: &mut Values, count: u32, batch: u32) -> Result {
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
pub fn write_at_once(
    store: &DataStore,
    values: &Values,
    each: u32,
    latency: &mut Latency,
) -> Result {
    thread::scope(|scope| {
        let writers: Vec<_> = (1..=THREADS)
            .map(|thread| {
                let mut values = values.clone();
                let mut latency = Latency::new(latency.name);
                scope.spawn(move || {
                    write_each(store, &mut values, DURABLE + thread, each, &mut latency)?;
                    Ok::<_, Failure>(latency)
                })
            })
            .collect();
        for writer in writers {
            let stopped = |_| Failure::new(Status::Io, "a writing thread stopped");
            latency.merge(&writer.join().map_err(stopped)??);
        }
        Ok(())
    })
}

pub fn read(store: &DataStore, kind: u32, number: u32) -> Result<Option<EntryHandle>> {
    Ok(store.read(&key(kind, number))?)
}

/// Whether that is the value of this number, to the last byte.
pub fn compare(values: &Values, number: u32, value: Option<&[u8]>) -> Result {
    if value.is_some_and(|value| values.is(number, value)) {
        return Ok(());
    }
    let message = format!("value {number} was read otherwise than it was written");
    Err(Failure::new(Status::Damaged, message))
}

pub fn check_durable(store: &DataStore, values: &Values, single: u32, each: u32) -> Result {
    let check = |kind, number| compare(values, number, read(store, kind, number)?.as_deref());
    (0..single).try_for_each(|number| check(DURABLE, number))?;
    (1..=THREADS)
        .try_for_each(|thread| (0..each).try_for_each(|number| check(DURABLE + thread, number)))
}
