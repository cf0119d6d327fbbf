//! Buckets: any value, keys that are told apart, updates that lose nothing, expiry.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use crate::format::{compute_hash, full_key};
use crate::{
    Batch, DataStoreReader, DataStoreWriter, Durability, Error, MemoryStore, Options, Store,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

#[test]
fn any_value_under_any_key() {
    let store = MemoryStore::new();
    let users = store.bucket("users").unwrap();
    let long = vec![3; 1 << 16];
    for (key, value) in [
        (&b"ada"[..], &b"1815"[..]),
        (b"", b"the empty key"),
        (b"empty", b""),
        (b"zero", &[0]),
        (b"zeros", &[0; 100]),
        (&long, &[9; 5000]),
    ] {
        assert!(users.get(key).unwrap().is_none());
        users.set(key, value).unwrap();
        let stored = users.get(key).unwrap().unwrap();
        assert_eq!(stored.as_slice(), value);
        assert_eq!(stored.as_ptr().addr() % 64, 0);
        assert!(stored.is_valid_checksum() && stored.expires_at().is_none());
        assert!(users.exists(key).unwrap());
    }
    assert_eq!(store.len().unwrap(), 6);
    let values = users.get_many(&[b"zero", b"nobody", b"ada"]).unwrap();
    let values: Vec<_> = values.iter().map(|value| value.as_deref()).collect();
    assert_eq!(values, [Some(&[0][..]), None, Some(b"1815")]);
    assert!(users.delete(b"ada").unwrap() && !users.delete(b"ada").unwrap());
    assert!(users.get(b"ada").unwrap().is_none());
    let tail = store.tail();
    assert!(matches!(
        users.set(&vec![0; (1 << 16) + 1], b"v"),
        Err(Error::KeyTooLong {
            length: 65_537,
            maximum: 65_536
        })
    ));
    assert!(store.bucket(vec![0; 1 << 16]).is_err());
    assert_eq!(store.tail(), tail);
}

#[test]
fn buckets_and_the_store_are_apart() {
    let store = MemoryStore::new();
    let (a, ab) = (store.bucket("a").unwrap(), store.bucket("ab").unwrap());
    a.set(b"bc", b"1").unwrap();
    ab.set(b"c", b"2").unwrap();
    store.write(b"bc", b"3").unwrap();
    assert_eq!(a.get(b"bc").unwrap().unwrap().as_slice(), b"1");
    assert_eq!(ab.get(b"c").unwrap().unwrap().as_slice(), b"2");
    assert_eq!(store.read(b"bc").unwrap().unwrap().as_slice(), b"3");
    assert!(a.get(b"c").unwrap().is_none());
    assert_eq!(store.len().unwrap(), 3);
}

/// What `XXH3` makes of 8 bytes, backwards: it loses nothing for inputs of this length.
fn eight_bytes_with(hash: u64) -> [u8; 8] {
    const FACTOR: u64 = 0x9fb2_1c65_1e98_df25;
    const SECRET: u64 = 0x1cad_21f7_2c81_017c ^ 0xdb97_9083_e96d_d4de;
    let inverse = (0..6).fold(FACTOR, |inverse, _| {
        inverse.wrapping_mul(2_u64.wrapping_sub(FACTOR.wrapping_mul(inverse)))
    });
    let mut h = hash ^ hash >> 28 ^ hash >> 56;
    h = h.wrapping_mul(inverse);
    h ^= (h >> 35) + 8;
    h = h.wrapping_mul(inverse);
    for _ in 0..63 {
        h ^= h.rotate_left(49) ^ h.rotate_left(24);
    }
    (h ^ SECRET).rotate_left(32).to_le_bytes()
}

#[test]
fn keys_with_one_hash_are_told_apart() {
    // The first two bytes of a full key are the length of the bucket's name: here it has none.
    let (short, long) = (0_u64..)
        .find_map(|n| {
            let short = n.to_le_bytes()[..5].to_vec();
            let hash = compute_hash(&full_key(b"", &short));
            let [0, 0, long @ ..] = eight_bytes_with(hash) else {
                return None;
            };
            Some((short, long.to_vec()))
        })
        .unwrap();
    assert_ne!(short, long);
    let hash = compute_hash(&full_key(b"", &short));
    assert_eq!(compute_hash(&full_key(b"", &long)), hash);

    let store = MemoryStore::new();
    let bucket = store.bucket("").unwrap();
    let collides = |result: crate::Result<u64>| matches!(result, Err(Error::HashCollision { key_hash }) if key_hash == hash);
    assert!(collides(bucket.set_many(&[(&short, b"1"), (&long, b"2")])));
    assert_eq!(store.tail(), 0);
    let tail = bucket.set(&short, b"first").unwrap();
    assert!(collides(bucket.set(&long, b"second")));
    assert!(collides(
        bucket.set_many(&[(b"other", b"1"), (&long, b"2")])
    ));
    assert!(bucket.increment(&long, 1).is_err());
    assert!(bucket.put_if(&long, b"second", None).is_err());
    assert!(bucket.get(&long).unwrap().is_none() && !bucket.exists(&long).unwrap());
    assert!(!bucket.delete(&long).unwrap());
    bucket.delete_many(&[&long, &long]).unwrap();
    assert_eq!(store.tail(), tail);
    assert_eq!(bucket.get(&short).unwrap().unwrap().as_slice(), b"first");
    assert!(collides(bucket.set_stream(&long, &mut &b"second"[..])));
    assert!(collides(bucket.set_sized(&long, 6, &mut &b"second"[..])));
    assert!(collides(bucket.entry_writer(&long).unwrap().finish()));
    assert_eq!(bucket.value_len(&long).unwrap(), None);
    assert_eq!(store.tail(), tail);
    let keys = || bucket.keys(b"", None, 9).unwrap().keys;
    assert_eq!(keys(), [&short[..]]);
    // Once it is gone, there is room for the other.
    assert!(bucket.delete(&short).unwrap());
    bucket.set(&long, b"second").unwrap();
    assert_eq!(bucket.get(&long).unwrap().unwrap().as_slice(), b"second");
    assert!(bucket.get(&short).unwrap().is_none());
    assert_eq!(keys(), [&long[..]]);
    // The deletion was of the other one.
    let versions = |key: &[u8]| bucket.history(key).unwrap().count();
    assert_eq!((versions(&long), versions(&short)), (1, 2));
    let feed = bucket.changes(0, 9).unwrap();
    let keys_of: Vec<_> = feed.changes.iter().map(|change| change.key()).collect();
    assert_eq!(keys_of, [&short, &short, &long].map(|key| Some(&key[..])));
    // A plain entry that has the hash is no entry of the bucket.
    store.write_with_key_hash(hash, b"plain").unwrap();
    assert!(bucket.get(&long).unwrap().is_none());
    assert!(collides(bucket.set(&long, b"third")));
    assert!(keys().is_empty());
}

#[test]
fn updates_depend_on_what_is_there() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    assert!(bucket.version(b"k").unwrap().is_none());
    assert!(!bucket.put_if(b"k", b"1", Some(7)).unwrap());
    assert!(bucket.put_if(b"k", b"1", None).unwrap());
    let first = bucket.version(b"k").unwrap();
    assert!(!bucket.put_if(b"k", b"2", None).unwrap());
    assert!(bucket.put_if(b"k", b"2", first).unwrap());
    assert_ne!(bucket.version(b"k").unwrap(), first);
    assert!(!bucket.put_if(b"k", b"3", first).unwrap());
    // A value that came back is another version.
    bucket.set(b"k", b"1").unwrap();
    assert!(!bucket.put_if(b"k", b"3", first).unwrap());

    assert!(
        !bucket
            .compare_and_swap(b"k", Some(b"2"), Some(b"4"))
            .unwrap()
    );
    assert!(
        bucket
            .compare_and_swap(b"k", Some(b"1"), Some(b"4"))
            .unwrap()
    );
    assert!(!bucket.compare_and_swap(b"k", None, Some(b"5")).unwrap());
    assert!(bucket.compare_and_swap(b"k", Some(b"4"), None).unwrap());
    assert!(bucket.get(b"k").unwrap().is_none());
    let tail = store.tail();
    assert!(bucket.compare_and_swap(b"k", None, None).unwrap());
    assert_eq!(store.tail(), tail);
    assert!(bucket.compare_and_swap(b"k", None, Some(b"5")).unwrap());

    assert_eq!(bucket.increment(b"n", 5).unwrap(), 5);
    assert_eq!(bucket.increment(b"n", -7).unwrap(), -2);
    let tail = store.tail();
    assert!(matches!(
        bucket.increment(b"k", 1),
        Err(Error::NotACounter { length: 1 })
    ));
    assert!(bucket.increment(b"n", i64::MIN).is_err());
    assert_eq!(store.tail(), tail);
    assert_eq!(
        bucket.get(b"n").unwrap().unwrap().as_slice(),
        (-2_i64).to_le_bytes()
    );
}

