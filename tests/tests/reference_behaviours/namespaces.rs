//! Keys in namespaces of their own.

use crate::scratch::new_store;
use tailstone::traits::{DataStoreReader, DataStoreWriter};
use tailstone::utils::NamespaceHasher;

#[test]
fn a_namespaced_key_has_sixteen_bytes() {
    for (prefix, key) in [(&b""[..], &b""[..]), (b"p", b"k"), (&[7; 500], &[8; 900])] {
        assert_eq!(NamespaceHasher::new(prefix).namespace(key).len(), 16);
    }
}

#[test]
fn one_key_differs_between_namespaces() {
    let key = b"shared name";
    let (red, blue) = (NamespaceHasher::new(b"red"), NamespaceHasher::new(b"blue"));
    assert_ne!(red.namespace(key), blue.namespace(key));
}

#[test]
fn keys_differ_within_a_namespace() {
    let red = NamespaceHasher::new(b"red");
    assert_ne!(red.namespace(b"one"), red.namespace(b"two"));
}

#[test]
fn a_namespaced_key_is_always_the_same() {
    let red = NamespaceHasher::new(b"red");
    assert_eq!(red.namespace(b"one"), red.namespace(b"one"));
    let again = NamespaceHasher::new(b"red");
    assert_eq!(red.namespace(b"one"), again.namespace(b"one"));
}

#[test]
fn prefix_and_key_do_not_run_into_each_other() {
    let (left, right) = (NamespaceHasher::new(b"ab"), NamespaceHasher::new(b"a"));
    assert_ne!(left.namespace(b"c"), right.namespace(b"bc"));
}

#[test]
fn namespaces_in_one_store_do_not_meet() {
    let (_scratch, store) = new_store();
    let (red, blue) = (NamespaceHasher::new(b"red"), NamespaceHasher::new(b"blue"));
    store.write(&red.namespace(b"key"), b"red value").unwrap();
    store.write(&blue.namespace(b"key"), b"blue value").unwrap();
    store.write(b"key", b"plain value").unwrap();
    store.delete(&blue.namespace(b"key")).unwrap();
    let value_of = |key: &[u8]| store.read(key).unwrap();
    assert_eq!(
        value_of(&red.namespace(b"key")).unwrap().as_slice(),
        b"red value"
    );
    assert!(value_of(&blue.namespace(b"key")).is_none());
    assert_eq!(value_of(b"key").unwrap().as_slice(), b"plain value");
}
