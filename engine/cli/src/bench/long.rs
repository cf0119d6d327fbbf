//! Values of a mebibyte: what a store adds to the system's write and to a copy of memory.

use std::io::Read;
use std::time::{Duration, Instant};

use tailstone::DataStoreWriter;

use super::records::{Values, key};
use super::rounds::Rounds;
use super::work::LONG;
use super::{Made, disk, steps, work};
use crate::exit::{Failure, Result, Status};

const LEN: usize = 1 << 20;
/// Kinds of keys: of those written at once, and of those that come as streams.
const STREAMED: u32 = LONG + (1 << 16);

/// A round of all rows about long values. What is read lies in the page cache.
pub fn measure(rounds: &mut Rounds, made: &Made, baseline: &Made) -> Result {
    let count = rounds.long_values();
    let mut values = Values::new(LEN);
    let file = baseline.new_file()?;
    let begun = Instant::now();
    disk::append(&file, &mut values, count)?;
    rounds.record(steps::LONG_PLAIN, count, LEN, begun.elapsed());
    // Its space is given back before the store takes as much.
    drop(file);
    drop(baseline.new_file()?);

    let store = made.new_store()?;
    let begun = Instant::now();
    work::write_single(&store, &mut values, LONG, count)?;
    rounds.record(steps::LONG_WRITES, count, LEN, begun.elapsed());
    let begun = Instant::now();
    for number in 0..count {
        store.write_stream(&key(STREAMED, number), &mut values.of(number))?;
    }
    rounds.record(steps::LONG_STREAMS, count, LEN, begun.elapsed());

    // As many bytes as lie in the store, so that no cache of the processor helps one of them more.
    let plenty: Vec<_> = (0..count)
        .map(|number| values.of(number).to_vec())
        .collect();
    let mut target = vec![0; LEN];
    let mut copies = Duration::ZERO;
    for (number, source) in (0..count).zip(&plenty) {
        let begun = Instant::now();
        target.copy_from_slice(source);
        copies += begun.elapsed();
        work::compare(&values, number, Some(&target))?;
    }
    rounds.record(steps::LONG_COPIES, count, LEN, copies);
    drop(plenty);

    let mut reads = Duration::ZERO;
    for number in 0..count {
        let begun = Instant::now();
        let value = work::read(&store, LONG, number)?;
        if let Some(value) = value.filter(|value| value.size() == LEN) {
            target.copy_from_slice(&value);
        }
        reads += begun.elapsed();
        work::compare(&values, number, Some(&target))?;
    }
    rounds.record(steps::LONG_READS, count, LEN, reads);

    let mut streams = Duration::ZERO;
    for number in 0..count {
        let begun = Instant::now();
        let Some(value) = work::read(&store, STREAMED, number)? else {
            return work::compare(&values, number, None);
        };
        let mut stream = tailstone::EntryStream::from(value);
        for piece in target.chunks_mut(64 << 10) {
            let cut = |_| Failure::new(Status::Damaged, "a stream ended early");
            stream.read_exact(piece).map_err(cut)?;
        }
        streams += begun.elapsed();
        work::compare(&values, number, Some(&target))?;
    }
    rounds.record(steps::LONG_READ_STREAMS, count, LEN, streams);
    Ok(())
}
