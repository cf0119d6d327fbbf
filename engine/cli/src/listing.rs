//! `keys` and `buckets`: what is in the store by name, a line for each.
//!
//! Into a pipe names go as they are, byte for byte; on a terminal, what does not show or would steer it is escaped.

use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::path::Path;

use serde::Serialize;
use tailstone::format::Keyed;
use tailstone::{DataStore, EntryHandle};

use crate::args::Switches;
use crate::exit::{Failure, Result, Status};
use crate::json::hex;
use crate::open;

const BUFFER_BYTES: usize = 64 << 10;

/// A name; what is no text is given in hexadecimal digits instead.
#[derive(Serialize)]
#[serde(untagged)]
enum Name<'a> {
    Key { key: &'a str },
    KeyHex { key_hex: String },
    Bucket { bucket: &'a str },
    BucketHex { bucket_hex: String },
}

#[derive(Serialize)]
struct Plain {
    key_hash: String,
    bytes: usize,
}

/// Lists the keys of a bucket that begin with `prefix`, in order; without a bucket, hash and size of each plain entry.
pub fn keys(
    file: &Path,
    switches: Switches,
    bucket: Option<&str>,
    prefix: Option<&str>,
    null: bool,
) -> Result {
    if prefix.is_some() && bucket.is_none() {
        let message = "--prefix needs --bucket: of plain entries only the hashes of their keys are in the file";
        return Err(Failure::new(Status::Usage, message));
    }
    let store = open::to_read(file, switches)?;
    let mut lines = Lines::new(switches, null);
    match bucket {
        None => list_plain(&store, &mut lines)?,
        Some(bucket) => {
            let prefix = prefix.unwrap_or_default().as_bytes();
            for key in store.bucket(bucket)?.iter_keys(prefix) {
                lines.name(
                    &key?,
                    |key| Name::Key { key },
                    |key_hex| Name::KeyHex { key_hex },
                )?;
            }
        }
    }
    lines.finish()
}

/// Lists the names of the buckets that hold keys, in order.
pub fn buckets(file: &Path, switches: Switches, null: bool) -> Result {
    let store = open::to_read(file, switches)?;
    let mut lines = Lines::new(switches, null);
    for name in store.buckets()? {
        lines.name(
            &name,
            |bucket| Name::Bucket { bucket },
            |bucket_hex| Name::BucketHex { bucket_hex },
        )?;
    }
    lines.finish()
}

fn list_plain(store: &DataStore, lines: &mut Lines) -> Result {
    for entry in store.entries()? {
        let entry = entry?;
        if keyed(&entry).is_some() {
            continue;
        }
        let (key_hash, bytes) = (hex(entry.key_hash()), entry.size());
        if lines.is_json {
            lines.json(&Plain { key_hash, bytes })?;
        } else {
            lines.text(format!("{key_hash} {bytes}").as_bytes())?;
        }
    }
    Ok(())
}

fn keyed(entry: &EntryHandle) -> Option<Keyed<'_>> {
    Keyed::parse(entry, entry.key_hash())
}

/// Standard output, a name at a time.
struct Lines {
    out: BufWriter<StdoutLock<'static>>,
    is_json: bool,
    is_escaped: bool,
    end: u8,
}

impl Lines {
    fn new(switches: Switches, null: bool) -> Self {
        let stdout = io::stdout().lock();
        Self {
            is_json: switches.json,
            is_escaped: !null && stdout.is_terminal(),
            end: if null { 0 } else { b'\n' },
            out: BufWriter::with_capacity(BUFFER_BYTES, stdout),
        }
    }

    fn name<'n>(
        &mut self,
        name: &'n [u8],
        text: impl FnOnce(&'n str) -> Name<'n>,
        digits: impl FnOnce(String) -> Name<'n>,
    ) -> Result {
        if self.is_json {
            let report = std::str::from_utf8(name).map_or_else(|_| digits(in_digits(name)), text);
            return self.json(&report);
        }
        if self.is_escaped {
            return self.text(escaped(name).as_bytes());
        }
        self.text(name)
    }

    fn json(&mut self, report: &impl Serialize) -> Result {
        let line = serde_json::to_vec(report).map_err(|error| Failure::output(&error.into()))?;
        self.text(&line)
    }

    fn text(&mut self, line: &[u8]) -> Result {
        self.out
            .write_all(line)
            .and_then(|()| self.out.write_all(&[self.end]))
            .map_err(|error| Failure::output(&error))
    }

    fn finish(mut self) -> Result {
        self.out.flush().map_err(|error| Failure::output(&error))
    }
}

fn in_digits(name: &[u8]) -> String {
    let mut digits = String::with_capacity(name.len() * 2);
    for byte in name {
        let _written = write!(digits, "{byte:02x}");
    }
    digits
}

/// As in a Rust string, without quotes around it.
fn escaped(name: &[u8]) -> String {
    let mut shown = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '"' | '\'' => shown.push(letter),
                _ => shown.extend(letter.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            let _written = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{escaped, in_digits};

    #[test]
    fn nothing_steers_a_terminal() {
        for (name, shown) in [
            (&b"plain key"[..], "plain key"),
            ("ключ's \"".as_bytes(), "ключ's \""),
            (b"a\nb\t\\", "a\\nb\\t\\\\"),
            (b"\x1b[2J", "\\u{1b}[2J"),
            ("\u{202e}x".as_bytes(), "\\u{202e}x"),
            (b"\xffa\xc3", "\\xffa\\xc3"),
            (b"", ""),
        ] {
            assert_eq!(escaped(name), shown);
        }
        assert_eq!(in_digits(b"\xff\x01"), "ff01");
    }
}
