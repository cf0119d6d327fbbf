//! Snapshots taken up, and what is written behind them.

#[cfg(any(unix, windows))]
mod before_reads;
mod damage;
#[cfg(any(unix, windows))]
mod files;
mod hostile;

use crate::backing::{Backing, MemoryBacking};
use crate::format::{EntryMetadata, SNAPSHOT_HASH, align_to_payload};
use crate::recovery::Outcome;
use crate::{DataStoreReader, DataStoreWriter, EntryHandle, MemoryStore, Options, Store};
use std::collections::BTreeMap;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

const KEYS: u32 = if cfg!(miri) { 60 } else { 3000 };

fn key(n: u32) -> Vec<u8> {
    format!("key {n}").into_bytes()
}

/// Long and short values, some overwritten, some deleted.
fn filled(store: &MemoryStore) -> Model {
    let mut model = Model::new();
    let value = |n: u32, len: u32| vec![n.to_le_bytes()[0] | 1; len as usize];
    for n in 0..KEYS {
        let len = if n % 97 == 0 { 3000 } else { n % 50 + 1 };
        store.write(&key(n), &value(n, len)).unwrap();
        model.insert(key(n), value(n, len));
    }
    for n in (0..KEYS).step_by(7) {
        store.write(&key(n), &value(n, 9)).unwrap();
        model.insert(key(n), value(n, 9));
    }
    for n in (0..KEYS).step_by(11) {
        store.delete(&key(n)).unwrap();
        model.remove(&key(n));
    }
    model
}

fn bytes_of<B: Backing>(store: &Store<B>) -> Vec<u8> {
    let generation = store.current.load();
    let mut bytes = vec![0; usize::try_from(generation.tail()).unwrap()];
    generation.backing.read(0, &mut bytes).unwrap();
    bytes
}

fn open(bytes: &[u8]) -> MemoryStore {
    try_open(bytes).unwrap()
}

fn try_open(bytes: &[u8]) -> crate::Result<MemoryStore> {
    let backing = MemoryBacking::new();
    backing.write(0, &[bytes]).unwrap();
    Store::open_with(backing, &Options::new())
}

fn check<B: Backing>(store: &Store<B>, model: &Model) {
    assert_eq!(store.len().unwrap(), model.len());
    for n in 0..KEYS + 20 {
        let read = store.read(&key(n)).unwrap();
        let read = read.as_ref().map(EntryHandle::as_slice);
        assert_eq!(read, model.get(&key(n)).map(Vec::as_slice), "{n}");
    }
    let mut values: Vec<Vec<u8>> = store
        .entries()
        .unwrap()
        .map(|value| value.unwrap().to_vec())
        .collect();
    let mut wanted: Vec<Vec<u8>> = model.values().cloned().collect();
    values.sort();
    wanted.sort();
    assert_eq!(values, wanted);
}

/// The figures that were kept are those that opening without a snapshot finds.
fn check_stats(store: &MemoryStore) {
    let options = Options::new().snapshots(false);
    let backing = MemoryBacking::new();
    backing.write(0, &[&bytes_of(store)]).unwrap();
    let walked = Store::open_with(backing, &options).unwrap();
    assert_eq!(walked.recovery_report().index_snapshot, None);
    let (kept, walked) = (store.stats(), walked.stats());
    assert_eq!(
        (kept.live_keys, kept.compaction_savings, kept.file_bytes),
        (
            walked.live_keys,
            walked.compaction_savings,
            walked.file_bytes
        )
    );
}

#[test]
fn opening_starts_from_a_snapshot() {
    let store = MemoryStore::new();
    let mut model = filled(&store);
    let before = store.tail();
    assert!(store.snapshot_index().unwrap());
    check(&store, &model);
    check_stats(&store);

    let store = open(&bytes_of(&store));
    let report = store.recovery_report();
    assert_eq!(
        (report.index_snapshot, report.entries, report.outcome),
        (Some(before), 1, Outcome::Clean)
    );
    check(&store, &model);
    check_stats(&store);

    // What is written behind it is found as well, here and after the next opening.
    for n in (0..KEYS + 10).step_by(3) {
        store.write(&key(n), b"newer").unwrap();
        model.insert(key(n), b"newer".to_vec());
    }
    for n in (0..KEYS).step_by(5) {
        store.delete(&key(n)).unwrap();
        model.remove(&key(n));
    }
    store.write(&key(0), &[7; 4000]).unwrap();
    model.insert(key(0), vec![7; 4000]);
    check(&store, &model);
    let store = open(&bytes_of(&store));
    assert_eq!(store.recovery_report().index_snapshot, Some(before));
    check(&store, &model);
    check_stats(&store);

    // And a second one takes the place of the first.
    let before = store.tail();
    assert!(store.snapshot_index().unwrap());
    let store = open(&bytes_of(&store));
    assert_eq!(store.recovery_report().index_snapshot, Some(before));
    check(&store, &model);
    check_stats(&store);
}

#[test]
fn an_empty_store_has_one_too() {
    let store = MemoryStore::new();
    assert!(store.snapshot_index().unwrap());
    let store = open(&bytes_of(&store));
    assert_eq!(store.recovery_report().index_snapshot, Some(0));
    assert!(store.is_empty().unwrap());
    for n in 0..KEYS {
        store.write(&key(n), b"v").unwrap();
    }
    assert_eq!(store.len().unwrap(), KEYS as usize);
}

/// Growing, splitting and doubling while other segments are asleep.
#[test]
fn an_index_that_was_taken_up_grows() {
    let store = MemoryStore::new();
    let mut model = filled(&store);
    store.snapshot_index().unwrap();
    let store = open(&bytes_of(&store));
    for n in 0..KEYS * 4 {
        let name = [b"more ", &n.to_le_bytes()[..]].concat();
        store.write(&name, &n.to_le_bytes()).unwrap();
        model.insert(name, n.to_le_bytes().to_vec());
    }
    check(&store, &model);
    check_stats(&store);
    assert!(store.stats().index_bytes < store.stats().live_keys * 20 || cfg!(miri));
}

#[test]
fn without_the_option_nothing_is_taken_up() {
    let store = MemoryStore::new();
    let model = filled(&store);
    store.snapshot_index().unwrap();
    let backing = MemoryBacking::new();
    backing.write(0, &[&bytes_of(&store)]).unwrap();
    let store = Store::open_with(backing, &Options::new().snapshots(false)).unwrap();
    assert_eq!(store.recovery_report().index_snapshot, None);
    check(&store, &model);
}

/// Where a snapshot's body and head lie in the file that ends with one.
fn parts(bytes: &[u8]) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let metadata =
        |end: usize| EntryMetadata::deserialize(bytes[end - 20..end].try_into().unwrap());
    let start = |prev: u64| usize::try_from(align_to_payload(prev)).unwrap();
    let head = metadata(bytes.len());
    let body_end = usize::try_from(head.prev_offset).unwrap();
    let body = metadata(body_end);
    assert_eq!(
        (head.key_hash, body.key_hash),
        (SNAPSHOT_HASH, SNAPSHOT_HASH)
    );
    (
        start(body.prev_offset)..body_end - 20,
        start(head.prev_offset)..bytes.len() - 20,
    )
}
