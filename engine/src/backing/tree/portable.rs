//! Folders by their paths, each step looked at first. Somebody who changes the tree at the same moment is not kept out: that takes
//! descriptors.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{Kind, names, regular};

/// A folder that was there when it was opened.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

/// What tells one file from every other: its real path, by which names that differ in case alone are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity(String);

impl Identity {
    /// That of the file at `path`, links followed.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let real = fs::canonicalize(path)?;
        Ok(Self(real.to_string_lossy().to_lowercase()))
    }
}

/// A name as it goes into keys: as UTF-8, if it can be.
pub(crate) fn bytes_of(name: &OsStr) -> Option<&[u8]> {
    name.to_str().map(str::as_bytes)
}

/// The name of a file that these bytes are.
pub(crate) fn name_of(bytes: &[u8]) -> Option<OsString> {
    let name = std::str::from_utf8(bytes).ok()?;
    names::is_plain_on_windows(name).then(|| name.into())
}

impl Folder {
    /// Opens the folder at `path`, links followed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let real = fs::canonicalize(path)?;
        if fs::metadata(&real)?.is_dir() {
            Ok(Self(real))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// Opens the folder of this name; `NotADirectory` if it is something else.
    pub(crate) fn folder(&self, name: &OsStr) -> io::Result<Self> {
        if self.kind(name)? == Kind::Folder {
            Ok(Self(self.0.join(name)))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// The same, made if there is none.
    pub(crate) fn make_folder(&self, name: &OsStr) -> io::Result<Self> {
        match fs::create_dir(self.0.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => self.folder(name),
        }
    }

    /// All names, in their order.
    pub(crate) fn list(&self) -> io::Result<Vec<(OsString, Kind)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            found.push((entry.file_name(), entry.file_type()?.into()));
        }
        found.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        Ok(found)
    }

    /// What this name stands for.
    pub(crate) fn kind(&self, name: &OsStr) -> io::Result<Kind> {
        let metadata = fs::symlink_metadata(self.0.join(name))?;
        Ok(metadata.file_type().into())
    }

    /// Which file this name stands for.
    pub(crate) fn identity(&self, name: &OsStr) -> io::Result<Identity> {
        Identity::of(&self.0.join(name))
    }

    /// Opens the regular file of this name for reading.
    pub(crate) fn file(&self, name: &OsStr) -> io::Result<File> {
        if self.kind(name)? != Kind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        regular(File::open(self.0.join(name))?)
    }

    /// Makes a file of this name, which nothing has yet.
    pub(crate) fn make_file(&self, name: &OsStr) -> io::Result<File> {
        File::create_new(self.0.join(name))
    }

    /// Puts `from` in the place of `to`, unless that is a folder.
    pub(crate) fn replace(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.0.join(from), self.0.join(to))
    }

    /// Takes a file away.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }
}
