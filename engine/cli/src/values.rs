//! `read` and `write`: values between the store and the standard streams.

use std::env;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;
use tailstone::{DataStoreReader, DataStoreWriter, Error};

use crate::args::Switches;
use crate::exit::{Failure, Result, Status};
use crate::json;
use crate::open;
use crate::progress::{Counted, Progress};

#[derive(Serialize)]
struct Stored<'a> {
    key: &'a str,
    bytes: u64,
    tail: u64,
}

/// Prints the value of `key`, `chunk_bytes` at a time.
///
/// A value that no longer has its checksum is printed, since it may be all that is left, and then ends the program as
/// damaged.
pub fn read(file: &Path, switches: Switches, key: &str, chunk_bytes: usize) -> Result {
    let store = open::to_read(file, switches)?;
    let value = store
        .read(key.as_bytes())?
        .ok_or_else(|| Failure::no_key(key))?;
    let mut progress = Progress::of_output("read", length(value.as_slice()));
    print(&value, chunk_bytes, &mut progress).map_err(|error| Failure::output(&error))?;
    drop(progress);
    if value.is_valid_checksum() {
        return Ok(());
    }
    let message = format!(
        "the value of '{key}', which was printed, does not have the checksum it was stored with"
    );
    Err(Failure::new(Status::Damaged, message))
}

fn print(value: &[u8], chunk_bytes: usize, progress: &mut Progress) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut done = 0;
    for chunk in value.chunks(chunk_bytes.max(1)) {
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
pub fn write(file: &Path, switches: Switches, key: &str, value: Option<&str>) -> Result {
    let (bytes, tail) = match value {
        Some(value) => write_argument(file, switches, key, value)?,
        None => write_input(file, switches, key)?,
    };
    json::confirm(
        switches,
        &Stored { key, bytes, tail },
        &format!("Stored '{key}'"),
    )
}

fn write_argument(file: &Path, switches: Switches, key: &str, value: &str) -> Result<(u64, u64)> {
    if value.is_empty() {
        // Before anything is opened, so that no file is left behind.
        return Err(Error::EmptyPayload.into());
    }
    let store = open::to_add(file, switches)?;
    let tail = store.write(key.as_bytes(), value.as_bytes())?;
    open::release(store, switches)?;
    Ok((length(value.as_bytes()), tail))
}

fn write_input(file: &Path, switches: Switches, key: &str) -> Result<(u64, u64)> {
    let mut stdin = io::stdin().lock();
    if stdin.is_terminal() || env::var_os("FORCE_NO_TTY").is_some() {
        let message = "No value provided: give it as an argument or through standard input";
        return Err(Failure::new(Status::Usage, message));
    }
    let first = stdin.fill_buf().map_err(|source| Error::Io {
        doing: "read standard input",
        source,
    })?;
    if first.is_empty() {
        return Err(Failure::new(
            Status::Usage,
            "No value provided: standard input is empty",
        ));
    }
    let store = open::to_add(file, switches)?;
    let mut source = Counted::new(stdin, Progress::new("write", None));
    let tail = store.write_stream(key.as_bytes(), &mut source)?;
    open::release(store, switches)?;
    Ok((source.done(), tail))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
