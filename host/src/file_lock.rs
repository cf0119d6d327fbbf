//! The lock that programs outside the sandbox respect, held on the store's file while an instance works on it.
//!
//! WASI has no locks, so the component cannot take it; the lock file that it makes is not seen by the native engine. On
//! Windows such a lock would keep the component's own handle from reading, so there the lock file has to do.

use std::fs::{File, OpenOptions};
use std::path::Path;

use crate::bindings::Access;
use crate::error::{Error, Result};

/// Held for as long as the store is open.
#[derive(Debug)]
pub struct FileLock {
    #[cfg_attr(not(unix), expect(dead_code, reason = "nothing is locked there"))]
    file: File,
}

impl FileLock {
    /// Opens the regular file at `path`, creating it if that is allowed, and locks it.
    pub fn take(path: &Path, access: Access) -> Result<Self> {
        match path.metadata() {
            Ok(metadata) if !metadata.is_file() => return Err(Error::NotAFile(path.to_path_buf())),
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound && access != Access::Create =>
            {
                return Err(Error::NoSuchFile(path.to_path_buf()));
            }
            _ => {}
        }
        let file = OpenOptions::new()
            .read(true)
            .write(access != Access::Read)
            .create(access == Access::Create)
            .truncate(false)
            .open(path)
            .map_err(Error::io("open the store's file"))?;
        lock(&file, path, access)?;
        Ok(Self { file })
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing would do, but for a process that is just being made: until it runs its program it has the file open as well.
        #[cfg(unix)]
        let _ = self.file.unlock();
    }
}

#[cfg(unix)]
fn lock(file: &File, path: &Path, access: Access) -> Result<()> {
    use std::fs::TryLockError;
    let locked = if access == Access::Read {
        file.try_lock_shared()
    } else {
        file.try_lock()
    };
    locked.map_err(|error| match error {
        TryLockError::WouldBlock => Error::InUse(path.to_path_buf()),
        TryLockError::Error(source) => Error::Io {
            doing: "lock the store's file",
            source,
        },
    })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other platforms can fail")]
const fn lock(_file: &File, _path: &Path, _access: Access) -> Result<()> {
    Ok(())
}

/// Removes the lock file that an instance left behind when its program was killed.
///
/// Fails with [`Error::InUse`] while a program that locks the file itself has the store open: this host, or the native
/// engine. Other hosts of the component do not, so whoever calls this must know that none of them is at work.
pub fn unlock(path: &Path) -> Result<()> {
    let _lock = FileLock::take(path, Access::Write)?;
    let path = path
        .canonicalize()
        .map_err(Error::io("find the store's file"))?;
    match std::fs::remove_file(lock_file(&path)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::Io {
            doing: "remove the lock file",
            source: error,
        }),
        _ => Ok(()),
    }
}

/// The lock file that the component makes beside the store at `path`.
pub fn lock_file(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}
