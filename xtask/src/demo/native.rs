//! The native face: the sample in a memory-mapped file.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tailstone::{DataStore, DataStoreReader, DataStoreWriter, compute_hash};

use super::Row;
use super::sample::{Sample, Source};
use crate::context::Context;

/// Stores every file under its key, reopens the store, and compares each value with its file (with the digest of what
/// was stored, should the file have changed meanwhile).
///
/// The clock runs while the engine works, not while the files are read from where they come from.
pub fn run(_ctx: &Context, sample: &Sample, folder: &Path) -> Result<Row> {
    let path = folder.join("demo.tsl");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("could not remove {}", path.display()));
        }
        _ => {}
    }
    let (stored_in, digests) = store(sample, &path)?;
    let checked_in = check(sample, &path, &digests)?;
    Ok(Row {
        face: "native, memory-mapped",
        stored_in,
        checked_in,
        store_bytes: fs::metadata(&path)?.len(),
        place: path.display().to_string(),
    })
}

/// The time it took, and the digest of each file as it was then: somebody may be working in the folder.
fn store(sample: &Sample, path: &Path) -> Result<(Duration, Vec<u64>)> {
    let mut spent = Duration::ZERO;
    let mut digests = Vec::with_capacity(sample.sources().len());
    let store = DataStore::options().create_new(true).open(path)?;
    for source in sample.sources() {
        let bytes = contents(source)?;
        let begun = Instant::now();
        store
            .write(source.key.as_bytes(), &bytes)
            .with_context(|| format!("could not store {}", source.path.display()))?;
        spent += begun.elapsed();
        digests.push(compute_hash(&bytes));
    }
    let begun = Instant::now();
    store.close()?;
    Ok((spent + begun.elapsed(), digests))
}

fn check(sample: &Sample, path: &Path, digests: &[u64]) -> Result<Duration> {
    let begun = Instant::now();
    let store = DataStore::options()
        .read_only(true)
        .create(false)
        .open(path)?;
    let keys = store.len()?;
    let mut spent = begun.elapsed();
    if u64::try_from(keys).ok() != Some(sample.files()) {
        bail!(
            "{} files were stored, {keys} keys are there",
            sample.files()
        );
    }
    for (source, digest) in sample.sources().iter().zip(digests) {
        let bytes = contents(source)?;
        let begun = Instant::now();
        let value = store.read(source.key.as_bytes())?;
        let is_same = value.as_ref().is_some_and(|value| *value == bytes);
        spent += begun.elapsed();
        let is_as_stored = || value.is_some_and(|value| compute_hash(&value) == *digest);
        if !is_same && !is_as_stored() {
            bail!(
                "{} came back different from what was stored",
                source.path.display()
            );
        }
    }
    Ok(spent)
}

fn contents(source: &Source) -> Result<Vec<u8>> {
    fs::read(&source.path).with_context(|| format!("could not read {}", source.path.display()))
}
