//! Opening the loaded store, whole or damaged.

use super::loading::BUFFERED;
use super::reading::{is, wrong};
use super::{Job, Tail};
use crate::data::{Order, VALUE_BYTES, Values, key};
use crate::files;
use crate::measured::{Measured, Rows, float, timed};
use crate::peer::{Outcome, Peer, Reads};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

const TAIL_BYTES: usize = 64 << 20;
/// Where payloads begin in this format: at multiples of it.
const ALIGNMENT: u64 = 64;
/// A value with its metadata.
const RECORD_BYTES: u64 = VALUE_BYTES as u64 + 20;
/// From one record of the loaded store to the next.
const RECORD_SPAN: u64 = RECORD_BYTES.next_multiple_of(ALIGNMENT);

/// A store that was opened, whether it has the record that was written last, and what that took.
struct Opened<P> {
    store: P,
    has_last: bool,
    measured: Measured,
}

/// Opens the store until it has answered.
fn open<P: Peer>(folder: &Path, records: u64) -> Outcome<Opened<P>> {
    let (mut store, mut opening, mut has_last) = (None, 0.0, false);
    let (last, values) = (records - 1, Values::new(VALUE_BYTES));
    let measured = timed(1, || {
        let begun = Instant::now();
        let opened = P::open(folder, BUFFERED)?;
        opening = begun.elapsed().as_secs_f64();
        has_last =
            opened.reading(|reads| reads.read(&key(last), |value| is(&values, last, value)))?;
        store = Some(opened);
        Ok(())
    })?;
    Ok(Opened {
        store: store.ok_or("it was not opened")?,
        has_last,
        measured: measured
            .filling(files::bytes(folder)?)
            .with("open_s", opening),
    })
}

/// The same of a store that was not closed in order, and closes it. What it lost is told.
fn open_unclosed<P: Peer>(folder: &Path, records: u64) -> Outcome<Measured> {
    let Opened {
        store, measured, ..
    } = open::<P>(folder, records)?;
    let all = Order::ascending(0, records);
    let values = Values::new(VALUE_BYTES);
    let lost = store.reading(|reads| {
        let mut lost = 0;
        for (record, key) in all.iter() {
            lost += u64::from(!reads.read(key, |value| is(&values, record, value))?);
        }
        Ok(lost)
    })?;
    store.close()?;
    Ok(if lost == 0 {
        measured
    } else {
        measured.with("records_lost", float(lost))
    })
}

/// After it was closed in order.
pub fn reopen<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    let opened = open::<P>(&job.loaded(), job.records)?;
    opened.store.close()?;
    if !opened.has_last {
        return Err(wrong(job.records - 1));
    }
    Ok(job.row(opened.measured))
}

/// After its process ended without closing it.
pub fn reopen_killed<P: Peer>(job: &Job<'_>) -> Outcome<Rows> {
    if !P::OUTLIVES {
        return Ok(Rows::new());
    }
    let folder = job.scratch();
    files::copy(&job.killed(), &folder)?;
    let measured = open_unclosed::<P>(&folder, job.records)?;
    files::remove(&folder)?;
    Ok(job.row(measured))
}

/// After its process ended while it wrote: with what does not belong to it behind its end. For the stores of this format, which are one
/// file.
pub fn recover<P: Peer>(job: &Job<'_>, tail: Tail) -> Outcome<Rows> {
    let folder = job.scratch();
    files::copy(&job.killed(), &folder)?;
    append(&the_file(&folder)?, tail, job.records)?;
    let measured = open_unclosed::<P>(&folder, job.records)?;
    files::remove(&folder)?;
    Ok(job.row(measured))
}

/// The one file in a folder.
fn the_file(folder: &Path) -> Outcome<PathBuf> {
    let file = fs::read_dir(folder)?.next().ok_or("no file")??;
    Ok(file.path())
}

/// Writes it behind the last record.
fn append(file: &Path, tail: Tail, records: u64) -> Outcome {
    // Behind it may lie space that was set aside.
    let length = (records - 1) * RECORD_SPAN + RECORD_BYTES;
    let bytes = match tail {
        Tail::Torn => {
            let offsets = (1..=100_u64).map(|at| (length / 101 * at).to_le_bytes());
            offsets.flatten().collect()
        }
        Tail::Zeros => vec![0; TAIL_BYTES],
        Tail::Random => random(),
        Tail::OwnTails => {
            let ends = (0..records).map(|record| record * RECORD_SPAN + RECORD_BYTES);
            let pad = vec![0; usize::try_from(length.next_multiple_of(ALIGNMENT) - length)?];
            let words = ends.cycle().take(TAIL_BYTES / 8);
            pad.into_iter()
                .chain(words.flat_map(u64::to_le_bytes))
                .collect()
        }
    };
    let mut file = OpenOptions::new().append(true).open(file)?;
    file.set_len(length)?;
    file.write_all(&bytes)?;
    Ok(file.sync_all()?)
}

/// Bytes that follow nothing, the same each time: xorshift.
fn random() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(TAIL_BYTES / 8).flatten().collect()
}
