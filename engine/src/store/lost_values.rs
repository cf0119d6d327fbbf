//! Ways in which a value was lost once, or came back, or hid its damage.

use crate::backing::{Backing, MemoryBacking};
use crate::recovery::verify;
use crate::{DataStoreReader, DataStoreWriter, Error, MemoryStore, Options, Store};

fn bytes_of(store: &MemoryStore) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(store.tail()).unwrap()];
    store.current.load().backing.read(0, &mut bytes).unwrap();
    bytes
}

fn opened(bytes: &[u8]) -> MemoryStore {
    let backing = MemoryBacking::new();
    backing.write(0, &[bytes]).unwrap();
    Store::open_with(backing, &Options::new().clock(|| 1000)).unwrap()
}

/// Two keys of a bucket, with the byte at `at` of the first one's entry flipped.
fn rotten(at: usize) -> MemoryStore {
    let store = opened(&[]);
    let bucket = store.bucket("b").unwrap();
    bucket.set(b"k", b"for good").unwrap();
    bucket.set(b"z", b"another").unwrap();
    let mut bytes = bytes_of(&store);
    bytes[at] ^= 1;
    opened(&bytes)
}

/// A value that was written and had expired while a compaction was copying became a deletion with the value's checksum: behind a torn
/// tail it was cut off, and the value before it was back.
#[test]
fn what_expires_during_a_compaction_stays_away() {
    let store = opened(&[]);
    let bucket = store.bucket("b").unwrap();
    bucket.set(b"other", b"stays").unwrap();
    bucket.set(b"k", b"for good").unwrap();
    let mut once = false;
    store
        .compact_with_progress(&mut |_, _| {
            if !std::mem::replace(&mut once, true) {
                bucket.set_expiry(b"k", Some(1)).unwrap();
            }
        })
        .unwrap();
    assert!(bucket.get(b"k").unwrap().is_none());
    let bytes = bytes_of(&store);
    assert!(opened(&bytes).recovery_report().is_clean());
    let torn = opened(&[&bytes[..], &[7; 30]].concat());
    assert!(torn.bucket("b").unwrap().get(b"k").unwrap().is_none());
}

/// A compaction put a newer value of the same length where the transferred one had been, and the transfer deleted it.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn a_transfer_beside_a_compaction_leaves_the_newer_value() {
    let (source, target) = (MemoryStore::new(), MemoryStore::new());
    source.write(b"k", b"old").unwrap();
    std::thread::scope(|threads| {
        let held = target.lock_writer();
        let moved = threads.spawn(|| source.transfer(b"k", &target).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(100));
        source.write(b"k", b"new").unwrap();
        source.compact().unwrap();
        drop(held);
        moved.join().unwrap();
    });
    let is_new = |store: &MemoryStore| {
        let value = store.read(b"k").unwrap();
        value.is_some_and(|value| value.as_slice() == b"new")
    };
    assert!(is_new(&source) || is_new(&target));
}

/// Renamed to a key of the same hash, a value was stored and deleted in one.
#[test]
fn a_rename_to_a_key_of_the_same_hash_is_refused() {
    let store = MemoryStore::new();
    let twin = [0x98, 0x0d, 0xfa, 0x17, 0xc4, 0xee, 0x5f];
    store.write(b"k0000186", b"value").unwrap();
    let renamed = store.rename(b"k0000186", &twin);
    assert!(matches!(renamed, Err(Error::SameTarget)));
    assert_eq!(
        store.read(b"k0000186").unwrap().unwrap().as_slice(),
        b"value"
    );
}

/// An expiry of which a bit had rotted was believed: a compaction dropped the value, and nothing told of it any more.
#[test]
fn a_compaction_keeps_what_has_rotted_for_verify_to_tell() {
    // The value has 8 bytes, the full key 4.
    let store = rotten(12);
    store.compact().unwrap();
    let report = verify(&store.current.load().backing, &mut |_, _| {}).unwrap();
    assert_eq!((store.len().unwrap(), report.damaged.len()), (2, 1));
}

/// Writing a rotten value again gave it a checksum that fits.
#[test]
fn what_has_rotted_is_not_written_again() {
    let store = rotten(0);
    let bucket = store.bucket("b").unwrap();
    let refused = bucket.set_expiry(b"k", None);
    assert!(matches!(refused, Err(Error::Corrupt { .. })));
    assert!(!bucket.get(b"k").unwrap().unwrap().is_valid_checksum());
    // A new value may take its place.
    bucket.set(b"k", b"new").unwrap();
    assert!(bucket.get(b"k").unwrap().unwrap().is_valid_checksum());
}

/// An entry whose key had rotted was said to be another key's.
#[test]
fn a_rotten_key_is_no_collision() {
    let bucket_of = rotten(11);
    let bucket = bucket_of.bucket("b").unwrap();
    assert!(bucket.get(b"k").unwrap().is_none());
    assert!(matches!(
        bucket.set(b"k", b"new"),
        Err(Error::Corrupt { .. })
    ));
}
