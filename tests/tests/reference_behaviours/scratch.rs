//! Stores in a folder of their own that goes away with the test.

use std::path::PathBuf;
use tailstone::DataStore;
use tempfile::TempDir;

/// A folder for the stores of one test.
pub struct Scratch(TempDir);

impl Scratch {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Where a file of this name is, or would be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Opens the store of this name, which is created if it is not there.
    pub fn open(&self, name: &str) -> DataStore {
        DataStore::open(&self.path(name)).unwrap()
    }
}

/// A new store; the folder has to outlive it.
pub fn new_store() -> (Scratch, DataStore) {
    let scratch = Scratch::new();
    let store = scratch.open("store.bin");
    (scratch, store)
}

/// Bytes in which every position differs from its neighbours, none of them zeros alone.
pub fn bytes(len: usize) -> Vec<u8> {
    (0..=250).cycle().skip(1).take(len).collect()
}
