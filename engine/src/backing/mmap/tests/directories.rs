//! A file is only there after a loss of power if its name is: who syncs a write syncs the name before.

use super::super::platform::DIRECTORY_SYNCS;
use super::Folder;
use crate::{DataStore, DataStoreWriter, Durability};
use std::path::PathBuf;

/// The files whose names were synced since this was asked last.
fn synced() -> Vec<PathBuf> {
    DIRECTORY_SYNCS.take()
}

fn open(path: &std::path::Path) -> DataStore {
    let options = DataStore::options().durability(Durability::Sync);
    options.open(path).unwrap()
}

#[test]
fn the_name_is_synced_with_the_first_write_and_not_again() {
    let folder = Folder::new();
    let path = folder.file();
    synced();
    let store = open(&path);
    store.write(b"key", b"value").unwrap();
    let real = std::fs::canonicalize(&path).unwrap();
    assert_eq!(synced(), std::slice::from_ref(&real));
    store.write(b"key", b"another").unwrap();
    store.close().unwrap();
    assert!(synced().is_empty());

    // One that may have been made and never synced.
    std::fs::remove_file(&path).unwrap();
    let buffered = DataStore::open(&path).unwrap();
    buffered.write(b"key", b"value").unwrap();
    drop(buffered);
    assert!(synced().is_empty());
    open(&path).write(b"key", b"value").unwrap();
    assert_eq!(synced(), [real]);
}

#[test]
fn the_name_is_synced_when_a_compaction_or_a_backup_has_taken_it() {
    let folder = Folder::new();
    let path = folder.file();
    let store = open(&path);
    for _ in 0..9 {
        store.write(b"key", b"value").unwrap();
    }
    let real = std::fs::canonicalize(&path).unwrap();
    synced();
    store.compact().unwrap();
    assert_eq!(synced().last(), Some(&real));
    let copy = real.with_file_name("copy");
    store.backup(&copy, &mut |_, _| {}).unwrap();
    assert_eq!(synced().last(), Some(&copy));
    store.write(b"key", b"value").unwrap();
    assert!(synced().is_empty());
}
