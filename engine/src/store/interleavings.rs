//! How entries are published, and how a compaction puts a new generation in place, beside a reader in every order that loom
//! finds: the store's own code on memory.

use crate::atomic::explore;
use crate::store::{DataStoreReader, DataStoreWriter, MemoryStore};
use loom::thread;
use std::sync::Arc;

fn value(store: &MemoryStore, key: &[u8]) -> u8 {
    let read = store
        .read(key)
        .unwrap()
        .expect("a key that is always there");
    assert!(read.is_valid_checksum());
    read[0]
}

fn store_of_two() -> Arc<MemoryStore> {
    let store = MemoryStore::new();
    store
        .batch_write(&[(b"a", b"\x01"), (b"b", b"\x01")])
        .unwrap();
    Arc::new(store)
}

/// The versions of the two keys in a list.
fn listed(store: &MemoryStore) -> Vec<u8> {
    let mut versions: Vec<u8> = store.iter_entries().map(|entry| entry[0]).collect();
    versions.sort_unstable();
    versions
}

#[test]
fn a_value_is_never_older_than_one_that_was_read_before() {
    explore(5, || {
        let store = store_of_two();
        let reading = Arc::clone(&store);
        let reader = thread::spawn(move || {
            let first = value(&reading, b"a");
            let tail = reading.tail();
            assert!(value(&reading, b"a") >= first);
            assert!(reading.tail() >= tail);
        });
        store.write(b"a", b"\x02").unwrap();
        reader.join().unwrap();
        assert_eq!(value(&store, b"a"), 2);
    });
}

#[test]
fn a_list_is_of_one_moment_however_a_batch_stands() {
    explore(4, || {
        let store = store_of_two();
        let reading = Arc::clone(&store);
        let reader = thread::spawn(move || {
            let versions = listed(&reading);
            assert!(versions == [1, 1] || versions == [2, 2], "{versions:?}");
        });
        store
            .batch_write(&[(b"a", b"\x02"), (b"b", b"\x02")])
            .unwrap();
        reader.join().unwrap();
        assert_eq!(listed(&store), [2, 2]);
    });
}

#[test]
fn a_compaction_puts_everything_in_place_at_once() {
    explore(4, || {
        let store = store_of_two();
        store.write(b"a", b"\x02").unwrap();
        // The old generation goes when both threads are done with it, which `Arc` does not tell loom.
        let kept = store.reader();
        let reading = Arc::clone(&store);
        let reader = thread::spawn(move || {
            let view = reading.reader();
            assert_eq!(view.get(b"a"), Some(&[2][..]));
            assert_eq!((value(&reading, b"a"), value(&reading, b"b")), (2, 1));
            assert_eq!(listed(&reading), [1, 2]);
        });
        store.compact().unwrap();
        reader.join().unwrap();
        drop(kept);
        assert_eq!(listed(&store), [1, 2]);
    });
}
