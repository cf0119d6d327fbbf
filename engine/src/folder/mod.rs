//! Folders of files into a store and back out of it.
//!
//! Invariant: an import reads nothing outside its folder, and an export writes nothing outside its own, whatever links lie in them
//! and whatever the keys say. What cannot be taken along is reported, and the rest goes on.
//!
//! ```
//! # let scratch = tempfile::tempdir()?;
//! # let (notes, copy) = (scratch.path().join("notes"), scratch.path().join("copy"));
//! # std::fs::create_dir_all(notes.join("2024"))?;
//! # std::fs::write(notes.join("2024/may.txt"), "rain")?;
//! use tailstone::folder::{ExportOptions, ImportOptions};
//!
//! let store = tailstone::MemoryStore::new();
//! let bucket = store.bucket("notes")?;
//! let report = bucket.import_folder(&notes, &ImportOptions::new(), &mut |_files, _bytes| {})?;
//! assert_eq!((report.files, report.is_complete()), (1, true));
//! assert_eq!(bucket.get(b"2024/may.txt")?.unwrap().as_slice(), b"rain");
//!
//! bucket.export_folder(&copy, &ExportOptions::new(), &mut |_files, _bytes| {})?;
//! assert_eq!(std::fs::read(copy.join("2024/may.txt"))?, b"rain");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod export;
mod import;
mod source;

#[cfg(feature = "extensions")]
pub(crate) use import::{import, key_of};

use crate::error::Error;
use std::fmt;
use std::path::PathBuf;

/// What is listed at most; all are counted.
const LISTED_MAX: usize = 1000;

/// How a folder is imported.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    prefix: Vec<u8>,
    stops: bool,
    left_out: Option<PathBuf>,
}

impl ImportOptions {
    /// Keys are the paths below the folder; a file that fails is reported.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            prefix: Vec::new(),
            stops: false,
            left_out: None,
        }
    }

    /// What stands before the path in every key, as it is: `photos/` if it is to look like a folder.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Vec<u8>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Whether the first file that fails ends the import with its error; those before it are stored.
    #[must_use]
    pub const fn stop_at_failure(mut self, stops: bool) -> Self {
        self.stops = stops;
        self
    }

    /// A file that is left out without a word: the store's own, if it lies in the folder.
    #[must_use]
    pub fn leave_out(mut self, path: impl Into<PathBuf>) -> Self {
        self.left_out = Some(path.into());
        self
    }
}

/// How a bucket is exported.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    prefix: Vec<u8>,
    stops: bool,
    overwrites: bool,
}

impl ExportOptions {
    /// All keys; no file that exists is touched; a key that fails is reported.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            prefix: Vec::new(),
            stops: false,
            overwrites: false,
        }
    }

    /// Exports only the keys that begin so, and names the files by what follows.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Vec<u8>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Whether the first key that fails ends the export with its error; the files before it stay.
    #[must_use]
    pub const fn stop_at_failure(mut self, stops: bool) -> Self {
        self.stops = stops;
        self
    }

    /// Whether files that exist are replaced: written beside and renamed, so that each is the old one or the new one.
    #[must_use]
    pub const fn overwrite(mut self, overwrites: bool) -> Self {
        self.overwrites = overwrites;
        self
    }
}

/// What came of an import or an export.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct FolderReport {
    /// How many files were stored or written.
    pub files: u64,
    /// How many bytes those have.
    pub bytes: u64,
    /// What was not taken along, the first thousand.
    pub skipped: Vec<Skipped>,
    /// How many were not taken along.
    pub skipped_count: u64,
    /// How many of those were files or keys that should have been: all but links that lead elsewhere and what is no file.
    pub missing_count: u64,
}

impl FolderReport {
    /// Whether every file, or every key, was taken along.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.missing_count == 0
    }

    fn skip(&mut self, name: &[u8], reason: SkipReason) {
        self.skipped_count = self.skipped_count.saturating_add(1);
        if !matches!(reason, SkipReason::NotAFile | SkipReason::Link) {
            self.missing_count = self.missing_count.saturating_add(1);
        }
        if self.skipped.len() < LISTED_MAX {
            self.skipped.push(Skipped {
                name: name.to_vec(),
                reason,
            });
        }
    }
}

/// A file that was not imported, or a key that was not exported.
#[derive(Debug)]
#[non_exhaustive]
pub struct Skipped {
    /// The path below the folder, or the key behind the prefix.
    pub name: Vec<u8>,
    /// Why.
    pub reason: SkipReason,
}

/// Why something was not taken along.
#[derive(Debug)]
#[non_exhaustive]
pub enum SkipReason {
    /// A pipe, a socket or a device.
    NotAFile,
    /// A link that leads out of the folder, to a folder or nowhere. Links to files in the folder are read as those files.
    Link,
    /// A file that no plain entry can hold: empty, or one zero byte. A bucket can.
    NotAPlainValue,
    /// A name that cannot be a key, or a key that cannot be the path of a file below the folder on this system.
    Name,
    /// The key needs a file where there is a folder, a folder where there is a file or a link, or a file that another key was just
    /// written to.
    Conflict,
    /// There is a file already.
    Exists,
    /// The file could not be read or written, or changed meanwhile; or the store refused the key.
    Failed(Error),
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAFile => "it is no file",
            Self::Link => "it is a link to somewhere else",
            Self::NotAPlainValue => {
                "it is empty or a single zero byte, which only a bucket can hold"
            }
            Self::Name => "the name cannot be given to both a key and a file",
            Self::Conflict => "the name is taken by a folder, a file or another key",
            Self::Exists => "there is a file already",
            Self::Failed(error) => return error.fmt(f),
        })
    }
}

#[cfg(test)]
mod tests;
