//! The lock: WASI has none, so a file that only one can create stands for it.
//!
//! Invariant: whoever has a store open for writing made its lock file, and removes it when done. One who ends before
//! that leaves the file behind, and nobody can tell that from somebody at work; so it is a person who removes it.

use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

use tailstone_interface::Refusal as Error;

use crate::directory::Name;
use crate::failure::failure;

/// What a person finds in the file.
const NOTE: &[u8] =
    b"The store beside this file is open for writing. When no program uses it, remove this file.\n";

/// The lock on a store, given back when it is dropped.
#[derive(Debug)]
pub struct Lock {
    directory: Descriptor,
    path: String,
}

impl Lock {
    /// Takes the lock, or says who may have it and what to do.
    pub fn take(directory: Descriptor, name: &Name) -> Result<Self, Error> {
        let path = name.of_lock();
        let exclusive = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        let file = directory
            .open_at(PathFlags::empty(), &path, exclusive, DescriptorFlags::WRITE)
            .map_err(|code| {
                if code == ErrorCode::Exist {
                    locked(name)
                } else {
                    failure(code)
                }
            })?;
        // The note is for people; the lock is the file's being there.
        let _noted = file.write(NOTE, 0);
        Ok(Self { directory, path })
    }

    /// Fails if somebody has the lock.
    pub fn check(directory: &Descriptor, name: &Name) -> Result<(), Error> {
        match directory.stat_at(PathFlags::empty(), &name.of_lock()) {
            Ok(_) => Err(locked(name)),
            Err(ErrorCode::NoEntry) => Ok(()),
            Err(code) => Err(failure(code)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If it stays, the next open says how to get rid of it.
        let _removed = self.directory.unlink_file_at(&self.path);
    }
}

fn locked(name: &Name) -> Error {
    Error::Locked(format!(
        "{} is open for writing, or its last writer ended without closing it; if no program uses it, remove {}",
        name.as_str(),
        name.of_lock()
    ))
}
