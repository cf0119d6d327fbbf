//! How often an operation asks for memory.

use std::hint::black_box;

use tailstone::{DataStore, DataStoreReader, DataStoreWriter};
use tailstone_tests::allocations::times_allocated;

use super::{fill, filled, folder, key, shuffled, without_snapshots};

const KEYS: u64 = 20_000;

type Way<'w> = &'w dyn Fn(&[u8]);

fn times(work: impl FnOnce()) -> u64 {
    times_allocated(work).0
}

/// Reads, hits and misses, whatever they are made with.
#[test]
fn a_read_allocates_nothing() {
    let folder = folder();
    let path = folder.path().join("store");
    let store = without_snapshots().open(&path).unwrap();
    fill(&store, KEYS);
    let bucket = store.bucket("a bucket").unwrap();
    let keys = shuffled(KEYS);
    for key in &keys[..1000] {
        bucket.set(key, &[7; 150]).unwrap();
    }
    let mut reader = store.reader();
    let absent = key(1 << 40);
    let ways: [(&str, Way); 8] = [
        ("read", &|key| {
            assert!(black_box(store.read(key).unwrap()).is_some());
        }),
        ("reader().get", &|key| {
            assert_eq!(reader.get(key).unwrap().len(), 150);
        }),
        ("exists", &|key| assert!(store.exists(key).unwrap())),
        ("read_metadata", &|key| {
            assert!(store.read_metadata(key).unwrap().is_some());
        }),
        ("misses", &|_| {
            assert!(store.read(&absent).unwrap().is_none());
            assert!(!store.exists(&absent).unwrap());
            assert!(reader.get(&absent).is_none());
        }),
        ("Bucket::get_with", &|key| {
            let len = bucket.get_with(key, |value| Ok(value.len()));
            assert_eq!(len.unwrap(), Some(150));
        }),
        ("Bucket::get", &|key| {
            assert!(black_box(bucket.get(key).unwrap()).is_some());
        }),
        ("Bucket::exists", &|key| {
            assert!(bucket.exists(key).unwrap());
        }),
    ];
    for (name, read) in ways {
        let all = times(|| keys[..1000].iter().for_each(|key| read(key)));
        assert_eq!(all, 0, "{name}, 1,000 of them");
    }
    assert_eq!(times(|| assert!(!reader.refresh(&store))), 0, "refresh");
}

/// The same with an index that still lies in its snapshot: what wakes of it wakes where it lies.
#[test]
fn reads_behind_a_snapshot_allocate_once_a_segment() {
    let folder = folder();
    let path = filled(&folder, KEYS);
    let store = DataStore::open(&path).unwrap();
    let keys = shuffled(KEYS);
    let read_all = || {
        times(|| {
            for key in &keys {
                assert_eq!(store.read(key).unwrap().unwrap().len(), 150);
            }
        })
    };
    // 19 segments.
    let waking = read_all();
    assert!(waking <= 22, "{waking} to wake an index of {KEYS} keys");
    assert_eq!(read_all(), 0, "once it is awake");
}

#[test]
fn reading_many_allocates_the_lists() {
    let folder = folder();
    let store = without_snapshots()
        .open(folder.path().join("store"))
        .unwrap();
    fill(&store, KEYS);
    let bucket = store.bucket("a bucket").unwrap();
    let keys = shuffled(KEYS);
    for key in &keys[..1024] {
        bucket.set(key, &[7; 150]).unwrap();
    }
    let asked: Vec<&[u8]> = keys[..1024].iter().map(|key| &key[..]).collect();
    // Measured: 19 and 9.
    for (name, most, work) in [
        (
            "batch_read",
            20,
            &(|| assert_eq!(store.batch_read(&asked).unwrap().len(), 1024)) as &dyn Fn(),
        ),
        ("get_many", 10, &|| {
            assert_eq!(bucket.get_many(&asked).unwrap().len(), 1024);
        }),
    ] {
        let all = times(work);
        assert!(all <= most, "{name} of 1,024: {all}");
    }
}

/// The index grows, and so does what stands for the file's space; beyond that nothing is asked for.
#[test]
fn writes_allocate_for_the_index_alone() {
    let folder = folder();
    let store = without_snapshots()
        .open(folder.path().join("store"))
        .unwrap();
    let keys: Vec<_> = (0..KEYS).map(key).collect();
    let write_all = || {
        times(|| {
            for key in &keys {
                store.write(key, &[7; 150]).unwrap();
            }
        })
    };
    let new = write_all();
    let replaced = write_all();
    let in_batches = times(|| fill(&store, KEYS));
    let bucket = store.bucket("a bucket").unwrap();
    let set = || {
        times(|| {
            for key in &keys {
                bucket.set(key, &[7; 150]).unwrap();
            }
        })
    };
    let (set_new, set_replaced) = (set(), set());
    let deleted = times(|| {
        for key in &keys {
            store.delete(key).unwrap();
        }
    });
    // Measured: 960 to 965, as the index grows, 14, 476, and with one for what lies behind each value 20,829 to 20,849, 20,020; 2.
    for (name, all, most) in [
        ("new keys", new, 1050),
        ("keys that are there", replaced, 20),
        ("batches of 1,000, with their lists", in_batches, 500),
        ("new keys of a bucket", set_new, KEYS + 950),
        ("keys of a bucket that are there", set_replaced, KEYS + 30),
        ("deletions", deleted, 6),
    ] {
        assert!(all <= most, "{KEYS} {name}: {all}, bound {most}");
    }
}
