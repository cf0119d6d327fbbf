//! Files that this process has open, each of them once.
//!
//! Invariant: a file is opened and closed under a lock of its own, so nobody meets one that is about to be closed, and nobody
//! waits for the opening of another file, which may take long.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, RwLock, Weak};

use tailstone::DataStore;
use tailstone::backing::DefaultBacking;
use tailstone_interface::{Refusal, Result};

use super::embedded::Lender;

/// Where an open file is found, if it is open.
type Slot = Mutex<Weak<OpenFile>>;

/// Slots by the canonical paths of their files.
static SLOTS: LazyLock<Mutex<HashMap<PathBuf, Arc<Slot>>>> = LazyLock::new(Mutex::default);

/// A file is open for reading alone or for writing, and goes from the one to the other at most once.
struct OpenFile {
    /// The store that is open for writing, which no call has to lock.
    writable: OnceLock<DataStore>,
    /// The one that is open for reading. Absent besides while it is opened anew, and after that failed.
    readable: RwLock<Option<DataStore>>,
}

/// A file in use. The last one who lets go of it closes it.
pub struct Held {
    file: Option<Arc<OpenFile>>,
    slot: Arc<Slot>,
}

impl Held {
    /// Opens the store at `path`, unless it is open, and creates it if it is to be written to and not there.
    pub fn new(path: &Path, is_read_only: bool) -> Result<Self> {
        let slot = slot_of(path)?;
        let mut found = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let file = if let Some(file) = found.upgrade() {
            file.allow(path, is_read_only)?;
            file
        } else {
            let file = Arc::new(OpenFile::new(path, is_read_only)?);
            *found = Arc::downgrade(&file);
            file
        };
        drop(found);
        Ok(Self {
            file: Some(file),
            slot,
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _others_wait = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        self.file = None;
    }
}

fn slot_of(path: &Path) -> Result<Arc<Slot>> {
    // A file that is not there yet has no canonical path, but its folder has.
    let canonical = match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(canonical), _, _) => canonical,
        (Err(_), Some(folder), Some(name)) => {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            folder.canonicalize()?.join(name)
        }
        (Err(error), _, _) => return Err(error.into()),
    };
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    slots.retain(|_, slot| Arc::strong_count(slot) > 1);
    Ok(Arc::clone(slots.entry(canonical).or_default()))
}

fn open_store(path: &Path, is_read_only: bool) -> Result<DataStore> {
    let options = DataStore::options().read_only(is_read_only);
    Ok(options.create(!is_read_only).open(path)?)
}

impl OpenFile {
    fn new(path: &Path, is_read_only: bool) -> Result<Self> {
        let store = open_store(path, is_read_only)?;
        let (readable, writable) = if is_read_only {
            (Some(store), OnceLock::new())
        } else {
            (None, OnceLock::from(store))
        };
        Ok(Self {
            writable,
            readable: RwLock::new(readable),
        })
    }

    /// Opens a file that was open for reading alone once more, for writing. Its slot is locked, so nobody else does.
    fn allow(&self, path: &Path, is_read_only: bool) -> Result<()> {
        if self.writable.get().is_some() {
            return Ok(());
        }
        let mut readable = self
            .readable
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if readable.is_some() && is_read_only {
            return Ok(());
        }
        // The lock for reading goes before the one for writing can be had.
        *readable = None;
        match open_store(path, is_read_only) {
            Ok(store) if is_read_only => *readable = Some(store),
            Ok(store) => drop(self.writable.set(store)),
            Err(refusal) => {
                *readable = open_store(path, true).ok();
                return Err(refusal);
            }
        }
        Ok(())
    }
}

impl Lender for Held {
    type Backing = DefaultBacking;

    fn lend<R>(&self, call: impl FnOnce(&DataStore) -> Result<R>) -> Result<R> {
        let gone = || {
            Refusal::Other(
                "the store could not be opened again; close every handle on it first".to_owned(),
            )
        };
        let file = self.file.as_ref().ok_or_else(gone)?;
        if let Some(store) = file.writable.get() {
            return call(store);
        }
        let readable = file.readable.read().unwrap_or_else(PoisonError::into_inner);
        // It may have been opened for writing while this waited.
        let store = readable.as_ref().or_else(|| file.writable.get());
        call(store.ok_or_else(gone)?)
    }
}
