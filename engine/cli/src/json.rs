//! What commands report: for people as words, with `--json` as one line of JSON on standard output.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

use crate::args::Switches;
use crate::exit::{Failure, Result, tell};

/// Confirms what was done, on standard error; standard output stays the payload's, or the JSON's.
pub fn confirm(switches: Switches, report: &impl Serialize, words: &str) -> Result {
    if switches.json {
        return print(report);
    }
    tell("", words);
    Ok(())
}

/// Prints a report that was asked for, on standard output.
pub fn show(switches: Switches, report: &impl Serialize, words: &str) -> Result {
    if switches.json {
        return print(report);
    }
    write_out(words.as_bytes())
}

fn print(report: &impl Serialize) -> Result {
    let mut line = serde_json::to_vec(report).map_err(|error| Failure::output(&error.into()))?;
    line.push(b'\n');
    write_out(&line)
}

fn write_out(bytes: &[u8]) -> Result {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::output(&error))
}

/// Lines of a label and what it says, between two rules, under a title.
pub struct Table(Vec<String>);

const WIDTH: usize = 50;
const LABEL_WIDTH: usize = 26;

impl Table {
    /// An empty table.
    pub fn new(title: &str) -> Self {
        Self(vec![format!("{:=^WIDTH$}", format!(" {title} "))])
    }

    /// Adds a line.
    #[must_use]
    pub fn line(mut self, label: &str, says: impl Display) -> Self {
        self.0
            .push(format!("{:<LABEL_WIDTH$}{says}", format!("{label}:")));
        self
    }

    /// The whole text.
    pub fn finish(mut self) -> String {
        self.0.push(format!("{:=<WIDTH$}\n", ""));
        self.0.join("\n")
    }
}

/// A hash as text: JSON's numbers are doubles to most readers, which cannot hold it.
pub fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}
