//! What opening found, kept and cut, for programs and for people.

use std::fmt;

/// How opening took the end of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// No bytes, or nothing but zeros.
    Empty,
    /// The file ends with a sound entry.
    Clean,
    /// Behind the last sound entry lie only zeros: space that was reserved and not used.
    UnusedSpace,
    /// Behind the last sound entry lies something else: a write that was not finished.
    TornTail,
    /// The file ends with a part of an atomic batch, of which nothing counts.
    TornBatch,
    /// The last entry is all there but for its payload, which does not have its checksum. It is kept.
    DamagedLastPayload,
}

/// What opening found, kept and cut. Offsets and lengths are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryReport {
    /// How the end of the file was taken.
    pub outcome: Outcome,
    /// How long the file was.
    pub file_len: u64,
    /// Where the last entry that is kept ends: the store's tail.
    pub tail: u64,
    /// What lies behind the tail: cut off when the store is writable, ignored when it is not.
    pub cut_bytes: u64,
    /// Entries that were walked, old versions and deletions included: all of the chain, or those behind the
    /// [`index_snapshot`](Self::index_snapshot).
    pub entries: u64,
    /// Entries that were seen not to have their checksum. They are kept. Payloads above 4 KiB are not looked at on
    /// opening.
    pub damaged_entries: u64,
    /// Where the metadata of the first of them lie.
    pub first_damaged: Option<u64>,
    /// The tail at which the snapshot was made that the index was taken from; what lies before it was not looked at.
    pub index_snapshot: Option<u64>,
}

impl RecoveryReport {
    /// Whether anything was cut or is damaged; unused space is neither.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damaged_entries == 0
            && matches!(
                self.outcome,
                Outcome::Empty | Outcome::Clean | Outcome::UnusedSpace
            )
    }
}

impl fmt::Display for RecoveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tail, cut_bytes, ..
        } = self;
        let entries = Counted(self);
        match self.outcome {
            Outcome::Empty => f.write_str("the store is empty")?,
            Outcome::Clean => write!(f, "the store is whole: {entries} in {tail} bytes")?,
            Outcome::UnusedSpace => {
                write!(
                    f,
                    "the store is whole: {entries} in {tail} bytes, {cut_bytes} bytes of unused space behind them"
                )?;
            }
            Outcome::TornTail => {
                write!(
                    f,
                    "an unfinished write of {cut_bytes} bytes was found at offset {tail}; the {entries} before it are kept"
                )?;
            }
            Outcome::TornBatch => {
                write!(
                    f,
                    "an unfinished batch of {cut_bytes} bytes was found at offset {tail}; the {entries} before it are kept"
                )?;
            }
            Outcome::DamagedLastPayload => {
                write!(
                    f,
                    "the last of {entries} does not match its checksum; it is kept"
                )?;
            }
        }
        if let Some(first) = self.first_damaged {
            write!(
                f,
                "; {} with a damaged payload, the first before offset {first}",
                self.damaged_entries
            )?;
        }
        Ok(())
    }
}

/// How many entries were walked, and from where on.
struct Counted<'r>(&'r RecoveryReport);

impl fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entries", self.0.entries)?;
        match self.0.index_snapshot {
            Some(at) => write!(f, " behind an index snapshot (of the first {at} bytes)"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_sentence() {
        let report = RecoveryReport {
            outcome: Outcome::TornTail,
            file_len: 110,
            tail: 100,
            cut_bytes: 10,
            entries: 3,
            damaged_entries: 1,
            first_damaged: Some(44),
            index_snapshot: None,
        };
        assert_eq!(
            report.to_string(),
            "an unfinished write of 10 bytes was found at offset 100; the 3 entries before it are kept; \
             1 with a damaged payload, the first before offset 44"
        );
        assert!(!report.is_clean());
        let report = RecoveryReport {
            outcome: Outcome::Clean,
            cut_bytes: 0,
            damaged_entries: 0,
            first_damaged: None,
            index_snapshot: Some(64),
            ..report
        };
        assert_eq!(
            report.to_string(),
            "the store is whole: 3 entries behind an index snapshot (of the first 64 bytes) in 100 bytes"
        );
    }
}
