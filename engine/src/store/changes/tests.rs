//! The feed: what it shows, in which order, and that a consumer of it ends with what the store holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use crate::backing::device::seeded::Seeded;
use crate::{Batch, ChangePage, DataStoreWriter, Error, MemoryStore};
use std::collections::BTreeMap;
use std::thread;

type Shown = (Option<String>, bool, Option<Vec<u8>>);

fn shown(page: &ChangePage<crate::backing::MemoryBacking>) -> Vec<Shown> {
    page.changes
        .iter()
        .map(|change| {
            let key = change
                .key()
                .map(|key| String::from_utf8(key.to_vec()).unwrap());
            let value = change.value().unwrap().map(|value| value.to_vec());
            (key, change.is_deletion(), value)
        })
        .collect()
}

#[test]
fn changes_come_in_their_order_with_their_keys() {
    let store = MemoryStore::new();
    let (a, b) = (store.bucket("a").unwrap(), store.bucket("b").unwrap());
    a.set(b"k", b"1").unwrap();
    store.write(b"plain", b"2").unwrap();
    let middle = store.tail();
    b.set_many(&[(b"x", b""), (b"y", b"3")]).unwrap();
    a.delete(b"k").unwrap();
    store.delete(b"plain").unwrap();
    a.set(b"k", b"4").unwrap();
    a.delete(b"k").unwrap();

    let put = |key: &str, value: &[u8]| (Some(key.to_owned()), false, Some(value.to_vec()));
    let deleted = |key: &str| (Some(key.to_owned()), true, None);
    let all = store.changes(0, 100).unwrap();
    let expected = [
        put("k", b"1"),
        (None, false, Some(b"2".to_vec())),
        // No marker between these.
        put("x", b""),
        put("y", b"3"),
        deleted("k"),
        (None, true, None),
        put("k", b"4"),
        deleted("k"),
    ];
    assert_eq!(shown(&all), expected);
    assert!(all.is_last && all.tail == store.tail());
    assert_eq!(all.changes[2].bucket(), Some(&b"b"[..]));
    assert_eq!(all.changes[1].bucket(), None);
    let rest = store.changes(middle, 4).unwrap();
    assert_eq!(shown(&rest), expected[2..6]);
    assert!(!rest.is_last && rest.tail == rest.changes[3].tail());
    // Each change follows from the tail before it.
    for change in &all.changes {
        let one = store.changes(change.offset(), 1).unwrap();
        assert_eq!(one.tail, change.tail());
        assert_eq!(one.changes[0].key_hash(), change.key_hash());
    }
    assert_eq!(
        shown(&a.changes(0, 2).unwrap()),
        [put("k", b"1"), deleted("k")]
    );
    assert_eq!(a.changes(0, 9).unwrap().changes.len(), 4);
    let none = store.bucket("none").unwrap().changes(0, 9).unwrap();
    assert!(none.changes.is_empty() && none.is_last && none.tail == store.tail());
    let last = store.changes(store.tail(), 9).unwrap();
    assert!(last.changes.is_empty() && last.is_last);
    for wrong in [1, middle + 1, store.tail() + 1, u64::MAX] {
        let refused = store.changes(wrong, 9);
        assert!(matches!(refused, Err(Error::NoSuchTail { .. })), "{wrong}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of entries")]
fn pages_of_a_bucket_go_on_although_they_are_empty() {
    let store = MemoryStore::new();
    let entries: Vec<Vec<u8>> = (0..50_000_u32).map(|n| n.to_le_bytes().to_vec()).collect();
    let pairs: Vec<(&[u8], &[u8])> = entries.iter().map(|n| (&n[..], &b"v"[..])).collect();
    store.batch_write(&pairs).unwrap();
    let bucket = store.bucket("b").unwrap();
    bucket.set(b"k", b"found").unwrap();
    let (mut tail, mut empty) = (0, 0);
    loop {
        let page = bucket.changes(tail, 1).unwrap();
        assert!(page.tail > tail);
        tail = page.tail;
        if !page.changes.is_empty() {
            assert!(page.is_last);
            break;
        }
        empty += 1;
        assert!(!page.is_last && empty < 60);
    }
    assert!(empty >= 2);
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn a_consumer_beside_a_writer_ends_with_what_the_store_holds() {
    const SEED: u64 = 41;
    println!("seed {SEED}");
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    let rounds = if cfg!(miri) { 40 } else { 4000 };
    let write = || {
        let mut random = Seeded::new(SEED);
        for n in 0..rounds {
            let key = random.below(60).to_le_bytes();
            match random.below(8) {
                0 => {
                    bucket.delete(&key).unwrap();
                }
                1 => {
                    store.write(&key, b"a plain one").unwrap();
                }
                2 => {
                    let mut batch = bucket.batch();
                    let other = random.below(60).to_le_bytes();
                    batch.put(&key[..], &b"batched"[..]).delete(&other[..]);
                    batch.commit().unwrap();
                }
                3 => {
                    store
                        .commit(Batch::new().put(&key, &b"plain"[..]).delete(b"none"))
                        .unwrap();
                }
                _ => {
                    bucket.set(&key, &u64::to_le_bytes(n)).unwrap();
                }
            }
        }
    };
    let consume = || {
        let mut random = Seeded::new(SEED + 1);
        let mut state: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let (mut tail, mut after_the_end) = (0, false);
        loop {
            let limit = random.len_below(90);
            let page = if random.below(2) == 0 {
                bucket.changes(tail, limit).unwrap()
            } else {
                store.changes(tail, limit).unwrap()
            };
            for change in &page.changes {
                assert!(change.offset() >= tail && change.tail() <= page.tail);
                tail = change.tail();
                if change.bucket() != Some(b"b") {
                    continue;
                }
                let key = change.key().unwrap().to_vec();
                match change.value().unwrap() {
                    Some(value) => state.insert(key, value.to_vec()),
                    None => Some(state.remove(&key).unwrap()),
                };
            }
            tail = page.tail;
            if page.is_last && after_the_end {
                return state;
            }
            after_the_end = bucket.exists(b"end").unwrap();
        }
    };
    let state = thread::scope(|scope| {
        let consumer = scope.spawn(consume);
        write();
        bucket.set(b"end", b"").unwrap();
        consumer.join().unwrap()
    });
    let held: BTreeMap<Vec<u8>, Vec<u8>> = bucket
        .iter_keys(b"")
        .map(|key| {
            let key = key.unwrap();
            let value = bucket.get(&key).unwrap().unwrap().to_vec();
            (key, value)
        })
        .collect();
    assert!(state == held && state.len() > 5);
}
