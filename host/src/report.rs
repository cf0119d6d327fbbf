//! What the program prints: payloads and JSON on standard output, everything else on standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use tailstone_host::folder::Tally;
use tailstone_host::{Error, Info, Result};

/// Figures about a store.
#[derive(Debug, Serialize)]
pub struct InfoReport {
    keys: u64,
    live_entries: u64,
    store_bytes: u64,
    savings_bytes: u64,
    index_bytes: u64,
    cut_bytes: u64,
    recovery: String,
}

/// What was done with a folder.
#[derive(Debug, Serialize)]
pub struct FolderReport {
    files: u64,
    bytes: u64,
    put_ms: Option<f64>,
    get_ms: f64,
    verified: bool,
    store_bytes: u64,
}

impl From<Info> for InfoReport {
    fn from(info: Info) -> Self {
        let Info {
            keys,
            live_entries,
            store_bytes,
            savings_bytes,
            index_bytes,
            cut_bytes,
            recovery,
            tail: _,
        } = info;
        Self {
            keys,
            live_entries,
            store_bytes,
            savings_bytes,
            index_bytes,
            cut_bytes,
            recovery,
        }
    }
}

impl FolderReport {
    /// What came of an import, if there was one, and of the check behind it, which found no difference.
    pub fn new(put: Option<Tally>, get: Tally, store_bytes: u64) -> Self {
        let millis = |tally: Tally| tally.spent.as_secs_f64() * 1e3;
        Self {
            files: get.files,
            bytes: get.bytes,
            put_ms: put.map(millis),
            get_ms: millis(get),
            verified: true,
            store_bytes,
        }
    }
}

impl InfoReport {
    /// The report for people.
    pub fn in_words(&self) -> String {
        format!(
            "{:<24}{}\n{:<24}{}\n{:<24}{}\n{:<24}{}\n{:<24}{}\n{:<24}{}\n",
            "keys",
            self.keys,
            "entries in use",
            self.live_entries,
            "store, bytes",
            self.store_bytes,
            "compaction frees, bytes",
            self.savings_bytes,
            "index, bytes",
            self.index_bytes,
            "opening",
            self.recovery,
        )
    }
}

/// Prints one line of JSON.
pub fn json(report: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(report).map_err(|error| Error::Io {
        doing: "make the report",
        source: error.into(),
    })?;
    line.push(b'\n');
    bytes(&line)
}

/// Prints `value`, with a line's end behind it only for a person.
pub fn payload(value: &[u8]) -> Result<()> {
    bytes(value)?;
    if io::stdout().is_terminal() {
        bytes(b"\n")
    } else {
        Ok(())
    }
}

/// Prints `output`; that nobody reads it any more is how a pipeline ends early, and no failure.
pub fn bytes(output: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(output).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Io {
            doing: "write to standard output",
            source: error,
        }),
        _ => Ok(()),
    }
}

/// Says `sentence` as one line on standard error; where even that fails there is nobody left to tell.
pub fn complain(sentence: &str) {
    let line = sentence.replace(['\n', '\r'], " ");
    let _unheard = writeln!(io::stderr().lock(), "error: {line}");
}
