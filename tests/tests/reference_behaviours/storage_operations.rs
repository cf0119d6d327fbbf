//! Values that move: to other stores, to other keys, and stores as values of stores.

use crate::scratch::{bytes, new_store};
use std::io::ErrorKind;
use tailstone::traits::{DataStoreReader, DataStoreWriter};
use tailstone::{DataStore, compute_hash};

#[test]
fn a_copy_has_the_hash_and_checksum_of_its_source() {
    let (scratch, source) = new_store();
    let target = scratch.open("target.bin");
    source.write(b"key", &bytes(3000)).unwrap();
    assert_eq!(
        source.copy(b"key", &target).unwrap(),
        target.file_size().unwrap()
    );
    let (from, to) = (
        source.read(b"key").unwrap().unwrap(),
        target.read(b"key").unwrap().unwrap(),
    );
    assert_eq!(from.as_slice(), to.as_slice());
    assert_eq!(from.key_hash(), to.key_hash());
    assert_eq!(from.checksum(), to.checksum());
}

#[test]
fn a_store_does_not_copy_to_itself() {
    let (_scratch, store) = new_store();
    let tail = store.write(b"key", b"value").unwrap();
    let error = store.copy(b"key", &store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error
            .to_string()
            .contains("Cannot copy entry to the same storage")
    );
    assert_eq!(store.file_size().unwrap(), tail);
}

#[test]
fn a_transfer_moves_the_value() {
    let (scratch, source) = new_store();
    let target = scratch.open("target.bin");
    source
        .batch_write(&[(b"going", b"cargo"), (b"staying", b"ballast")])
        .unwrap();
    assert_eq!(
        source.transfer(b"going", &target).unwrap(),
        source.file_size().unwrap()
    );
    assert!(!source.exists(b"going").unwrap());
    assert!(source.exists(b"staying").unwrap());
    assert_eq!(target.read(b"going").unwrap().unwrap().as_slice(), b"cargo");
    assert_eq!(target.len().unwrap(), 1);
}

#[test]
fn updates_and_deletions_show_in_len_and_iteration() {
    let (_scratch, store) = new_store();
    store
        .batch_write(&[(b"a", b"1"), (b"b", b"2"), (b"c", b"3")])
        .unwrap();
    store.write(b"a", b"4").unwrap();
    store.delete(b"b").unwrap();
    assert_eq!(store.len().unwrap(), 2);
    let values: Vec<Vec<u8>> = store.iter_entries().map(|value| value.to_vec()).collect();
    assert_eq!(values, [b"4".to_vec(), b"3".to_vec()], "newest first");
    let hashes: Vec<u64> = store.into_iter().map(|value| value.key_hash()).collect();
    assert_eq!(hashes, [compute_hash(b"a"), compute_hash(b"c")]);
}

#[test]
fn a_renamed_value_is_under_its_new_key_alone() {
    let (_scratch, store) = new_store();
    store.write(b"old", b"value").unwrap();
    store.rename(b"old", b"new").unwrap();
    assert!(!store.exists(b"old").unwrap());
    assert_eq!(store.read(b"new").unwrap().unwrap().as_slice(), b"value");
    assert_eq!(store.len().unwrap(), 1);
    let error = store.rename(b"old", b"elsewhere").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_rename_to_the_same_key_is_refused() {
    let (_scratch, store) = new_store();
    let tail = store.write(b"key", b"value").unwrap();
    let error = store.rename(b"key", b"key").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(store.file_size().unwrap(), tail);
    assert_eq!(store.read(b"key").unwrap().unwrap().as_slice(), b"value");
}

#[test]
fn a_store_can_be_a_value_of_another() {
    let (scratch, inner) = new_store();
    inner
        .batch_write(&[(b"a", b"inner a"), (b"b", &bytes(5000))])
        .unwrap();
    drop(inner);
    let outer = scratch.open("outer.bin");
    outer.write(b"before", b"something else").unwrap();
    let mut file = std::fs::File::open(scratch.path("store.bin")).unwrap();
    outer.write_stream(b"nested", &mut file).unwrap();
    drop(outer);

    let outer = scratch.open("outer.bin");
    let nested = outer.read(b"nested").unwrap().unwrap();
    let extracted = scratch.path("extracted.bin");
    std::fs::write(&extracted, &nested).unwrap();
    let inner = DataStore::open_existing(&extracted).unwrap();
    assert_eq!(inner.len().unwrap(), 2);
    assert_eq!(inner.read(b"a").unwrap().unwrap().as_slice(), b"inner a");
    assert_eq!(inner.read(b"b").unwrap().unwrap(), bytes(5000));
}
