//! `read` and `write`: values between the store and the standard streams.

use std::env;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;
use tailstone::Error;

use crate::args::Switches;
use crate::exit::{Failure, Result, Status};
use crate::json;
use crate::open;
use crate::place::{Found, Place};
use crate::progress::{Counted, Progress};

#[derive(Serialize)]
struct Stored<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<&'a str>,
    key: &'a str,
    bytes: u64,
    tail: u64,
}

/// Prints the value of `key`, `chunk_bytes` at a time.
///
/// A value that no longer has its checksum is printed, since it may be all that is left, and then ends the program as
/// damaged.
pub fn read(
    file: &Path,
    switches: Switches,
    bucket: Option<&str>,
    key: &str,
    chunk_bytes: usize,
) -> Result {
    let store = open::to_read(file, switches)?;
    let found = Place::new(&store, bucket)?.find(key)?;
    let mut progress = Progress::of_output("read", length(found.value()));
    print(&found, chunk_bytes, &mut progress).map_err(|error| Failure::output(&error))?;
    drop(progress);
    if found.entry.is_valid_checksum() {
        return Ok(());
    }
    let message = format!(
        "the value of '{key}', which was printed, does not have the checksum it was stored with"
    );
    Err(Failure::new(Status::Damaged, message))
}

fn print(found: &Found, chunk_bytes: usize, progress: &mut Progress) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut done = 0;
    for chunk in found.value().chunks(chunk_bytes.max(1)) {
        stdout.write_all(chunk)?;
        stdout.flush()?;
        done += length(chunk);
        progress.update(done, None);
    }
    if stdout.is_terminal() {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()
}

/// Stores `value`, or standard input, under `key`.
pub fn write(
    file: &Path,
    switches: Switches,
    bucket: Option<&str>,
    key: &str,
    value: Option<&str>,
) -> Result {
    let (bytes, tail) = match value {
        Some(value) => write_argument(file, switches, bucket, key, value)?,
        None => write_input(file, switches, bucket, key)?,
    };
    let stored = Stored {
        bucket,
        key,
        bytes,
        tail,
    };
    json::confirm(switches, &stored, &format!("Stored '{key}'"))
}

fn write_argument(
    file: &Path,
    switches: Switches,
    bucket: Option<&str>,
    key: &str,
    value: &str,
) -> Result<(u64, u64)> {
    if value.is_empty() && bucket.is_none() {
        // Before anything is opened, so that no file is left behind.
        return Err(Error::EmptyPayload.into());
    }
    let store = open::to_add(file, switches)?;
    let tail = Place::new(&store, bucket)?.set(key, value.as_bytes())?;
    open::release(store, switches)?;
    Ok((length(value.as_bytes()), tail))
}

fn write_input(
    file: &Path,
    switches: Switches,
    bucket: Option<&str>,
    key: &str,
) -> Result<(u64, u64)> {
    let mut stdin = io::stdin().lock();
    if stdin.is_terminal() || env::var_os("FORCE_NO_TTY").is_some() {
        let message = "No value provided: give it as an argument or through standard input";
        return Err(Failure::new(Status::Usage, message));
    }
    let first = stdin.fill_buf().map_err(|source| Error::Io {
        doing: "read standard input",
        source,
    })?;
    if first.is_empty() && bucket.is_none() {
        return Err(Failure::new(
            Status::Usage,
            "No value provided: standard input is empty",
        ));
    }
    let store = open::to_add(file, switches)?;
    let mut source = Counted::new(stdin, Progress::new("write", None));
    let tail = Place::new(&store, bucket)?.set_stream(key, &mut source)?;
    open::release(store, switches)?;
    Ok((source.done(), tail))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
