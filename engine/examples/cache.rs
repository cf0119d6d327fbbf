//! A cache that survives restarts: values expire, and a test need not wait for it.
//!
//! `cargo run --example cache`

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tailstone::{DataStore, DataStoreReader};

/// How long an answer is good for.
const FRESH: Duration = Duration::from_mins(1);

/// The time by which things expire, in milliseconds since 1970. A program leaves the clock alone and gets the system's; this
/// one sets it, as a test would, to see an hour pass at once.
static NOW: AtomicU64 = AtomicU64::new(1_900_000_000_000);

fn sleep(time: Duration) {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    NOW.fetch_add(millis, Ordering::Relaxed);
}

fn open(path: &Path) -> tailstone::Result<DataStore> {
    DataStore::options()
        .clock(|| NOW.load(Ordering::Relaxed))
        .open(path)
}

/// What the cache is for: something that takes long. Here it only counts how often it was needed.
fn work_out(question: &str, worked: &mut u32) -> String {
    *worked += 1;
    format!("the answer to {question}, worked out {worked} times")
}

/// The answer from the cache, or else a new one that goes into it.
fn answer(store: &DataStore, question: &str, worked: &mut u32) -> Result<String, Box<dyn Error>> {
    let answers = store.bucket("answers")?;
    if let Some(known) = answers.get(question.as_bytes())? {
        store.bucket("figures")?.increment(b"hits", 1)?;
        return Ok(String::from_utf8(known.to_vec())?);
    }
    store.bucket("figures")?.increment(b"misses", 1)?;
    let new = work_out(question, worked);
    answers.set_with_ttl(question.as_bytes(), new.as_bytes(), FRESH)?;
    Ok(new)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("cache.tsl");
    let mut worked = 0;

    // The first question is worked out, the same one again is not.
    let store = open(&path)?;
    let first = answer(&store, "everything", &mut worked)?;
    assert_eq!(answer(&store, "everything", &mut worked)?, first);
    assert_eq!(worked, 1);
    store.close()?;

    // After a restart the answer is still there, and so is its time.
    let store = open(&path)?;
    sleep(FRESH.saturating_sub(Duration::from_millis(1)));
    assert_eq!(answer(&store, "everything", &mut worked)?, first);

    // A millisecond later it has expired: it reads as absent, nobody has to sweep, and it is worked out anew.
    sleep(Duration::from_millis(1));
    let second = answer(&store, "everything", &mut worked)?;
    assert_ne!(second, first);
    assert_eq!(worked, 2);

    // An hour of questions that nobody asks twice.
    for minute in 0..60 {
        for n in 0..20 {
            answer(&store, &format!("{n} of minute {minute}"), &mut worked)?;
        }
        sleep(FRESH);
    }

    // Expired values keep their bytes in the file until a compaction, which a cache asks for when a good part of the file is
    // worth nothing. Here all of them have expired, so nothing is left but the figures.
    let before = store.file_size()?;
    store.compact()?;
    let after = store.file_size()?;
    println!("{before} bytes before the compaction, {after} after it");
    assert!(after * 100 < before);
    assert!(store.bucket("answers")?.is_empty()?);

    // Adding nothing to a number tells what it is.
    let figures = store.bucket("figures")?;
    let (hits, misses) = (
        figures.increment(b"hits", 0)?,
        figures.increment(b"misses", 0)?,
    );
    println!("{hits} hits, {misses} misses");
    assert_eq!((hits, misses), (2, 1202));
    store.close()?;
    Ok(())
}
