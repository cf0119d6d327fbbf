//! Checking all of a store, and giving back its space.

use super::Job;
use super::loading::{BUFFERED, write_batches};
use super::reading::read_singly;
use crate::data::{Order, VALUE_BYTES, Values};
use crate::engines::TAILSTONE_FILE;
use crate::files;
use crate::measured::{Rows, float, timed};
use crate::peer::{Outcome, Peer};
use std::thread;
use tailstone::DataStore;

/// Every checksum of the loaded store, by one thread with the store open, by all processors without.
pub fn verify(job: &Job<'_>, threads: u8) -> Outcome<Rows> {
    if job.home != "tailstone" {
        return Ok(Rows::new());
    }
    let path = job.loaded().join(TAILSTONE_FILE);
    let mut quiet = |_, _| ();
    let verify = if threads == 1 {
        let store = DataStore::open(&path)?;
        store.verify(&mut quiet)?;
        let measured = timed(job.records, || Ok(store.verify(&mut quiet).map(drop)?))?;
        store.close()?;
        measured
    } else {
        tailstone::verify_file(&path, &mut quiet)?;
        timed(job.records, || {
            Ok(tailstone::verify_file(&path, &mut quiet).map(drop)?)
        })?
    };
    Ok(job.row(verify.filling(files::bytes(&job.loaded())?)))
}

/// Runs `work` over equal parts of `bytes`, one for each thread.
pub fn over_parts(bytes: &[u8], threads: u8, work: impl Fn(&[u8]) + Sync) {
    let part = bytes.len().div_ceil(usize::from(threads)).max(1);
    thread::scope(|scope| {
        for bytes in bytes.chunks(part) {
            let work = &work;
            scope.spawn(move || work(bytes));
        }
    });
}

/// Of a store in which every other record was written again.
pub fn compact<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    let folder = job.scratch();
    files::copy(&job.loaded(), &folder)?;
    let all = Order::ascending(0, job.records);
    let again = Order::of((0..job.records).step_by(2).collect());
    let store = P::open(&folder, BUFFERED)?;
    store.writing(|writes| write_batches(writes, &again, 10_000))?;
    store.close()?;
    let before = files::bytes(&folder)?;
    let mut store = P::open(&folder, BUFFERED)?;
    let mut can = false;
    let measured = timed(job.records, || {
        can = store.compact()?;
        Ok(())
    })?;
    store.reading(|reads| read_singly(reads, &all, &Values::new(VALUE_BYTES)))?;
    store.close()?;
    let after = files::bytes(&folder)?;
    files::remove(&folder)?;
    if !can {
        return Ok(Rows::new());
    }
    let measured = measured
        .filling(after)
        .with("file_bytes_before", float(before));
    Ok(job.row(measured))
}
