//! Values that may be `None` and are stored all the same.

use crate::extensions::{StorageOptionExt, deserialize_option, serialize_option, utils};
use crate::scratch::new_store;
use bitcode::{Decode, Encode};
use std::io::ErrorKind;
use tailstone::traits::{DataStoreReader, DataStoreWriter};
use tailstone::utils::NamespaceHasher;

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
struct Ship {
    masts: u32,
    name: String,
}

fn ship(masts: u32) -> Ship {
    Ship {
        masts,
        name: "Preussen".to_owned(),
    }
}

/// The key by which an optional value lies in the store.
fn stored_key(key: &[u8]) -> Vec<u8> {
    NamespaceHasher::new(b"\xf7option\xfd").namespace(key)
}

#[test]
fn some_comes_back() {
    let (_scratch, store) = new_store();
    store.write_option(b"key", Some(&ship(5))).unwrap();
    assert_eq!(store.read_option(b"key").unwrap(), Some(ship(5)));
}

#[test]
fn none_comes_back() {
    let (_scratch, store) = new_store();
    store.write_option::<Ship>(b"key", None).unwrap();
    assert_eq!(store.read_option::<Ship>(b"key").unwrap(), None);
}

#[test]
fn none_is_stored_and_deletes_nothing() {
    let (_scratch, store) = new_store();
    store.write_option(b"key", Some(&ship(5))).unwrap();
    store.write_option::<Ship>(b"key", None).unwrap();
    assert_eq!(store.read_option::<Ship>(b"key").unwrap(), None);
    let raw = store.read(&stored_key(b"key")).unwrap().unwrap();
    assert_eq!(raw.as_slice(), [0xff, 0xfe]);
    assert_eq!(store.len().unwrap(), 1);
}

#[test]
fn some_is_overwritten_with_none_and_back() {
    let (_scratch, store) = new_store();
    for value in [Some(ship(1)), None, Some(ship(2))] {
        store.write_option(b"key", value.as_ref()).unwrap();
        assert_eq!(store.read_option(b"key").unwrap(), value);
    }
}

#[test]
fn what_was_never_written_is_not_found() {
    let (_scratch, store) = new_store();
    let error = store.read_option::<Ship>(b"key").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn several_keys_have_a_value_each() {
    let (_scratch, store) = new_store();
    let values = [Some(ship(1)), Some(ship(2)), None, Some(ship(4))];
    for (key, value) in (0_u8..).zip(&values) {
        store.write_option(&[key], value.as_ref()).unwrap();
    }
    for (key, value) in (0_u8..).zip(&values) {
        assert_eq!(&store.read_option::<Ship>(&[key]).unwrap(), value);
    }
}

#[test]
fn some_lies_under_its_own_prefix() {
    let (_scratch, store) = new_store();
    store.write_option(b"key", Some(&ship(3))).unwrap();
    assert!(store.read(b"key").unwrap().is_none());
    let raw = store.read(&stored_key(b"key")).unwrap().unwrap();
    assert_eq!(raw.as_slice(), bitcode::encode(&ship(3)));
}

#[test]
fn none_lies_under_its_own_prefix() {
    let (_scratch, store) = new_store();
    store.write_option::<Ship>(b"key", None).unwrap();
    assert!(store.read(b"key").unwrap().is_none());
    assert!(store.read(&stored_key(b"key")).unwrap().is_some());
}

#[test]
fn plain_values_are_no_optional_ones() {
    let (_scratch, store) = new_store();
    store.write(b"key", &bitcode::encode(&ship(3))).unwrap();
    assert!(store.read(&stored_key(b"key")).unwrap().is_none());
    assert!(store.read_option::<Ship>(b"key").is_err());
    let raw = store.read(b"key").unwrap().unwrap();
    assert_eq!(bitcode::decode::<Ship>(&raw).unwrap(), ship(3));
}

#[test]
fn the_functions_beneath_are_there_by_each_path() {
    let bytes = serialize_option(Some(&ship(2))).unwrap();
    assert_eq!(utils::serialize_option(Some(&ship(2))).unwrap(), bytes);
    let same = utils::option_serializer::deserialize_option::<Ship>(&bytes);
    assert_eq!(same.unwrap(), Some(ship(2)));
    let none = serialize_option::<Ship>(None).unwrap();
    assert_eq!(deserialize_option::<Ship>(&none).unwrap(), None);
    let error = utils::option_serializer::deserialize_option::<Ship>(b"nonsense").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}
