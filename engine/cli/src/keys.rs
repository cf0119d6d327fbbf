//! `copy`, `move`, `rename` and `delete`: what happens to whole entries.

use std::fs;
use std::path::Path;

use serde::Serialize;
use tailstone::{DataStore, DataStoreReader, DataStoreWriter, Error};

use crate::args::Switches;
use crate::exit::{Failure, Result};
use crate::json;
use crate::open;

#[derive(Serialize)]
struct Sent<'a> {
    key: &'a str,
    target: String,
    tail: u64,
}

#[derive(Serialize)]
struct Renamed<'a> {
    old: &'a str,
    new: &'a str,
    tail: u64,
}

#[derive(Serialize)]
struct Deleted<'a> {
    key: &'a str,
    tail: u64,
}

/// Copies `key` into the store at `target`, which is created only when there is something to put into it.
pub fn copy(file: &Path, switches: Switches, key: &str, target: &Path) -> Result {
    let source = open::to_read(file, switches)?;
    let target_store = open_target(&source, switches, key, file, target)?;
    let tail = named(source.copy(key.as_bytes(), &target_store), key)?;
    open::release(target_store, switches)?;
    sent(switches, "Copied", key, target, tail)
}

/// Moves `key` into the store at `target`, which is created only when there is something to put into it.
pub fn transfer(file: &Path, switches: Switches, key: &str, target: &Path) -> Result {
    let source = open::to_change(file, switches)?;
    let target_store = open_target(&source, switches, key, file, target)?;
    let tail = named(source.transfer(key.as_bytes(), &target_store), key)?;
    open::release(target_store, switches)?;
    open::release(source, switches)?;
    sent(switches, "Moved", key, target, tail)
}

/// Gives the value of `old` the key `new`.
pub fn rename(file: &Path, switches: Switches, old: &str, new: &str) -> Result {
    let store = open::to_change(file, switches)?;
    let tail = named(store.rename(old.as_bytes(), new.as_bytes()), old)?;
    open::release(store, switches)?;
    json::confirm(
        switches,
        &Renamed { old, new, tail },
        &format!("Renamed '{old}' to '{new}'"),
    )
}

/// Deletes `key`; that it is not there is told, and is a status of its own.
pub fn delete(file: &Path, switches: Switches, key: &str) -> Result {
    let store = open::to_change(file, switches)?;
    if !store.exists(key.as_bytes())? {
        return Err(Failure::no_key(key));
    }
    let tail = store.delete(key.as_bytes())?;
    open::release(store, switches)?;
    json::confirm(
        switches,
        &Deleted { key, tail },
        &format!("Deleted '{key}'"),
    )
}

fn open_target(
    source: &DataStore,
    switches: Switches,
    key: &str,
    file: &Path,
    target: &Path,
) -> Result<DataStore> {
    if !source.exists(key.as_bytes())? {
        return Err(Failure::no_key(key));
    }
    // The lock would refuse it as well, but could not say why.
    if is_same_file(file, target) {
        return Err(Error::SameStore.into());
    }
    open::to_add(target, switches)
}

fn sent(switches: Switches, done: &str, key: &str, target: &Path, tail: u64) -> Result {
    let target = target.display().to_string();
    let words = format!("{done} '{key}' to {target}");
    json::confirm(switches, &Sent { key, target, tail }, &words)
}

/// An error about a key, with the key in it.
fn named<T>(result: tailstone::Result<T>, key: &str) -> Result<T> {
    result.map_err(|error| match error {
        Error::KeyNotFound => Failure::no_key(key),
        error => error.into(),
    })
}

#[cfg(unix)]
fn is_same_file(left: &Path, right: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::metadata(left), fs::metadata(right)) {
        (Ok(left), Ok(right)) => (left.dev(), left.ino()) == (right.dev(), right.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(left: &Path, right: &Path) -> bool {
    match (fs::canonicalize(left), fs::canonicalize(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}
