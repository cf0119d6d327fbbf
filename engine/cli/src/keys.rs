//! `copy`, `move`, `rename` and `delete`: what happens to whole entries.

use std::fs;
use std::path::Path;

use serde::Serialize;
use tailstone::{DataStore, Error};

use crate::args::Switches;
use crate::exit::Result;
use crate::json;
use crate::open;
use crate::place::Place;

#[derive(Serialize)]
struct Sent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<&'a str>,
    key: &'a str,
    target: String,
    tail: u64,
}

#[derive(Serialize)]
struct Renamed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<&'a str>,
    old: &'a str,
    new: &'a str,
    tail: u64,
}

#[derive(Serialize)]
struct Deleted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<&'a str>,
    key: &'a str,
    tail: u64,
}

/// Copies `key` into the store at `target`, which is created only when there is something to put into it.
pub fn copy(
    file: &Path,
    switches: Switches,
    bucket: Option<&str>,
    key: &str,
    target: &Path,
) -> Result {
    let source = open::to_read(file, switches)?;
    let here = Place::new(&source, bucket)?;
    let target_store = open_target(&here, switches, key, file, target)?;
    let tail = here.copy(key, &Place::new(&target_store, bucket)?)?;
    open::release(target_store, switches)?;
    sent(switches, "Copied", bucket, key, target, tail)
}

/// Moves `key` into the store at `target`, which is created only when there is something to put into it.
pub fn transfer(
    file: &Path,
    switches: Switches,
    bucket: Option<&str>,
    key: &str,
    target: &Path,
) -> Result {
    let source = open::to_change(file, switches)?;
    let here = Place::new(&source, bucket)?;
    let target_store = open_target(&here, switches, key, file, target)?;
    let tail = here.transfer(key, &Place::new(&target_store, bucket)?)?;
    open::release(target_store, switches)?;
    open::release(source, switches)?;
    sent(switches, "Moved", bucket, key, target, tail)
}

/// Gives the value of `old` the key `new`.
pub fn rename(
    file: &Path,
    switches: Switches,
    bucket: Option<&str>,
    old: &str,
    new: &str,
) -> Result {
    let store = open::to_change(file, switches)?;
    let tail = Place::new(&store, bucket)?.rename(old, new)?;
    open::release(store, switches)?;
    let renamed = Renamed {
        bucket,
        old,
        new,
        tail,
    };
    json::confirm(switches, &renamed, &format!("Renamed '{old}' to '{new}'"))
}

/// Deletes `key`; that it is not there is told, and is a status of its own.
pub fn delete(file: &Path, switches: Switches, bucket: Option<&str>, key: &str) -> Result {
    let store = open::to_change(file, switches)?;
    let tail = Place::new(&store, bucket)?.delete(key)?;
    open::release(store, switches)?;
    let deleted = Deleted { bucket, key, tail };
    json::confirm(switches, &deleted, &format!("Deleted '{key}'"))
}

fn open_target(
    source: &Place<'_>,
    switches: Switches,
    key: &str,
    file: &Path,
    target: &Path,
) -> Result<DataStore> {
    source.require(key)?;
    // The lock would refuse it as well, but could not say why.
    if is_same_file(file, target) {
        return Err(Error::SameStore.into());
    }
    open::to_add(target, switches)
}

fn sent(
    switches: Switches,
    done: &str,
    bucket: Option<&str>,
    key: &str,
    target: &Path,
    tail: u64,
) -> Result {
    let target = target.display().to_string();
    let words = format!("{done} '{key}' to {target}");
    let sent = Sent {
        bucket,
        key,
        target,
        tail,
    };
    json::confirm(switches, &sent, &words)
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
