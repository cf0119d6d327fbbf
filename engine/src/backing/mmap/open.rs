//! How a file becomes a backing: checked before it is opened, locked before it is read.
//!
//! Invariant: a backing's lock is on the file its path names, not on one that a compaction has just put out of the way.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};

use super::append::Appender;
use super::mapping::{FIRST_RESERVATION, Reads};
use super::{MmapBacking, Paths, platform, replace};
use crate::error::{Error, Result};

/// How often opening starts again because the path came to name another file meanwhile.
const MAX_ATTEMPTS: u32 = 16;

/// What may be done with the file, and whether it may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Reads a file that exists; needs no permission to write it and changes nothing.
    ReadOnly,
    /// Reads and writes a file that exists.
    Existing,
    /// Reads and writes; makes an empty file if there is none.
    Create,
    /// Makes the file; one that exists is an error of kind `AlreadyExists`.
    CreateNew,
}

impl MmapBacking {
    /// Opens and locks the file at `path`.
    ///
    /// A directory, pipe or device is refused without being opened, so that this never waits for one.
    pub fn open(path: impl AsRef<Path>, mode: OpenMode) -> Result<Self> {
        Self::open_reserving(path.as_ref(), mode, FIRST_RESERVATION)
    }

    pub(super) fn open_reserving(path: &Path, mode: OpenMode, reservation: u64) -> Result<Self> {
        let file = open_locked(path, mode)?;
        let real = fs::canonicalize(path).map_err(Error::io("resolve the path of the file"))?;
        let paths = Paths {
            given: path.to_path_buf(),
            real,
        };
        if mode != OpenMode::ReadOnly {
            replace::discard_leftover(&paths.real);
        }
        Self::from_locked(file, paths, mode == OpenMode::ReadOnly, reservation)
            .map_err(Error::io("map the file"))
    }

    pub(super) fn from_locked(
        file: File,
        paths: Paths,
        read_only: bool,
        reservation: u64,
    ) -> io::Result<Self> {
        let len = file.metadata()?.len();
        // A file that cannot grow, or a system that cannot map more than there is, gets what is there.
        let reservation = if read_only || !platform::MAPS_PAST_END {
            len
        } else {
            reservation.max(
                len.checked_next_power_of_two()
                    .unwrap_or(len)
                    .saturating_mul(4),
            )
        };
        let reads = Reads::new(&file, len, reservation)?;
        Ok(Self {
            writer: (!read_only).then(|| Mutex::new(Appender::new(&file))),
            reads,
            file,
            paths,
            moved: OnceLock::new(),
            temporary: false,
            // It may have been made just now, or by a process that never synced.
            directory_pending: AtomicBool::new(!read_only),
        })
    }
}

pub(super) fn open_locked(path: &Path, mode: OpenMode) -> Result<File> {
    lock_at(path, mode == OpenMode::ReadOnly, || {
        open_regular(path, mode)
    })
}

/// What `open` opens at `path`, locked while it was still there.
pub(super) fn lock_at(
    path: &Path,
    is_shared: bool,
    open: impl Fn() -> Result<File>,
) -> Result<File> {
    for _ in 0..MAX_ATTEMPTS {
        let file = open()?;
        let locked = if is_shared {
            file.try_lock_shared()
        } else {
            file.try_lock()
        };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked(path.to_path_buf())),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock the file")(error)),
        }
        match platform::is_at(&file, path) {
            Ok(true) => return Ok(file),
            // Replaced or removed between opening and locking: this lock guards a file that nobody will find again.
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("look at the file")(error)),
        }
    }
    Err(Error::Locked(path.to_path_buf()))
}

fn open_regular(path: &Path, mode: OpenMode) -> Result<File> {
    let refuse = |path: &Path| Err(Error::NotAFile(PathBuf::from(path)));
    let creates = matches!(mode, OpenMode::Create | OpenMode::CreateNew);
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return refuse(path),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !creates {
                return Err(Error::NoSuchFile(path.to_path_buf()));
            }
        }
        Err(error) => return Err(Error::io("look at the file")(error)),
    }
    let mut options = OpenOptions::new();
    options.read(true).write(mode != OpenMode::ReadOnly);
    options
        .create(mode == OpenMode::Create)
        .create_new(mode == OpenMode::CreateNew);
    // What was a file a moment ago may be a pipe by now; opening must not wait for its other end.
    platform::never_wait(&mut options);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !creates => {
            return Err(Error::NoSuchFile(path.to_path_buf()));
        }
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => return refuse(path),
        Err(error) => return Err(Error::io("open the file")(error)),
    };
    let metadata = file.metadata().map_err(Error::io("look at the file"))?;
    if metadata.is_file() {
        Ok(file)
    } else {
        refuse(path)
    }
}
