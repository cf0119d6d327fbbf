//! System calls of operations on a file, those of opening and closing beside them.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Range;
use std::path::Path;

use nix::libc;
use tailstone::{DataStore, DataStoreReader, DataStoreWriter, Durability};
use tailstone_tests::child::playing;
use tailstone_tests::system_calls::{Calls, count, counted};

use super::{fill, folder, is_stored_to, key, shuffled, without_snapshots};

/// What is done under each name, and the most calls it may take. Measured on Linux 6.18, ext4; elsewhere a page more or less may be
/// asked for, hence a little room.
const BOUNDS: [(&str, u64); 23] = [
    // 12.
    ("create", 14),
    // 13 and 88: space in doubling steps, and for each half mebibyte its zeros and its pages.
    ("1,000 single writes", 16),
    ("99,000 single writes more", 96),
    ("1,000 reads", 0),
    ("1,000 reads by a reader", 0),
    ("1,000 misses", 0),
    ("a batch_read of 1,024", 0),
    // 76.
    ("100 batches of 1,000", 84),
    // 125: one each, space, and 21 once in a process, how much memory there is: three for each level of its control groups.
    ("100 values of 1 MiB", 160),
    ("100 reads of 1 MiB", 0),
    // 4.
    ("1,000 deletions", 6),
    // 13, two of them syncs.
    ("close", 15),
    // 18.
    ("open without a snapshot", 20),
    // 12, three of them syncs.
    ("snapshot", 14),
    // 12.
    ("open with a snapshot", 14),
    ("1,000 reads after opening", 0),
    // 12, two of them syncs.
    ("close without a change", 14),
    ("a get_many of 100 in a bucket", 0),
    // 4.
    ("1,000 writes in a bucket", 6),
    ("1,000 reads in a bucket", 0),
    // 102, of which 100 are syncs; 214: a write and a sync each, and space; 52, of which 20 are syncs and 20 writes.
    ("100 durable writes", 104),
    ("100 durable writes of 1 MiB", 218),
    ("10 durable batches of 1,000", 56),
];

#[test]
fn role_whose_calls_are_counted() {
    let Some(folder) = playing("system_calls::role_whose_calls_are_counted") else {
        return;
    };
    let path = folder.join("store");
    write_and_read(&path);
    open_again(&path);
    in_a_bucket(&folder.join("buckets"));
    durably(&folder.join("durable"));
}

fn write_and_read(path: &Path) {
    let long = vec![3; 1 << 20];
    let keys = shuffled(1024);
    let asked: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    let store = counted("create", || without_snapshots().open(path).unwrap());
    counted("1,000 single writes", || {
        write_all(&store, 0..1000, &[7; 150]);
    });
    counted("99,000 single writes more", || {
        write_all(&store, 1000..100_000, &[7; 150]);
    });
    counted("1,000 reads", || read_all(&store, &keys[..1000]));
    counted("1,000 reads by a reader", || {
        let reader = store.reader();
        for key in &keys[..1000] {
            assert_eq!(reader.get(key).unwrap().len(), 150);
        }
    });
    counted("1,000 misses", || {
        for key in (1 << 40..(1 << 40) + 1000).map(key) {
            assert!(!store.exists(&key).unwrap() && store.read(&key).unwrap().is_none());
        }
    });
    counted("a batch_read of 1,024", || {
        let values = store.batch_read(&asked).unwrap();
        assert!(values.iter().all(Option::is_some));
    });
    counted("100 batches of 1,000", || fill(&store, 100_000));
    counted("100 values of 1 MiB", || {
        write_all(&store, 200_000..200_100, &long);
    });
    counted("100 reads of 1 MiB", || {
        for number in 200_000..200_100 {
            assert!(store.read(&key(number)).unwrap().unwrap().as_slice() == long);
        }
    });
    counted("1,000 deletions", || {
        for number in 50_000..51_000 {
            store.delete(&key(number)).unwrap();
        }
    });
    counted("close", || store.close().unwrap());
}

