//! Reading the loaded store by several threads, alone and beside one that writes.

use super::Job;
use super::loading::BUFFERED;
use super::reading::{is, read_each, read_singly, wrong};
use crate::data::{self, Order, VALUE_BYTES, Values};
use crate::files;
use crate::measured::{Measured, Rows, float, thread_cpu_s, timed};
use crate::peer::{Outcome, Peer, Reads, Writes};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Reads of one view of the store before the next: a thread that kept one for ever would have some stores keep all that is overwritten.
const VIEW: u64 = 1000;

/// All records in random order, shared out among `count` threads.
pub fn read<P: Peer>(job: &Job<'_>, count: u8) -> Outcome<Rows> {
    let order = Order::shuffled(job.records, 7);
    let values = Values::new(VALUE_BYTES);
    let share = order.records.len().div_ceil(usize::from(count)).max(1);
    let store = P::open(&job.loaded(), BUFFERED)?;
    store.reading(|reads| read_singly(reads, &order, &values))?;
    let measured = timed(job.records, || read_shared(&store, &order, share, &values))?;
    let rate = float(job.records) / measured.wall_s;
    Ok(job.row(measured.with("reads_per_s", rate)))
}

/// Reads `share` records by each of as many threads as that takes.
pub fn read_shared<P: Peer>(store: &P, order: &Order, share: usize, values: &Values) -> Outcome {
    thread::scope(|scope| {
        let shares = order.records.chunks(share).zip(order.keys.chunks(share));
        let running: Vec<_> = shares
            .map(|(records, keys)| {
                let order = records.iter().copied().zip(keys);
                scope.spawn(|| store.reading(|reads| read_each(reads, order, values)))
            })
            .collect();
        running
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })
}

/// What one reader did.
#[derive(Debug, Default, Clone, Copy)]
struct Share {
    reads: u64,
    cpu_s: f64,
}

/// Two threads that read for a while, then again beside a third that writes new records as fast as it can.
pub fn beside_writer<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    let folder = job.scratch();
    files::copy(&job.loaded(), &folder)?;
    let store = P::open(&folder, BUFFERED)?;
    let orders = [3, 5].map(|seed| Order::shuffled(job.records, seed));
    for order in &orders {
        store.reading(|reads| read_singly(reads, order, &Values::new(VALUE_BYTES)))?;
    }
    let (alone, _) = phase(&store, &orders, job, false)?;
    let (beside, written) = phase(&store, &orders, job, true)?;
    store.close()?;
    files::remove(&folder)?;
    let rate = |measured: &Measured| float(measured.operations) / measured.wall_s;
    let each = |measured: &Measured| measured.cpu_s * 1e9 / float(measured.operations);
    let measured = beside
        .clone()
        .with("reads_per_s_alone", rate(&alone))
        .with("reads_per_s_beside", rate(&beside))
        .with("read_cpu_ns_alone", each(&alone))
        .with("read_cpu_ns_beside", each(&beside))
        .with("writes_per_s", float(written) / beside.wall_s);
    Ok(job.row(measured))
}

/// What the readers did, by their own processor time, and how much was written meanwhile.
fn phase<P: Peer>(
    store: &P,
    orders: &[Order; 2],
    job: &Job<'_>,
    writes: bool,
) -> Outcome<(Measured, u64)> {
    let (stop, start) = (AtomicBool::new(false), Barrier::new(3));
    let period = Duration::from_secs_f64((float(job.records) / 5e5).clamp(0.2, 2.0));
    thread::scope(|scope| {
        let (stop, start) = (&stop, &start);
        let readers = orders.each_ref().map(|order| {
            scope.spawn(move || {
                start.wait();
                read_until(store, order, stop)
            })
        });
        start.wait();
        let begun = Instant::now();
        let written = if writes {
            write_for(store, job.records, begun, period)
        } else {
            thread::sleep(period);
            Ok(0)
        };
        stop.store(true, Ordering::Relaxed);
        let wall_s = begun.elapsed().as_secs_f64();
        let mut sum = Share::default();
        for reader in readers {
            let share = reader.join().map_err(|_| "a reader panicked")??;
            sum.reads += share.reads;
            sum.cpu_s += share.cpu_s;
        }
        let measured = Measured {
            operations: sum.reads,
            wall_s,
            cpu_s: sum.cpu_s,
            ..Measured::default()
        };
        Ok((measured, written?))
    })
}

fn read_until<P: Peer>(store: &P, order: &Order, stop: &AtomicBool) -> Outcome<Share> {
    let values = Values::new(VALUE_BYTES);
    let begun = thread_cpu_s();
    let mut done = 0;
    store.reading(|reads| {
        for (record, key) in order.iter().cycle() {
            if done % VIEW == 0 {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                reads.refresh()?;
            }
            if !reads.read(key, |value| is(&values, record, value))? {
                return Err(wrong(record));
            }
            done += 1;
        }
        Ok(())
    })?;
    Ok(Share {
        reads: done,
        cpu_s: thread_cpu_s() - begun,
    })
}

fn write_for<P: Peer>(store: &P, first: u64, begun: Instant, period: Duration) -> Outcome<u64> {
    let mut values = Values::new(VALUE_BYTES);
    store.writing(|writes| {
        let mut record = first;
        while begun.elapsed() < period {
            // The clock is not read for each.
            for _ in 0..16 {
                writes.write(&data::key(record), values.of(record))?;
                record += 1;
            }
        }
        Ok(record - first)
    })
}
