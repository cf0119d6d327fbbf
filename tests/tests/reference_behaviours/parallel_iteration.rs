//! Iteration on several threads finds what plain iteration finds.

use crate::scratch::new_store;
use rayon::iter::ParallelIterator;
use std::collections::BTreeSet;
use tailstone::DataStore;
use tailstone::traits::{DataStoreReader, DataStoreWriter};

/// Every value that the parallel iteration yields, and that there was no value twice.
fn in_parallel(store: &DataStore) -> BTreeSet<Vec<u8>> {
    let values: Vec<Vec<u8>> = store
        .par_iter_entries()
        .map(|value| value.to_vec())
        .collect();
    let set: BTreeSet<_> = values.iter().cloned().collect();
    assert_eq!(set.len(), values.len());
    set
}

fn set(values: &[&[u8]]) -> BTreeSet<Vec<u8>> {
    values.iter().map(|value| value.to_vec()).collect()
}

#[test]
fn both_iterations_find_the_same() {
    let (_scratch, store) = new_store();
    for n in 0..500_u32 {
        let value = format!("value {n}");
        store.write(&n.to_le_bytes(), value.as_bytes()).unwrap();
    }
    let plain: BTreeSet<_> = store.iter_entries().map(|value| value.to_vec()).collect();
    assert_eq!(plain.len(), 500);
    assert_eq!(in_parallel(&store), plain);
}

#[test]
fn deleted_keys_are_skipped() {
    let (_scratch, store) = new_store();
    store
        .batch_write(&[(b"a", b"1"), (b"b", b"2"), (b"c", b"3")])
        .unwrap();
    store.delete(b"b").unwrap();
    assert_eq!(in_parallel(&store), set(&[b"1", b"3"]));
}

#[test]
fn old_versions_are_skipped() {
    let (_scratch, store) = new_store();
    store
        .batch_write(&[(b"a", b"old"), (b"b", b"kept")])
        .unwrap();
    store.write(b"a", b"older").unwrap();
    store.write(b"a", b"new").unwrap();
    assert_eq!(in_parallel(&store), set(&[b"new", b"kept"]));
}

#[test]
fn keys_updated_and_then_deleted_are_skipped() {
    let (_scratch, store) = new_store();
    store
        .batch_write(&[(b"a", b"old"), (b"b", b"kept")])
        .unwrap();
    store.write(b"a", b"new").unwrap();
    store.delete(b"a").unwrap();
    assert_eq!(in_parallel(&store), set(&[b"kept"]));
    assert!(!store.exists(b"a").unwrap());
}

#[test]
fn an_empty_store_yields_nothing() {
    let (_scratch, store) = new_store();
    assert_eq!(store.par_iter_entries().count(), 0);
    store.write(b"a", b"1").unwrap();
    assert_eq!(store.par_iter_entries().count(), 1);
}
