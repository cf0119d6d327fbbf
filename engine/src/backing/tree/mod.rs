//! Folders of files, for import and export: everything is opened, made and renamed by one name in a folder that is open already.
//!
//! Invariant: no call leaves the folder it is made on. Names are single ones, and a link is never followed, but for those in the path
//! that a caller opens a tree by.

mod names;
#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use portable::{Folder, Identity, bytes_of, name_of};
#[cfg(unix)]
pub(crate) use unix::{Folder, Identity, bytes_of, name_of};

use std::fs::File;
use std::io;

/// What a name in a folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, wherever it leads.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

impl From<std::fs::FileType> for Kind {
    fn from(kind: std::fs::FileType) -> Self {
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Folder
        } else if kind.is_symlink() {
            Self::Link
        } else {
            Self::Other
        }
    }
}

/// The file, if it is a regular one: what had another kind a moment ago may have been replaced.
fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no file any more",
        ))
    }
}

#[cfg(test)]
mod tests;
