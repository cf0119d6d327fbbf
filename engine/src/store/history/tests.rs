//! What a walk shows, and where it ends: on stores and on bytes that were damaged.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails here"
)]

use super::*;
use crate::backing::MemoryBacking;
use crate::format::{compute_checksum, pre_pad};
use crate::index::Index;
use crate::{DataStoreWriter, Error, MemoryStore};

type Seen = Vec<(u64, Option<Vec<u8>>)>;

/// Tail and value of each version.
fn seen(history: History<MemoryBacking>) -> Seen {
    history
        .map(|version| {
            let version = version.unwrap();
            assert_eq!(version.is_deletion(), version.value().is_none());
            let value = version.value().map(|value| value.as_slice().to_vec());
            (version.tail(), value)
        })
        .collect()
}

/// How a version shows that a write of `value` left, which returned `tail`.
fn put(tail: u64, value: &[u8]) -> (u64, Option<Vec<u8>>) {
    (tail, Some(value.to_vec()))
}

fn bytes_of(store: &MemoryStore) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(store.tail()).unwrap()];
    store.current.load().backing.read(0, &mut bytes).unwrap();
    bytes
}

/// A walk through `bytes` as they are, with an index that knows nothing.
fn history_of(bytes: &[u8], key_hash: u64, verify_reads: bool) -> History<MemoryBacking> {
    let backing = MemoryBacking::new();
    backing.write(0, &[bytes]).unwrap();
    let (_, writer) = Index::create();
    let tail = bytes.len() as u64;
    let generation = Generation::new(backing, Arc::clone(writer.index()), tail, 0);
    History::new(Arc::new(generation), tail, key_hash, verify_reads)
}

#[test]
fn shows_overwrites_deletions_and_what_came_back() {
    let store = MemoryStore::new();
    assert!(store.history(b"a").next().is_none());
    let first = store.write(b"a", b"1").unwrap();
    let other = store.write(b"b", b"other").unwrap();
    let second = store.write(b"a", b"22").unwrap();
    let deleted = store.delete(b"a").unwrap();
    assert_eq!(store.delete(b"a").unwrap(), deleted);
    let back = store.write(b"a", b"333").unwrap();
    let expected = [
        put(back, b"333"),
        (deleted, None),
        put(second, b"22"),
        put(first, b"1"),
    ];
    assert_eq!(seen(store.history(b"a")), expected);
    assert_eq!(seen(store.history(b"b")), [put(other, b"other")]);
    assert_eq!(seen(store.history(b"never written")), []);
    let hashed = store.history_with_key_hash(compute_hash(b"a"));
    assert_eq!(seen(hashed), expected);
}

#[test]
fn a_rename_and_a_batch_are_their_entries() {
    let store = MemoryStore::new();
    store.write(b"old", b"moved").unwrap();
    let renamed = store.rename(b"old", b"new").unwrap();
    assert_eq!(
        seen(store.history(b"old")),
        [(renamed, None), put(25, b"moved")]
    );
    let new = seen(store.history(b"new"));
    assert_eq!(new, [put(renamed - 21, b"moved")]);

    let entries: [(&[u8], &[u8]); 3] = [(b"new", b"x"), (b"other", b"y"), (b"new", b"z")];
    let tail = store.batch_write(&entries).unwrap();
    let new = seen(store.history(b"new"));
    let values: Vec<_> = new.iter().map(|(_, value)| value.as_deref()).collect();
    assert_eq!(values, [Some(&b"z"[..]), Some(b"x"), Some(b"moved")]);
    assert_eq!(new[0].0, tail);
}

#[test]
fn a_version_says_where_it_lies() {
    let store = MemoryStore::new();
    let first = store.write(b"a", b"1").unwrap();
    let second = store.write(b"a", b"22").unwrap();
    let third = store.delete(b"a").unwrap();
    let versions: Vec<_> = store.history(b"a").map(Result::unwrap).collect();
    let places: Vec<_> = versions.iter().map(|v| (v.offset(), v.tail())).collect();
    assert_eq!(places, [(second, third), (first, second), (0, first)]);
    for version in &versions {
        assert_eq!(version.metadata().prev_offset, version.offset());
        assert_eq!(version.metadata().key_hash, compute_hash(b"a"));
    }
    assert_eq!(versions[1].metadata().checksum, compute_checksum(b"22"));
    assert_eq!(versions[0].metadata().checksum, compute_checksum(&[0]));
    assert_eq!(versions[1].clone().into_value().unwrap(), b"22");
}

