//! `history`: every version of a key that is still in the file, a line for each.
//!
//! What can be shown is shown: a damaged link hides what lies before it, and only then ends the program as damaged.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;
use tailstone::{EntryHandle, Version};

use crate::args::Switches;
use crate::exit::{Failure, Result};
use crate::json;
use crate::open;
use crate::place::Place;

#[derive(Serialize)]
struct History<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<&'a str>,
    key: &'a str,
    versions: Vec<Shown>,
}

/// A version; of a deletion there is no size and no checksum.
#[derive(Serialize)]
struct Shown {
    tail: u64,
    offset: u64,
    deleted: bool,
    payload_bytes: Option<usize>,
    checksum: Option<String>,
    checksum_valid: Option<bool>,
}

/// Shows the versions of `key`, newest first: the tail right after each, its size, and its checksum or that it is a deletion.
///
/// Reads every value, to tell which of them still have their checksum.
///
/// In a bucket the size is that of the value alone, and what has expired is shown as well.
pub fn history(file: &Path, switches: Switches, bucket: Option<&str>, key: &str) -> Result {
    let store = open::to_read(file, switches)?;
    let place = Place::new(&store, bucket)?;
    let mut versions = Vec::new();
    let mut damage = None;
    // In a bucket a deletion carries no key; it is this key's if the value before it is.
    let mut deletion = None;
    for version in place.history(key) {
        match version {
            Ok(version) => {
                let shown = Shown::new(&version, &place, key);
                if place.is_bucket() && version.is_deletion() {
                    deletion = shown;
                    continue;
                }
                let deletion = deletion.take().filter(|_| shown.is_some());
                versions.extend(deletion.into_iter().chain(shown));
            }
            Err(error) => damage = Some(error),
        }
    }
    if versions.is_empty() {
        return Err(damage.map_or_else(|| place.no_key(key), Failure::from));
    }
    let mut words = String::new();
    for version in &versions {
        // Writing to a string does not fail.
        let _written = writeln!(words, "{}", version.line());
    }
    json::show(
        switches,
        &History {
            bucket,
            key,
            versions,
        },
        &words,
    )?;
    damage.map_or(Ok(()), |error| Err(error.into()))
}

impl Shown {
    /// The version, unless it is one of another key.
    fn new(version: &Version, place: &Place<'_>, key: &str) -> Option<Self> {
        let value = version.value();
        let payload_bytes = match value {
            Some(value) => Some(place.value_len(key, value)?),
            None => None,
        };
        Some(Self {
            tail: version.tail(),
            offset: version.offset(),
            deleted: version.is_deletion(),
            payload_bytes,
            checksum: value.map(|value| format!("{:08x}", value.checksum())),
            checksum_valid: value.map(EntryHandle::is_valid_checksum),
        })
    }

    fn line(&self) -> String {
        let bytes = self.payload_bytes.unwrap_or(0);
        let says = match (&self.checksum, self.checksum_valid) {
            (Some(checksum), Some(true)) => checksum,
            (Some(checksum), _) => &format!("{checksum} INVALID"),
            (None, _) => "deleted",
        };
        format!("{:>15} {bytes:>15} {says}", self.tail)
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn a_line_says_what_there_is() {
        let sound = Shown {
            tail: 150,
            offset: 108,
            deleted: false,
            payload_bytes: Some(2),
            checksum: Some("606c3d3b".to_owned()),
            checksum_valid: Some(true),
        };
        assert_eq!(
            sound.line().split_whitespace().collect::<Vec<_>>(),
            ["150", "2", "606c3d3b"]
        );
        let damaged = Shown {
            checksum_valid: Some(false),
            ..sound
        };
        assert!(damaged.line().ends_with(" 2 606c3d3b INVALID"));
        let deleted = Shown {
            deleted: true,
            payload_bytes: None,
            checksum: None,
            checksum_valid: None,
            ..damaged
        };
        assert!(deleted.line().ends_with(" 0 deleted"));
    }
}
