//! Where a backup goes: the file at its path, if there is one, and the partial file beside it that comes to take that name.
//!
//! Invariant: the path names a whole file at every moment, and a file that came to lie there unasked is not taken away. Both
//! files are read and written at offsets, without a mapping, and locked for as long as they are open here.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::beside::{BACKUP, reserved_path};
use super::open::{lock_at, open_locked};
use super::replace::put_in_place;
use super::{MmapBacking, OpenMode, platform};
use crate::backing::FileDevice;
use crate::backing::device::DeviceBacking;
use crate::error::{Error, Result};

/// Memory for looking at a file as a store.
const CACHE_BYTES: usize = 4 << 20;

/// The place of a backup.
pub(crate) struct Target {
    given: PathBuf,
    /// Where `given` leads, links followed.
    real: PathBuf,
    existing: Option<TargetFile>,
}

/// A file that is locked for writing; the lock goes with it.
pub(crate) struct TargetFile {
    file: File,
    path: PathBuf,
}

impl Target {
    /// The place at `path`, for a copy of `source`. A file that is there is opened and locked, not changed.
    pub(crate) fn open(path: &Path, source: &MmapBacking) -> Result<Self> {
        let resolved = resolve(path)?;
        if let Some(real) = &resolved {
            let same = *real == source.paths().real
                || platform::is_same_file(&source.file, &source.paths().real, real)
                    .map_err(Error::io(LOOK))?;
            if same {
                return Err(Error::SameStore);
            }
        }
        let existing = match &resolved {
            Some(real) => Some(TargetFile {
                file: open_locked(real, OpenMode::Existing).map_err(named(path))?,
                path: real.clone(),
            }),
            None => None,
        };
        Ok(Self {
            given: path.to_path_buf(),
            real: match resolved {
                Some(real) => real,
                None => in_real_folder(path)?,
            },
            existing,
        })
    }

    /// The file that was there.
    pub(crate) const fn existing(&self) -> Option<&TargetFile> {
        self.existing.as_ref()
    }

    /// The partial file beside the place: what an earlier attempt left, or a new one.
    pub(crate) fn partial(&self) -> Result<TargetFile> {
        let path = reserved_path(&self.real, BACKUP).map_err(Error::io(CREATE))?;
        let file = lock_at(&path, false, || open_partial(&path)).map_err(named(&self.given))?;
        Ok(TargetFile { file, path })
    }

    /// Gives `partial`, which is a complete copy of `source`, the place: durably, and in one atomic step.
    pub(crate) fn replace_by(&self, partial: &TargetFile, source: &MmapBacking) -> Result<()> {
        // Not before: permissions that forbid writing would keep the next attempt out.
        let like = self
            .existing
            .as_ref()
            .map_or(&source.file, |file| &file.file);
        platform::adopt_owner_and_permissions(like, &partial.file).map_err(Error::io(CREATE))?;
        self.check_unchanged()?;
        put_in_place(&partial.file, &partial.path, &self.real)
            .and_then(|()| platform::sync_directory_of(&self.real))
            .map_err(Error::io("put the backup in its place"))
    }

    /// Refuses when the path came to name something else since it was looked at. No system that we know of can do this and rename
    /// in one step on every file system; what comes between the two is lost, as with any other program that renames.
    fn check_unchanged(&self) -> Result<()> {
        let is_unchanged = match &self.existing {
            Some(existing) => platform::is_at(&existing.file, &self.real),
            None => self.real.try_exists().map(|exists| !exists),
        };
        match is_unchanged {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::Locked(self.given.clone())),
            Err(error) => Err(Error::io(LOOK)(error)),
        }
    }
}

impl TargetFile {
    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    pub(crate) fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        platform::read_at(&self.file, at, buf)
    }

    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        platform::write_at(&self.file, at, &[bytes])
    }

    /// Cuts what lies at or past `len`; a shorter file stays as it is.
    pub(crate) fn cut(&self, len: u64) -> io::Result<()> {
        if self.len()? > len {
            self.file.set_len(len)?;
        }
        Ok(())
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// The same file as something that recovery looks at.
    pub(crate) fn as_backing(&self) -> io::Result<DeviceBacking<FileDevice>> {
        DeviceBacking::new(FileDevice::from(self.file.try_clone()?), CACHE_BYTES)
    }
}

impl Drop for TargetFile {
    fn drop(&mut self) {
        // Closing would do, but for a process that is just being made, as with a backing.
        let _ = self.file.unlock();
    }
}

const LOOK: &str = "look at the target of the backup";
const CREATE: &str = "create the backup";

/// Where `path` leads; `None` if nothing is there.
fn resolve(path: &Path) -> Result<Option<PathBuf>> {
    match fs::canonicalize(path) {
        Ok(real) => Ok(Some(real)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A link that leads nowhere is something of somebody's all the same.
            if fs::symlink_metadata(path).is_ok() {
                return Err(Error::NotAFile(path.to_path_buf()));
            }
            Ok(None)
        }
        Err(error) => Err(Error::io(LOOK)(error)),
    }
}

fn in_real_folder(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(Error::NotAFile(path.to_path_buf()));
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = fs::canonicalize(folder).map_err(Error::io("find the folder of the backup"))?;
    Ok(folder.join(name))
}

fn open_partial(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    platform::private(&mut options);
    let file = options.open(path).map_err(Error::io(CREATE))?;
    if file.metadata().map_err(Error::io(CREATE))?.is_file() {
        Ok(file)
    } else {
        Err(Error::NotAFile(path.to_path_buf()))
    }
}

/// Errors that name a path name the one that was given.
fn named(given: &Path) -> impl FnOnce(Error) -> Error {
    let given = given.to_path_buf();
    move |error| match error {
        Error::Locked(_) => Error::Locked(given),
        Error::NotAFile(_) => Error::NotAFile(given),
        Error::NoSuchFile(_) => Error::NoSuchFile(given),
        other => other,
    }
}