#[test]
fn neither_writes_nor_a_compaction_change_a_walk() {
    let store = MemoryStore::new();
    let mut expected = Seen::new();
    for round in 0..50_u8 {
        let tail = store.write(b"a", &[round, 1]).unwrap();
        expected.insert(0, put(tail, &[round, 1]));
        store.write(b"b", &[round; 300]).unwrap();
    }
    let mut history = store.history(b"a");
    let begun = history.next().unwrap().unwrap();
    store.write(b"a", b"later").unwrap();
    store.delete(b"a").unwrap();
    store.compact().unwrap();
    let after = store.write(b"a", b"after").unwrap();
    assert_eq!(begun.tail(), expected[0].0);
    assert_eq!(begun.value().unwrap(), &[49, 1]);
    assert_eq!(seen(history), expected[1..]);
    assert_eq!(seen(store.history(b"a")), [put(after, b"after")]);
    assert_eq!(store.history(b"b").count(), 1);
}

#[test]
fn a_damaged_link_is_an_error_and_the_end() {
    let store = MemoryStore::new();
    let oldest = store.write(b"a", b"oldest").unwrap();
    store.write(b"b", b"between").unwrap();
    let middle = store.write(b"a", b"middle").unwrap();
    let newest = store.write(b"a", b"newest").unwrap();
    let sound = bytes_of(&store);
    let key_hash = compute_hash(b"a");
    assert_eq!(history_of(&sound, key_hash, false).count(), 3);

    // The link of the version in the middle now leads to where no entry ends.
    let mut bytes = sound.clone();
    let link = usize::try_from(middle).unwrap() - 12;
    bytes[link] ^= 1;
    let mut history = history_of(&bytes, key_hash, false);
    assert_eq!(history.next().unwrap().unwrap().tail(), newest);
    assert_eq!(history.next().unwrap().unwrap().tail(), middle);
    let error = history.next().unwrap().unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert!(history.next().is_none());
    assert!(history.next().is_none());

    // One that leads forward makes its own entry malformed.
    let mut bytes = sound;
    bytes[link + 4] = 1;
    let mut history = history_of(&bytes, key_hash, false);
    assert_eq!(history.next().unwrap().unwrap().tail(), newest);
    let error = history.next().unwrap().unwrap_err();
    assert!(matches!(error, Error::Corrupt { offset, .. } if offset == middle));
    assert!(history.next().is_none());
    assert!(oldest < middle);
}

#[test]
fn a_damaged_value_is_told_in_its_place_when_values_are_verified() {
    let store = MemoryStore::new();
    store.write(b"a", b"oldest").unwrap();
    store.write(b"a", b"middle").unwrap();
    store.write(b"a", b"newest").unwrap();
    let mut bytes = bytes_of(&store);
    bytes[64] ^= 0x20;
    let key_hash = compute_hash(b"a");
    let unverified: Vec<_> = history_of(&bytes, key_hash, false)
        .map(|version| version.unwrap().into_value().unwrap())
        .collect();
    assert_eq!(unverified[1], b"Middle");
    assert!(!unverified[1].is_valid_checksum());
    let verified: Vec<_> = history_of(&bytes, key_hash, true).collect();
    assert_eq!(verified.len(), 3);
    assert!(matches!(
        verified[1],
        Err(Error::Corrupt { offset: 64, .. })
    ));
    assert_eq!(verified[2].as_ref().unwrap().value().unwrap(), b"oldest");
}

#[test]
fn what_the_store_keeps_for_itself_has_no_history() {
    let store = MemoryStore::new();
    store.write(b"a", b"before").unwrap();
    let mut bytes = bytes_of(&store);
    let prev = bytes.len() as u64;
    let reserved = compute_hash(b"tailstone/index/1");
    let payload = b"a snapshot";
    let metadata = EntryMetadata::new(reserved, prev, compute_checksum(payload));
    bytes.extend_from_slice(pre_pad(prev));
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&metadata.serialize());
    assert_eq!(history_of(&bytes, reserved, false).count(), 0);
    let seen = seen(history_of(&bytes, compute_hash(b"a"), false));
    assert_eq!(seen, [put(prev, b"before")]);
}
