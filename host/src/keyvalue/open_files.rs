//! Files that this process has open, each of them once.
//!
//! Invariant: a file is opened and closed under a lock of its own, so nobody meets one that is about to be closed, and nobody
//! waits for the opening of another file, which may take long.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock, Weak};

use tailstone::DataStore;
use tailstone::backing::DefaultBacking;
use tailstone_interface::{Refusal, Result};

use super::embedded::Lender;

/// Where an open file is found, if it is open.
type Slot = Mutex<Weak<OpenFile>>;

/// Slots by the canonical paths of their files.
static SLOTS: LazyLock<Mutex<HashMap<PathBuf, Arc<Slot>>>> = LazyLock::new(Mutex::default);

struct OpenFile {
    /// The store, and whether it is open for reading only. Absent while it is opened anew, and after that failed.
    store: RwLock<Option<(DataStore, bool)>>,
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
            let store = open_store(path, is_read_only)?;
            let file = Arc::new(OpenFile {
                store: RwLock::new(Some((store, is_read_only))),
            });
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
    /// Opens a file that was open for reading alone once more, for writing.
    fn allow(&self, path: &Path, is_read_only: bool) -> Result<()> {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        if store.as_ref().is_some_and(|(_, was)| !was || is_read_only) {
            return Ok(());
        }
        // The lock for reading goes before the one for writing can be had.
        *store = None;
        match open_store(path, is_read_only) {
            Ok(opened) => {
                *store = Some((opened, is_read_only));
                Ok(())
            }
            Err(refusal) => {
                *store = open_store(path, true).ok().map(|store| (store, true));
                Err(refusal)
            }
        }
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
        let store = file.store.read().unwrap_or_else(PoisonError::into_inner);
        match &*store {
            Some((store, _)) => call(store),
            None => Err(gone()),
        }
    }
}
