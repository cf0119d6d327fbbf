//! A second file beside the first that comes to take its place.
//!
//! Invariant: whatever is at the first file's path is a whole store, before and after a crash at any moment; and no file is
//! removed but one of the reserved name, which nobody else makes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::beside::{COMPACTION, reserved_path};
use super::mapping::FIRST_RESERVATION;
use super::{MmapBacking, Paths, platform};

pub(super) fn create(original: &MmapBacking) -> io::Result<MmapBacking> {
    // A reader shares its lock, and so may not decide what else lies in the folder.
    drop(original.writer()?);
    let at = &original.paths().real;
    let path = reserved_path(at, COMPACTION)?;
    // Who holds the lock on the original, as we do, is the only one who may make or discard its replacement.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    platform::private(&mut options);
    let file = options.open(&path)?;
    match settle_in(original, file, &path) {
        Ok(mut replacement) => {
            replacement.temporary = true;
            Ok(replacement)
        }
        Err(error) => {
            let _ = fs::remove_file(&path);
            Err(error)
        }
    }
}

/// Locks the new file before anyone can know it by the store's name, and makes it the original's like.
fn settle_in(original: &MmapBacking, file: File, path: &Path) -> io::Result<MmapBacking> {
    file.try_lock().map_err(|error| match error {
        TryLockError::Error(error) => error,
        TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
    })?;
    platform::adopt_owner_and_permissions(&original.file, &file)?;
    let paths = Paths {
        given: path.to_path_buf(),
        real: path.to_path_buf(),
    };
    MmapBacking::from_locked(file, paths, false, FIRST_RESERVATION)
}

pub(super) fn commit(original: &MmapBacking, replacement: &MmapBacking) -> io::Result<()> {
    let target = original.paths().clone();
    if !replacement.temporary
        || replacement.moved.get().is_some()
        || replacement.paths.real != reserved_path(&target.real, COMPACTION)?
    {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this is not the replacement of that file",
        ));
    }
    put_in_place(&replacement.file, &replacement.paths.real, &target.real)?;
    let real = target.real.clone();
    // Nothing else sets it, and a second commit was refused above.
    let _ = replacement.moved.set(target);
    // From here on the new file is the store, whatever happens. A directory that cannot be synced now is not a reason to go on
    // in the old file, which has no name any more: it stays pending, and the next sync tries again and reports.
    let pending = platform::sync_directory_of(&real).is_err();
    replacement
        .directory_pending
        .store(pending, Ordering::Release);
    Ok(())
}

/// Removes what a compaction that did not end left beside `path`. The caller holds the lock of the file at `path`.
pub(super) fn discard_leftover(path: &Path) {
    if let Ok(leftover) = reserved_path(path, COMPACTION) {
        // None there is the rule; one that cannot be removed does no harm until the next compaction, which reports it.
        let _ = fs::remove_file(leftover);
    }
}

/// Brings `file`, which lies at `from`, to stable storage and then to the name `to`, in one atomic step. That the directory
/// knows of it durably is the caller's to see to.
pub(super) fn put_in_place(file: &File, from: &Path, to: &Path) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(from, to)
}
