//! Reading the loaded store by one thread.

use super::loading::BUFFERED;
use super::{Job, Workload};
use crate::data::{Key, Order, VALUE_BYTES, Values};
use crate::files;
use crate::measured::{Rows, float, timed};
use crate::peer::{Outcome, Peer, Reads};
use std::fs;
use std::path::Path;

const BATCH: usize = 1024;

/// Reads records one by one and compares each.
pub fn read_singly(reads: &mut impl Reads, order: &Order, values: &Values) -> Outcome {
    read_each(reads, order.iter(), values)
}

/// The same for records with their keys.
pub fn read_each<'k>(
    reads: &mut impl Reads,
    order: impl Iterator<Item = (u64, &'k Key)>,
    values: &Values,
) -> Outcome {
    for (record, key) in order {
        if !reads.read(key, |value| is(values, record, value))? {
            return Err(wrong(record));
        }
    }
    Ok(())
}

/// Whether a record's value was found.
#[inline]
pub fn is(values: &Values, record: u64, value: Option<&[u8]>) -> bool {
    value.is_some_and(|value| values.is(record, value))
}

/// What is said if it was not.
#[cold]
pub fn wrong(record: u64) -> Box<dyn std::error::Error + Send + Sync> {
    format!("record {record} is not there, or has another value than was stored").into()
}

fn read_batches(reads: &mut impl Reads, order: &Order, values: &Values) -> Outcome {
    for (records, keys) in order.records.chunks(BATCH).zip(order.keys.chunks(BATCH)) {
        let wanted: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        reads.read_many(&wanted, |at, value| match records.get(at) {
            Some(record) if is(values, *record, value) => Ok(()),
            record => Err(wrong(record.copied().unwrap_or(u64::MAX))),
        })?;
    }
    Ok(())
}

fn miss(reads: &mut impl Reads, absent: &Order) -> Outcome {
    for (_, key) in absent.iter() {
        if reads.read(key, |value| value.is_some())? {
            return Err("a key that was never written has a value".into());
        }
    }
    Ok(())
}

fn iterate(reads: &mut impl Reads, values: &Values, records: u64) -> Outcome {
    let mut count = 0;
    let mut sum = 0;
    reads.each(|value| {
        let record = values.record_of(value).ok_or("a value of no record")?;
        count += 1;
        sum += record;
        Ok(())
    })?;
    if (count, sum) == (records, records * (records - 1) / 2) {
        Ok(())
    } else {
        Err(format!("{count} values instead of {records}, or not one of each").into())
    }
}

/// With everything in memory.
pub fn warm<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    let order = match job.workload {
        Workload::ReadOrdered => Order::ascending(0, job.records),
        _ => Order::shuffled(job.records, 7),
    };
    let absent = match job.workload {
        Workload::Miss => Order::absent(job.records, 13),
        _ => Order::ascending(0, 0),
    };
    let values = Values::new(VALUE_BYTES);
    let store = P::open(&job.loaded(), BUFFERED)?;
    let measured = store.reading(|reads| {
        // Once before the clock starts, so that every store finds its pages mapped and its caches full.
        read_singly(reads, &order, &values)?;
        timed(job.records, || match job.workload {
            Workload::BatchRead => read_batches(reads, &order, &values),
            Workload::Miss => miss(reads, &absent),
            Workload::Iterate => iterate(reads, &values, job.records),
            _ => read_singly(reads, &order, &values),
        })
    })?;
    store.close()?;
    Ok(job.row(measured.filling(files::bytes(&job.loaded())?)))
}

/// With nothing in memory: the parent had the system forget the files. Opening is inside the clock, since some stores read all of a
/// file then and others nothing.
pub fn cold<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    let order = Order::shuffled(job.records, 7).truncated(job.records / 10);
    let values = Values::new(VALUE_BYTES);
    let mut opening = 0.0;
    let measured = timed(order.len(), || {
        let begun = std::time::Instant::now();
        let store = P::open(&job.loaded(), BUFFERED)?;
        opening = begun.elapsed().as_secs_f64();
        store.reading(|reads| read_singly(reads, &order, &values))
    })?;
    Ok(job.row(measured.with("open_s", opening)))
}

/// What the process holds of its own: pages of files are not in it.
pub fn memory<P: Peer>(job: &Job<'_>, folder: &Path) -> Outcome<Rows> {
    let order = Order::shuffled(job.records, 7);
    let values = Values::new(VALUE_BYTES);
    let before = anonymous_bytes()?;
    let store = P::open(folder, BUFFERED)?;
    let opened = anonymous_bytes()?;
    let (measured, read) = store.reading(|reads| {
        let measured = timed(job.records, || read_singly(reads, &order, &values))?;
        Ok((measured, anonymous_bytes()?))
    })?;
    let each = |bytes: u64| float(bytes.saturating_sub(before)) / float(job.records);
    store.close()?;
    let file_bytes = files::bytes(folder)?;
    let measured = measured
        .filling(file_bytes)
        .with("bytes_per_key_opened", each(opened))
        .with("bytes_per_key", each(read))
        .with(
            "file_bytes_per_record",
            float(file_bytes) / float(job.records),
        );
    Ok(job.row(measured))
}

/// The same of a store whose process ended without closing it.
pub fn memory_killed<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    let folder = job.scratch();
    files::copy(&job.killed(), &folder)?;
    let rows = memory::<P>(job, &folder)?;
    files::remove(&folder)?;
    Ok(rows)
}

fn anonymous_bytes() -> Outcome<u64> {
    let text = fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Anonymous:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.ok_or("no count of anonymous memory")?.parse::<u64>()? * 1024)
}
