//! One key at a time: writing, reading, replacing, deleting, opening.

use crate::scratch::{Scratch, bytes, new_store};
use std::io::ErrorKind;
use tailstone::traits::{DataStoreReader, DataStoreWriter};
use tailstone::{DataStore, compute_hash};

#[test]
fn a_store_is_empty_until_written_to() {
    let (_scratch, store) = new_store();
    assert!(store.is_empty().unwrap());
    assert_eq!(store.len().unwrap(), 0);
    store.write(b"first", b"value").unwrap();
    assert!(!store.is_empty().unwrap());
    assert_eq!(store.len().unwrap(), 1);
}

#[test]
fn a_key_exists_once_it_is_written() {
    let (_scratch, store) = new_store();
    assert!(!store.exists(b"key").unwrap());
    store.write(b"key", b"value").unwrap();
    assert!(store.exists(b"key").unwrap());
    assert!(!store.exists(b"another key").unwrap());
}

#[test]
fn a_deleted_key_is_gone_and_can_come_back() {
    let (_scratch, store) = new_store();
    store.write(b"key", b"value").unwrap();
    store.delete(b"key").unwrap();
    assert!(!store.exists(b"key").unwrap());
    assert!(store.read(b"key").unwrap().is_none());
    store.write(b"key", b"again").unwrap();
    assert_eq!(store.read(b"key").unwrap().unwrap().as_slice(), b"again");
}

#[test]
fn the_last_entry_is_what_was_written_last() {
    let (_scratch, store) = new_store();
    assert!(store.read_last_entry().unwrap().is_none());
    store.write(b"one", b"first value").unwrap();
    store.write(b"two", b"second value").unwrap();
    let last = store.read_last_entry().unwrap().unwrap();
    assert_eq!(last.as_slice(), b"second value");
    assert_eq!(last.key_hash(), compute_hash(b"two"));
}

#[test]
fn each_write_appends() {
    let (_scratch, store) = new_store();
    let mut tail = 0;
    for n in 0..5_u8 {
        let after = store.write(&[n], &[n + 1; 30]).unwrap();
        assert!(after > tail, "write {n}");
        tail = after;
        assert_eq!(
            store.read_last_entry().unwrap().unwrap().as_slice(),
            [n + 1; 30]
        );
    }
    assert_eq!(store.file_size().unwrap(), tail);
    assert_eq!(store.len().unwrap(), 5);
}

#[test]
fn short_and_long_values_come_back_whole() {
    let (_scratch, store) = new_store();
    for len in [10, 1024, 4096] {
        store
            .write(&len.to_string().into_bytes(), &bytes(len))
            .unwrap();
    }
    for len in [10, 1024, 4096] {
        let value = store.read(&len.to_string().into_bytes()).unwrap().unwrap();
        assert_eq!(value.size(), len);
        assert_eq!(value, bytes(len));
    }
}

#[test]
fn each_key_has_its_own_value() {
    let (_scratch, store) = new_store();
    let pairs = [("alpha", "1st"), ("beta", "2nd"), ("gamma", "3rd")];
    for (key, value) in pairs {
        store.write(key.as_bytes(), value.as_bytes()).unwrap();
    }
    for (key, value) in pairs {
        let read = store.read(key.as_bytes()).unwrap().unwrap();
        assert_eq!(read, value.as_bytes());
    }
    assert!(store.read(b"delta").unwrap().is_none());
}

#[test]
fn an_update_of_any_length_replaces_only_its_key() {
    let (_scratch, store) = new_store();
    store.write(b"bystander", b"untouched").unwrap();
    for len in [8, 400, 1, 65, 64] {
        store.write(b"updated", &bytes(len)).unwrap();
        assert_eq!(store.read(b"updated").unwrap().unwrap(), bytes(len));
        assert_eq!(
            store.read(b"bystander").unwrap().unwrap().as_slice(),
            b"untouched"
        );
    }
    assert_eq!(store.len().unwrap(), 2);
}

#[test]
fn open_existing_opens_what_is_there() {
    let (scratch, store) = new_store();
    store.write(b"key", b"value").unwrap();
    drop(store);
    let store = DataStore::open_existing(&scratch.path("store.bin")).unwrap();
    assert_eq!(store.read(b"key").unwrap().unwrap().as_slice(), b"value");
    assert_eq!(store.get_path(), scratch.path("store.bin"));
}

#[test]
fn open_existing_creates_nothing() {
    let scratch = Scratch::new();
    let path = scratch.path("absent.bin");
    let error = DataStore::open_existing(&path).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!path.exists());
}

#[test]
fn the_single_zero_byte_is_refused() {
    let (_scratch, store) = new_store();
    let error = store.write(b"key", b"\0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!store.exists(b"key").unwrap());
    assert_eq!(store.file_size().unwrap(), 0);
}

#[test]
fn reading_by_hash_hits_misses_and_sees_deletions() {
    let (_scratch, store) = new_store();
    let hash = compute_hash(b"key");
    store.write(b"key", b"value").unwrap();
    let value = store.read_with_key_hash(hash).unwrap().unwrap();
    assert_eq!(value.as_slice(), b"value");
    assert!(store.read_with_key_hash(hash ^ 1).unwrap().is_none());
    store.delete(b"key").unwrap();
    assert!(store.read_with_key_hash(hash).unwrap().is_none());
}

#[test]
fn existence_by_hash_hits_misses_and_sees_deletions() {
    let (_scratch, store) = new_store();
    let hash = compute_hash(b"key");
    store.write_with_key_hash(hash, b"value").unwrap();
    assert!(store.exists_with_key_hash(hash).unwrap());
    assert!(store.exists(b"key").unwrap());
    assert!(!store.exists_with_key_hash(hash ^ 1).unwrap());
    store.delete(b"key").unwrap();
    assert!(!store.exists_with_key_hash(hash).unwrap());
}
