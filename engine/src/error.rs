//! Every way in which the store can refuse or fail, as one enum.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// What most calls return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call was refused or failed. Each message is a sentence that says what was met and what the limit is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The medium failed; `doing` says at what.
    Io {
        /// What the engine was doing, such as "append an entry".
        doing: &'static str,
        /// What the medium said.
        source: io::Error,
    },
    /// There is no store at this path.
    NoSuchFile(PathBuf),
    /// The path names something other than a regular file.
    NotAFile(PathBuf),
    /// Another handle, here or in another process, has the store open in a way that excludes this one.
    Locked(PathBuf),
    /// The file holds no sound entry, so it is somebody else's; it was not touched.
    NotAStore {
        /// Length of the file in bytes.
        length: u64,
    },
    /// The file is damaged before its end; it was not touched. `verify` shows the damage, `salvage` rescues the rest.
    Corrupt {
        /// Where the damage was met, in bytes from the start of the file.
        offset: u64,
        /// What was wrong there.
        what: &'static str,
    },
    /// The store was opened read-only.
    ReadOnly,
    /// An earlier failure to reach stable storage stopped this handle from writing; reopen the store.
    Latched,
    /// An empty value cannot be written as a plain entry.
    EmptyPayload,
    /// The value reads as a deletion (one zero byte, or a stream of zeros) and cannot be written as a plain entry.
    ReservedPayload,
    /// The hash of this key belongs to an entry that the store keeps for itself.
    ReservedKey {
        /// The hash.
        key_hash: u64,
    },
    /// No live entry has this key.
    KeyNotFound,
    /// A value cannot be copied into the store that it is in.
    SameStore,
    /// The old and the new key are the same.
    SameTarget,
    /// Two lists that belong together differ in length.
    LengthMismatch {
        /// Length of the first list.
        left: usize,
        /// Length of the second list.
        right: usize,
    },
    /// No entry ends at this offset: tails are 0 and the offsets at which entries end, which a compaction changes.
    NoSuchTail {
        /// The offset that was given.
        tail: u64,
        /// The greatest tail before it.
        nearest: u64,
        /// The tail of now, which is the greatest.
        maximum: u64,
    },
    /// The key, or the name of a bucket, is longer than the format allows.
    KeyTooLong {
        /// Its length in bytes.
        length: usize,
        /// The longest allowed.
        maximum: usize,
    },
    /// Another key of the store has the same 64-bit hash; nothing was written.
    HashCollision {
        /// The hash of both.
        key_hash: u64,
    },
    /// The value is not a number to count with (8 bytes), or the sum does not fit in one; it stays as it is.
    NotACounter {
        /// Length of the value in bytes.
        length: usize,
    },
    /// The value cannot be turned into bytes.
    NotEncodable {
        /// What the encoder said.
        reason: String,
    },
    /// The bytes under the key are not a value of the type that was asked for.
    NotDecodable {
        /// What the decoder said.
        reason: String,
    },
    /// The write would end past the largest offset of the format.
    TooLarge {
        /// The offset at which it would end.
        end: u64,
        /// The largest allowed.
        maximum: u64,
    },
    /// The value is longer than what this build can address.
    NotAddressable {
        /// Its length in bytes.
        length: u64,
    },
    /// The share of a file is a number from 0 to 1.
    NotARatio,
    /// The backing cannot do what was asked, such as compaction on a medium without a second file.
    Unsupported(&'static str),
}

impl Error {
    /// Names what the engine was doing when `source` came back.
    pub(crate) const fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }

    /// The nearest [`io::ErrorKind`].
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io { source, .. } => source.kind(),
            Self::NoSuchFile(_) | Self::KeyNotFound => io::ErrorKind::NotFound,
            Self::Locked(_) => io::ErrorKind::WouldBlock,
            Self::NotAStore { .. } | Self::Corrupt { .. } | Self::NotDecodable { .. } => {
                io::ErrorKind::InvalidData
            }
            Self::ReadOnly => io::ErrorKind::PermissionDenied,
            Self::NotAFile(_)
            | Self::EmptyPayload
            | Self::ReservedPayload
            | Self::ReservedKey { .. }
            | Self::SameStore
            | Self::SameTarget
            | Self::LengthMismatch { .. }
            | Self::NoSuchTail { .. }
            | Self::KeyTooLong { .. }
            | Self::NotACounter { .. }
            | Self::NotEncodable { .. }
            | Self::NotARatio => io::ErrorKind::InvalidInput,
            Self::HashCollision { .. } => io::ErrorKind::AlreadyExists,
            Self::TooLarge { .. } => io::ErrorKind::FileTooLarge,
            Self::Latched | Self::NotAddressable { .. } => io::ErrorKind::Other,
            Self::Unsupported(_) => io::ErrorKind::Unsupported,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, source } => write!(f, "could not {doing}: {source}"),
            Self::NoSuchFile(path) => write!(f, "there is no file at {}", path.display()),
            Self::NotAFile(path) => write!(f, "{} is not a regular file", path.display()),
            Self::Locked(path) => write!(f, "{} is in use by another handle", path.display()),
            Self::NotAStore { length } => {
                write!(f, "this is not a store: no sound entry in its {length} bytes; the file was not touched")
            }
            Self::Corrupt { offset, what } => write!(
                f,
                "the store is damaged at offset {offset}: {what}; the file was not touched \
                 (`verify` shows the damage, `salvage` rescues every sound entry into a new file)"
            ),
            Self::ReadOnly => f.write_str("the store is open read-only"),
            Self::Latched => {
                f.write_str("an earlier write did not reach stable storage; reopen the store to go on writing")
            }
            Self::EmptyPayload => f.write_str("an empty value cannot be stored"),
            Self::ReservedPayload => {
                f.write_str("a single zero byte, or a stream of zeros, is how a deletion looks and cannot be stored")
            }
            Self::ReservedKey { key_hash } => write!(f, "the key hash {key_hash:#018x} is reserved"),
            Self::KeyNotFound => f.write_str("the key was not found"),
            // In the words that callers of the reference look for.
            Self::SameStore => f.write_str("Cannot copy entry to the same storage"),
            Self::SameTarget => f.write_str("the old and the new key are the same"),
            Self::LengthMismatch { left, right } => {
                write!(f, "the lists differ in length: {left} against {right}")
            }
            Self::NoSuchTail { tail, nearest, maximum } => write!(
                f,
                "no entry ends at offset {tail}: the nearest tail below is {nearest}, the greatest {maximum} \
                 (a compaction starts them anew)"
            ),
            Self::KeyTooLong { length, maximum } => {
                write!(f, "the key has {length} bytes, more than {maximum}")
            }
            Self::HashCollision { key_hash } => {
                write!(f, "another key has the hash {key_hash:#018x} too")
            }
            Self::NotACounter { length } => {
                write!(f, "the value of {length} bytes is no number to which this can be added")
            }
            Self::NotEncodable { reason } => write!(f, "the value cannot be turned into bytes: {reason}"),
            Self::NotDecodable { reason } => {
                write!(f, "the bytes of the value are not of the type asked for: {reason}")
            }
            Self::TooLarge { end, maximum } => {
                write!(f, "the write would end at offset {end}; offsets stay below {maximum}")
            }
            Self::NotAddressable { length } => write!(f, "a value of {length} bytes does not fit in memory here"),
            // Without the number: printing one of these takes 17 KiB of code.
            Self::NotARatio => f.write_str("a share of a file is a number from 0 to 1"),
            Self::Unsupported(what) => write!(f, "this backing does not support {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error)
    }
}
