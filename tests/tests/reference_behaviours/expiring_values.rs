//! Values that expire. A time to live of 0 is over at once, so that nobody has to wait for it.

use crate::extensions::StorageCacheExt;
use crate::scratch::new_store;
use bitcode::{Decode, Encode};
use std::io::ErrorKind;
use tailstone::traits::{DataStoreReader, DataStoreWriter};
use tailstone::utils::NamespaceHasher;

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
struct Ticket {
    seat: u32,
    name: String,
}

fn ticket(seat: u32) -> Ticket {
    Ticket {
        seat,
        name: "Ada".to_owned(),
    }
}

/// Long enough for any test, however slow.
const LONG: u64 = 100_000;

fn stored_key(key: &[u8]) -> Vec<u8> {
    NamespaceHasher::new(b"\xf7ttl\xfd").namespace(key)
}

#[test]
fn a_value_is_read_before_its_time() {
    let (_scratch, store) = new_store();
    store.write_with_ttl(b"key", &ticket(1), LONG).unwrap();
    assert_eq!(store.read_with_ttl(b"key").unwrap(), Some(ticket(1)));
}

#[test]
fn an_expired_value_is_none_and_then_gone() {
    let (_scratch, store) = new_store();
    store.write_with_ttl(b"key", &ticket(1), 0).unwrap();
    assert_eq!(store.read_with_ttl::<Ticket>(b"key").unwrap(), None);
    assert!(store.read(&stored_key(b"key")).unwrap().is_none());
    let error = store.read_with_ttl::<Ticket>(b"key").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn one_value_expires_and_the_others_stay() {
    let (_scratch, store) = new_store();
    store.write_with_ttl(b"stays", &ticket(1), LONG).unwrap();
    store.write_with_ttl(b"goes", &ticket(2), 0).unwrap();
    assert_eq!(store.read_with_ttl::<Ticket>(b"goes").unwrap(), None);
    assert_eq!(store.read_with_ttl(b"stays").unwrap(), Some(ticket(1)));
}

#[test]
fn what_was_never_written_is_not_found() {
    let (_scratch, store) = new_store();
    let error = store.read_with_ttl::<Ticket>(b"key").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn several_values_expire_by_their_own_times() {
    let (_scratch, store) = new_store();
    for (key, seconds) in [(1_u8, 0), (2, LONG), (3, 0), (4, u64::MAX)] {
        store
            .write_with_ttl(&[key], &ticket(key.into()), seconds)
            .unwrap();
    }
    for key in 1..=4_u8 {
        let expected = (key % 2 == 0).then(|| ticket(key.into()));
        assert_eq!(store.read_with_ttl(&[key]).unwrap(), expected, "{key}");
    }
}

#[test]
fn a_plain_value_is_no_expiring_one() {
    let (_scratch, store) = new_store();
    store.write(b"key", &bitcode::encode(&ticket(1))).unwrap();
    assert!(store.read_with_ttl::<Ticket>(b"key").is_err());
}

#[test]
fn options_expire_as_other_values_do() {
    let (_scratch, store) = new_store();
    store
        .write_with_ttl(b"some", &Some(ticket(1)), LONG)
        .unwrap();
    store
        .write_with_ttl(b"none", &None::<Ticket>, LONG)
        .unwrap();
    let read = |key: &[u8]| store.read_with_ttl::<Option<Ticket>>(key).unwrap();
    assert_eq!(read(b"some"), Some(Some(ticket(1))));
    assert_eq!(read(b"none"), Some(None));
    store.write_with_ttl(b"some", &Some(ticket(1)), 0).unwrap();
    store.write_with_ttl(b"none", &None::<Ticket>, 0).unwrap();
    assert_eq!((read(b"some"), read(b"none")), (None, None));
}

#[test]
fn a_value_lies_under_its_own_prefix_behind_its_time() {
    let (_scratch, store) = new_store();
    store.write_with_ttl(b"key", &ticket(1), u64::MAX).unwrap();
    assert!(store.read(b"key").unwrap().is_none());
    let raw = store.read(&stored_key(b"key")).unwrap().unwrap();
    let expected = [&[0xff; 8][..], &bitcode::encode(&ticket(1))].concat();
    assert_eq!(raw.as_slice(), expected);
}

#[test]
fn the_prefix_leaves_plain_values_alone() {
    let (_scratch, store) = new_store();
    store.write(b"key", b"plain").unwrap();
    assert!(store.read(&stored_key(b"key")).unwrap().is_none());
    store.write_with_ttl(b"key", &ticket(1), 0).unwrap();
    assert_eq!(store.read_with_ttl::<Ticket>(b"key").unwrap(), None);
    assert_eq!(store.read(b"key").unwrap().unwrap().as_slice(), b"plain");
}

#[test]
fn what_is_too_short_for_a_time_is_invalid() {
    let (_scratch, store) = new_store();
    store.write(&stored_key(b"key"), b"short").unwrap();
    let error = store.read_with_ttl::<Ticket>(b"key").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}
