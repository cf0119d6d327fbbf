//! What was written is there after the store is opened again, also behind a torn end.

use crate::scratch::new_store;
use std::io::Write;
use tailstone::DataStore;
use tailstone::traits::{DataStoreReader, DataStoreWriter};

fn assert_value(store: &DataStore, key: &[u8], value: &[u8]) {
    assert_eq!(store.read(key).unwrap().unwrap(), value);
}

#[test]
fn values_outlive_their_handle() {
    let (scratch, store) = new_store();
    store.write(b"one", b"first").unwrap();
    store
        .batch_write(&[(b"two", b"second"), (b"three", b"third")])
        .unwrap();
    drop(store);
    let store = scratch.open("store.bin");
    assert_eq!(store.len().unwrap(), 3);
    assert_value(&store, b"one", b"first");
    assert_value(&store, b"two", b"second");
    assert_value(&store, b"three", b"third");
}

#[test]
fn the_newest_version_is_read_after_reopening() {
    let (scratch, store) = new_store();
    store
        .batch_write(&[(b"changed", b"old"), (b"kept", b"same")])
        .unwrap();
    drop(store);
    let store = scratch.open("store.bin");
    store.write(b"changed", b"a longer new value").unwrap();
    store.write(b"changed", b"newest").unwrap();
    drop(store);
    let store = scratch.open("store.bin");
    assert_value(&store, b"changed", b"newest");
    assert_value(&store, b"kept", b"same");
    assert_eq!(store.len().unwrap(), 2);
}

#[test]
fn a_torn_end_is_cut_off_and_writing_goes_on() {
    let (scratch, store) = new_store();
    let tail = store.write(b"key", b"a value before the crash").unwrap();
    drop(store);
    let path = scratch.path("store.bin");
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    file.write_all(b"GARBAGE").unwrap();
    drop(file);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), tail + 7);

    let store = scratch.open("store.bin");
    assert_eq!(store.file_size().unwrap(), tail);
    assert_value(&store, b"key", b"a value before the crash");
    store.write(b"later", b"a value after it").unwrap();
    drop(store);
    let store = scratch.open("store.bin");
    assert_eq!(store.len().unwrap(), 2);
    assert_value(&store, b"key", b"a value before the crash");
    assert_value(&store, b"later", b"a value after it");
}