#[test]
fn several_changes_count_together() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    bucket
        .set_many(&[(b"a", b"1"), (b"b", b""), (b"a", b"2")])
        .unwrap();
    assert_eq!(bucket.get(b"a").unwrap().unwrap().as_slice(), b"2");
    assert_eq!(bucket.get(b"b").unwrap().unwrap().as_slice(), b"");
    // The marker of the batch does not count.
    assert_eq!(store.len().unwrap(), 2);
    let tail = store.tail();
    assert_eq!(bucket.delete_many(&[b"x", b"y"]).unwrap(), tail);
    bucket.delete_many(&[b"a", b"x", b"b"]).unwrap();
    assert_eq!(store.len().unwrap(), 0);
    bucket.set(b"a", b"1").unwrap();
    store
        .commit(
            Batch::new()
                .put(b"plain", &b"1"[..])
                .put(b"other", &b"2"[..]),
        )
        .unwrap();
    assert_eq!(store.len().unwrap(), 3);
}

#[test]
fn what_expired_is_absent() {
    static NOW: AtomicU64 = AtomicU64::new(1000);
    let options = Options::new().clock(|| NOW.load(Ordering::Relaxed));
    let store = Store::open_with(crate::backing::MemoryBacking::new(), &options).unwrap();
    let bucket = store.bucket("b").unwrap();
    bucket
        .set_with_ttl(b"k", b"v", Duration::from_millis(500))
        .unwrap();
    bucket
        .set_with_ttl(b"short", b"v", Duration::from_nanos(1))
        .unwrap();
    bucket.set_until(b"n", &7_i64.to_le_bytes(), 1500).unwrap();
    bucket.set_with_ttl(b"never", b"v", Duration::MAX).unwrap();
    assert_eq!(bucket.get(b"k").unwrap().unwrap().expires_at(), Some(1500));
    assert!(bucket.exists(b"short").unwrap());
    assert_eq!(bucket.increment(b"n", 1).unwrap(), 8);
    assert!(
        bucket
            .compare_and_swap(b"k", Some(b"v"), Some(b"w"))
            .unwrap()
    );
    NOW.store(1001, Ordering::Relaxed);
    assert!(!bucket.exists(b"short").unwrap());
    NOW.store(1499, Ordering::Relaxed);
    assert_eq!(bucket.get(b"k").unwrap().unwrap().as_slice(), b"w");
    NOW.store(1500, Ordering::Relaxed);
    assert!(bucket.get(b"k").unwrap().is_none() && bucket.version(b"k").unwrap().is_none());
    assert!(
        !bucket
            .compare_and_swap(b"k", Some(b"w"), Some(b"x"))
            .unwrap()
    );
    assert!(!bucket.delete(b"k").unwrap());
    let before = store.tail();
    store.compact().unwrap();
    assert!(store.tail() < before);
    // What is left: the number, which expired, is not; the one that never does is.
    assert_eq!(store.len().unwrap(), 1);
    assert!(bucket.exists(b"never").unwrap());
    // A number that expired begins again, and stays.
    assert_eq!(bucket.increment(b"n", 1).unwrap(), 1);
    NOW.store(u64::MAX - 1, Ordering::Relaxed);
    assert_eq!(bucket.increment(b"n", 1).unwrap(), 2);
    assert!(bucket.exists(b"never").unwrap());
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn writers_at_once_lose_no_count() {
    let options = Options::new().durability(Durability::Sync);
    let store = Store::open_with(crate::backing::MemoryBacking::new(), &options).unwrap();
    let bucket = store.bucket("b").unwrap();
    let (threads, rounds) = if cfg!(miri) { (2, 5) } else { (4, 500) };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..rounds {
                    bucket.increment(b"counted", 1).unwrap();
                    loop {
                        let value = bucket.get(b"put").unwrap();
                        let count = value.as_ref().map_or(0, |value| {
                            i64::from_le_bytes(value.as_slice().try_into().unwrap())
                        });
                        let version = value.map(|value| value.version());
                        if bucket
                            .put_if(b"put", &(count + 1).to_le_bytes(), version)
                            .unwrap()
                        {
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(bucket.increment(b"counted", 0).unwrap(), threads * rounds);
    assert_eq!(bucket.increment(b"put", 0).unwrap(), threads * rounds);
}

#[test]
fn a_batch_counts_together_and_in_its_order() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    bucket.set(b"there", b"1").unwrap();
    let mut batch = bucket.batch();
    assert!(batch.is_empty());
    batch
        .put(&b"new"[..], &b"2"[..])
        .put(&b"gone"[..], &b"3"[..])
        .delete(&b"gone"[..])
        .delete(&b"gone"[..])
        .delete(&b"there"[..])
        .put(b"there".to_vec(), b"4".to_vec())
        .put_until(&b"until"[..], &b""[..], u64::MAX)
        .delete(&b"never"[..]);
    assert_eq!(batch.len(), 8);
    let tail = batch.commit().unwrap();
    assert_eq!(store.tail(), tail);
    let keys: Vec<_> = bucket.iter_keys(b"").map(Result::unwrap).collect();
    assert_eq!(keys, [&b"new"[..], b"there", b"until"]);
    assert_eq!(bucket.get(b"there").unwrap().unwrap().as_slice(), b"4");
    let until = bucket.get(b"until").unwrap().unwrap();
    assert_eq!(until.expires_at(), Some(u64::MAX));
    // What cannot be stored stops all of it.
    let long = vec![0; (1 << 16) + 1];
    let mut batch = bucket.batch();
    batch.put(&b"new"[..], &b"other"[..]).delete(&long[..]);
    assert!(batch.commit().is_err());
    assert_eq!(store.tail(), tail);
    assert_eq!(bucket.batch().commit().unwrap(), tail);
}

/// The second deletion asked the store, which did not know of the first one yet, and appended a tombstone more.
#[test]
fn a_key_is_deleted_once_however_often_a_batch_says_so() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    let before = bucket.set(b"there", b"1").unwrap();
    let there = &b"there"[..];
    bucket
        .delete_many(&[there, b"never", there, there])
        .unwrap();
    let page = store.changes(before, 9).unwrap();
    let deleted: Vec<_> = page.changes.iter().map(|change| change.key()).collect();
    assert_eq!(deleted, [Some(there)]);
    let mut batch = bucket.batch();
    batch.put(there, there).delete(there).delete(there);
    batch.put(there, there).commit().unwrap();
    let page = store.changes(page.tail, 9).unwrap();
    let deletions = page.changes.iter().map(crate::LoggedChange::is_deletion);
    assert_eq!(deletions.collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn history_and_views_show_what_was() {
    let store = MemoryStore::new();
    let (bucket, other) = (store.bucket("b").unwrap(), store.bucket("o").unwrap());
    let first = bucket.set(b"k", b"1").unwrap();
    bucket.set_until(b"k", b"2", 1).unwrap();
    let second = store.tail();
    other.set(b"k", b"another's").unwrap();
    bucket.delete(b"k").unwrap();
    let third = store.tail();
    bucket.set(b"k", b"").unwrap();
    bucket.set(b"l", b"later").unwrap();

    let versions: Vec<_> = bucket
        .history(b"k")
        .unwrap()
        .map(|version| version.unwrap())
        .map(|version| (version.tail(), version.value().map(|value| value.to_vec())))
        .collect();
    assert_eq!(versions.len(), 4);
    assert_eq!(versions[0].1.as_deref(), Some(&b""[..]));
    assert_eq!(versions[1], (third, None));
    assert_eq!(versions[2], (second, Some(b"2".to_vec())));
    assert_eq!(versions[3], (first, Some(b"1".to_vec())));

    let view = bucket.as_of(second).unwrap();
    // Expired by now, and shown: it was there.
    assert_eq!(view.get(b"k").unwrap().unwrap().expires_at(), Some(1));
    assert_eq!(view.keys(b"").unwrap(), [b"k".to_vec()]);
    assert_eq!(view.history(b"k").unwrap().count(), 2);
    assert!(!view.exists(b"l").unwrap());
    let view = bucket.as_of(third).unwrap();
    assert!(!view.exists(b"k").unwrap() && view.keys(b"").unwrap().is_empty());
    assert!(bucket.as_of(second + 1).is_err());
    let now = bucket.as_of(store.tail()).unwrap();
    store.compact().unwrap();
    assert_eq!(now.keys(b"").unwrap(), [b"k".to_vec(), b"l".to_vec()]);
    assert_eq!(now.keys(b"l").unwrap(), [b"l".to_vec()]);
}