fn open_again(path: &Path) {
    let store = counted("open without a snapshot", || {
        without_snapshots().open(path).unwrap()
    });
    assert!(counted("snapshot", || store.snapshot_index().unwrap()));
    store.close().unwrap();
    let store = counted("open with a snapshot", || DataStore::open(path).unwrap());
    let keys = shuffled(1000);
    counted("1,000 reads after opening", || read_all(&store, &keys));
    counted("close without a change", || store.close().unwrap());
}

fn in_a_bucket(path: &Path) {
    let store = without_snapshots().open(path).unwrap();
    let bucket = store.bucket("a bucket").unwrap();
    let keys = shuffled(1000);
    for key in &keys {
        bucket.set(key, &[7; 150]).unwrap();
    }
    let asked: Vec<&[u8]> = keys[..100].iter().map(|key| &key[..]).collect();
    counted("a get_many of 100 in a bucket", || {
        let values = bucket.get_many(&asked).unwrap();
        assert!(values.iter().all(Option::is_some));
    });
    counted("1,000 writes in a bucket", || {
        for key in &keys {
            bucket.set(key, &[8; 150]).unwrap();
        }
    });
    counted("1,000 reads in a bucket", || {
        for key in &keys {
            assert_eq!(bucket.get(key).unwrap().unwrap().len(), 150);
            let len = bucket.get_with(key, |value| Ok(value.len()));
            assert_eq!(len.unwrap(), Some(150));
        }
    });
    store.close().unwrap();
}

fn durably(path: &Path) {
    let durable = without_snapshots().durability(Durability::Sync);
    let store = durable.open(path).unwrap();
    fill(&store, 1000);
    counted("100 durable writes", || {
        write_all(&store, 0..100, &[7; 150]);
    });
    counted("100 durable writes of 1 MiB", || {
        write_all(&store, 0..100, &vec![3; 1 << 20]);
    });
    counted("10 durable batches of 1,000", || fill(&store, 10_000));
    store.close().unwrap();
}

fn write_all(store: &DataStore, numbers: Range<u64>, value: &[u8]) {
    for number in numbers {
        store.write(&key(number), value).unwrap();
    }
}

fn read_all(store: &DataStore, keys: &[[u8; 24]]) {
    for key in keys {
        assert_eq!(black_box(store.read(key).unwrap()).unwrap().len(), 150);
    }
}

#[test]
fn no_more_system_calls_than_before() {
    let folder = folder();
    if !is_stored_to(folder.path()) {
        return;
    }
    let role = "system_calls::role_whose_calls_are_counted";
    let Some(sections) = count(role, folder.path()).unwrap() else {
        println!("skipped: this process may not trace another");
        return;
    };
    let by_name: BTreeMap<_, _> = sections.iter().map(|it| (it.name.as_str(), it)).collect();
    let breaches: Vec<_> = BOUNDS
        .into_iter()
        .filter_map(|(name, most)| {
            let calls = by_name.get(name).copied();
            let all = calls.map(Calls::all);
            all.is_none_or(|all| all > most)
                .then(|| format!("{name}: {all:?}, bound {most}: {calls:?}"))
        })
        .collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
    let syncs = [
        libc::SYS_fdatasync,
        libc::SYS_fsync,
        libc::SYS_msync,
        libc::SYS_sync_file_range,
    ];
    for calls in &sections {
        let expected = match calls.name.as_str() {
            "100 durable writes" | "100 durable writes of 1 MiB" => 100,
            // Each its marker first.
            "10 durable batches of 1,000" => 20,
            // The first sync of a store that was opened has the folder synced too.
            "close" | "close without a change" => 2,
            "snapshot" => 3,
            _ => 0,
        };
        assert_eq!(calls.of(&syncs), expected, "syncs: {calls:?}");
    }
    assert_eq!(sections.len(), BOUNDS.len(), "something is not bounded");
}
