//! Many keys in one call: written, read and deleted together, or refused together.

use crate::scratch::new_store;
use std::io::ErrorKind;
use tailstone::traits::{DataStoreReader, DataStoreWriter};
use tailstone::{DataStore, compute_hash, compute_hash_batch};

const THREE: [(&[u8], &[u8]); 3] = [(b"a", b"apple"), (b"b", b"banana"), (b"c", b"cherry")];
const KEYS: [&[u8]; 3] = [b"a", b"b", b"c"];

/// What a batch read gave, as text; `-` where there was no value.
fn texts<V: AsRef<[u8]>>(values: Vec<Option<V>>) -> Vec<String> {
    let text = |value: V| String::from_utf8(value.as_ref().to_vec()).unwrap();
    values
        .into_iter()
        .map(|value| value.map_or_else(|| "-".to_owned(), text))
        .collect()
}

/// Expects `batch` to be refused as bad input, and the store to be as it was.
fn assert_refused(store: &DataStore, batch: &[(&[u8], &[u8])]) {
    let (len, size) = (store.len().unwrap(), store.file_size().unwrap());
    let error = store.batch_write(batch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(store.len().unwrap(), len);
    assert_eq!(store.file_size().unwrap(), size);
}

#[test]
fn a_batch_can_be_read_key_by_key() {
    let (_scratch, store) = new_store();
    store.batch_write(&THREE).unwrap();
    for (key, value) in THREE {
        assert_eq!(store.read(key).unwrap().unwrap(), value);
    }
}

#[test]
fn a_batch_read_answers_in_the_order_asked() {
    let (_scratch, store) = new_store();
    store.batch_write(&THREE).unwrap();
    let values = texts(store.batch_read(&[b"c", b"a", b"b"]).unwrap());
    assert_eq!(values, ["cherry", "apple", "banana"]);
}

#[test]
fn a_zero_byte_in_a_batch_is_refused() {
    let (_scratch, store) = new_store();
    assert_refused(&store, &[(b"key", b"\0")]);
}

#[test]
fn an_empty_value_in_a_batch_is_refused() {
    let (_scratch, store) = new_store();
    assert_refused(&store, &[(b"key", b"")]);
}

#[test]
fn one_bad_value_refuses_the_whole_batch() {
    let (_scratch, store) = new_store();
    assert_refused(
        &store,
        &[(b"good", b"value"), (b"bad", b"\0"), (b"fine", b"v")],
    );
    assert_refused(
        &store,
        &[(b"good", b"value"), (b"fine", b"v"), (b"bad", b"")],
    );
    assert!(!store.exists(b"good").unwrap());
    assert_eq!(store.len().unwrap(), 0);
}

#[test]
fn missing_keys_are_none_in_their_place() {
    let (_scratch, store) = new_store();
    store.batch_write(&THREE).unwrap();
    let values = texts(store.batch_read(&[b"a", b"nowhere", b"c"]).unwrap());
    assert_eq!(values, ["apple", "-", "cherry"]);
}

#[test]
fn hashes_can_be_read_without_their_keys() {
    let (_scratch, store) = new_store();
    store.batch_write(&THREE).unwrap();
    let hashes = [
        compute_hash(b"b"),
        compute_hash(b"none"),
        compute_hash(b"a"),
    ];
    let values = texts(store.batch_read_hashed_keys(&hashes, None).unwrap());
    assert_eq!(values, ["banana", "-", "apple"]);
}

#[test]
fn hashes_can_be_read_with_their_keys() {
    let (_scratch, store) = new_store();
    store.batch_write(&THREE).unwrap();
    let hashes = compute_hash_batch(&KEYS);
    let values = texts(store.batch_read_hashed_keys(&hashes, Some(&KEYS)).unwrap());
    assert_eq!(values, ["apple", "banana", "cherry"]);
}

#[test]
fn a_hash_beside_another_key_reads_nothing() {
    let (_scratch, store) = new_store();
    store.batch_write(&THREE).unwrap();
    let hashes = compute_hash_batch(&KEYS);
    let keys: [&[u8]; 3] = [b"a", b"not b", b"c"];
    let values = texts(store.batch_read_hashed_keys(&hashes, Some(&keys)).unwrap());
    assert_eq!(values, ["apple", "-", "cherry"]);
}

#[test]
fn hashes_and_keys_of_different_number_are_refused() {
    let (_scratch, store) = new_store();
    let hashes = compute_hash_batch(&KEYS);
    let error = store
        .batch_read_hashed_keys(&hashes, Some(&KEYS[..2]))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_batch_delete_takes_its_keys_and_no_others() {
    let (_scratch, store) = new_store();
    store.batch_write(&THREE).unwrap();
    store.batch_delete(&[b"a", b"c"]).unwrap();
    let values = texts(store.batch_read(&KEYS).unwrap());
    assert_eq!(values, ["-", "banana", "-"]);
}

#[test]
fn deleting_missing_keys_appends_nothing() {
    let (_scratch, store) = new_store();
    let tail = store.batch_write(&THREE).unwrap();
    assert_eq!(store.batch_delete(&[b"x", b"y"]).unwrap(), tail);
    assert_eq!(store.batch_delete(&[b"x", b"b"]).unwrap(), tail + 21);
    assert_eq!(store.len().unwrap(), 2);
    assert!(!store.exists(b"b").unwrap());
}

#[test]
fn keys_can_be_deleted_by_their_hashes() {
    let (_scratch, store) = new_store();
    store.batch_write(&THREE).unwrap();
    let hashes = [compute_hash(b"b"), compute_hash(b"nowhere")];
    store.batch_delete_key_hashes(&hashes).unwrap();
    let values = texts(store.batch_read(&KEYS).unwrap());
    assert_eq!(values, ["apple", "-", "cherry"]);
}

#[test]
fn len_follows_batches() {
    let (_scratch, store) = new_store();
    store.batch_write(&THREE).unwrap();
    assert_eq!(store.len().unwrap(), 3);
    store
        .batch_write(&[(b"a", b"avocado"), (b"d", b"date")])
        .unwrap();
    assert_eq!(store.len().unwrap(), 4);
    store.batch_delete(&[b"a", b"b", b"nowhere"]).unwrap();
    assert_eq!(store.len().unwrap(), 2);
    store.batch_delete(&[b"c", b"d"]).unwrap();
    assert!(store.is_empty().unwrap());
}
