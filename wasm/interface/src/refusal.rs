//! What is said instead of an answer: the cases of `tailstone:store`'s `error`.

use std::fmt;
use std::io;

use tailstone::Error;

/// Why a call was refused or failed. The sentences are for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no store of this name, and it was not to be created.
    NoSuchStore,
    /// The name, or what was to be done, was not granted.
    AccessDenied,
    /// What can never be right.
    InvalidArgument(String),
    /// A limit that was set for the caller.
    QuotaExceeded(String),
    /// The file is damaged or is no store.
    Corrupt(String),
    /// A cursor or tail from before a compaction.
    StaleCursor,
    /// The store was opened for reading.
    ReadOnly,
    /// Somebody else has the store open.
    Locked(String),
    /// Anything else.
    Other(String),
}

/// What most calls return.
pub type Result<T> = std::result::Result<T, Refusal>;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match &error {
            Error::NoSuchFile(_) => Self::NoSuchStore,
            Error::ReadOnly => Self::ReadOnly,
            Error::Locked(_) => Self::Locked(error.to_string()),
            Error::NotAStore { .. } | Error::Corrupt { .. } => Self::Corrupt(error.to_string()),
            Error::NoSuchTail { .. } => Self::StaleCursor,
            Error::EmptyPayload
            | Error::ReservedPayload
            | Error::ReservedKey { .. }
            | Error::KeyTooLong { .. }
            | Error::NotAFile(_)
            | Error::HashCollision { .. }
            | Error::TooLarge { .. } => Self::InvalidArgument(error.to_string()),
            Error::Io { source, .. } => of_kind(source.kind(), error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        of_kind(error.kind(), error.to_string())
    }
}

fn of_kind(kind: io::ErrorKind, sentence: String) -> Refusal {
    match kind {
        io::ErrorKind::PermissionDenied => Refusal::AccessDenied,
        io::ErrorKind::QuotaExceeded => Refusal::QuotaExceeded(sentence),
        io::ErrorKind::ReadOnlyFilesystem => Refusal::ReadOnly,
        // Something in the file leads to a place that is not in it.
        io::ErrorKind::UnexpectedEof => Refusal::Corrupt(sentence),
        _ => Refusal::Other(sentence),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchStore => "there is no such store",
            Self::AccessDenied => "this was not granted",
            Self::StaleCursor => "the cursor is from before entries were moved; start again",
            Self::ReadOnly => "the store is open for reading only",
            Self::InvalidArgument(sentence)
            | Self::QuotaExceeded(sentence)
            | Self::Corrupt(sentence)
            | Self::Locked(sentence)
            | Self::Other(sentence) => sentence,
        })
    }
}

impl std::error::Error for Refusal {}
