//! Readers beside a writer, with compactions: no stale, torn or missing value, and nobody waits for ever.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tailstone::{DataStore, DataStoreReader, DataStoreWriter};
use tailstone_tests::Rng;

const KEYS: u64 = 500;

/// A value that says whose and which version it is, and fills its length from that.
fn value(key: u64, version: u64) -> Vec<u8> {
    let len = 24 + usize::try_from((key * 31 + version * 17) % 900).unwrap();
    let mut bytes = [key.to_le_bytes(), version.to_le_bytes()].concat();
    let filler = Rng::new(key ^ version << 20).next_u64().to_le_bytes();
    bytes.extend(filler.iter().cycle().take(len - 16));
    bytes
}

fn version_of(key: u64, bytes: &[u8]) -> u64 {
    let version = u64::from_le_bytes(bytes[8..16].try_into().unwrap());
    assert!(
        bytes == value(key, version),
        "key {key} holds something else than its version {version}"
    );
    version
}

fn run(seconds: u64, readers: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.tsl");
    let store = DataStore::open(&path).unwrap();
    let written: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    for key in 0..KEYS {
        store.write(&key.to_le_bytes(), &value(key, 0)).unwrap();
    }
    let stop = AtomicBool::new(false);
    let deadline = Instant::now() + Duration::from_secs(seconds);
    std::thread::scope(|scope| {
        for reader in 0..readers {
            let (store, written, stop) = (&store, &written, &stop);
            scope.spawn(move || {
                let mut rng = Rng::new(reader);
                let mut pinned = store.reader();
                let mut reads = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    let key = rng.next_u64() % KEYS;
                    let at = usize::try_from(key).unwrap();
                    let before = written[at].load(Ordering::Acquire);
                    let read = store
                        .read(&key.to_le_bytes())
                        .unwrap()
                        .expect("a key is missing");
                    assert!(version_of(key, &read) >= before, "a stale value");
                    assert!(read.is_valid_checksum());

                    let before = written[at].load(Ordering::Acquire);
                    if pinned.refresh(store) || reads.is_multiple_of(3) {
                        let value = pinned
                            .get(&key.to_le_bytes())
                            .expect("a key is missing from the view");
                        let version = version_of(key, value);
                        // A compaction may have come between the refresh and the read; never anything else.
                        assert!(
                            version >= before || pinned.refresh(store),
                            "a stale value in the view"
                        );
                    }
                    if reads.is_multiple_of(4000) {
                        assert_eq!(store.iter_entries().count(), usize::try_from(KEYS).unwrap());
                    }
                    reads += 1;
                }
                assert!(reads > 100, "reader {reader} hardly came to read: {reads}");
            });
        }
        let mut rng = Rng::from_environment("readers_beside_a_writer", 41);
        let mut version = 0;
        let mut compactions = 0;
        while Instant::now() < deadline {
            version += 1;
            if version % 16 == 0 {
                let keys: Vec<u64> = (0..20).map(|_| rng.next_u64() % KEYS).collect();
                let bytes: Vec<_> = keys
                    .iter()
                    .map(|key| (key.to_le_bytes(), value(*key, version)))
                    .collect();
                let batch: Vec<(&[u8], &[u8])> =
                    bytes.iter().map(|(k, v)| (&k[..], &v[..])).collect();
                store.batch_write(&batch).unwrap();
                for key in keys {
                    written[usize::try_from(key).unwrap()].store(version, Ordering::Release);
                }
            } else {
                let key = rng.next_u64() % KEYS;
                store
                    .write(&key.to_le_bytes(), &value(key, version))
                    .unwrap();
                written[usize::try_from(key).unwrap()].store(version, Ordering::Release);
            }
            if version % 20_000 == 0 {
                store.compact().unwrap();
                compactions += 1;
            }
        }
        stop.store(true, Ordering::Relaxed);
        println!("{version} writes, {compactions} compactions");
    });
    store.compact().unwrap();
    for key in 0..KEYS {
        let read = store.read(&key.to_le_bytes()).unwrap().unwrap();
        assert_eq!(
            version_of(key, &read),
            written[usize::try_from(key).unwrap()].load(Ordering::Acquire)
        );
    }
}

#[test]
fn eight_readers_for_seconds() {
    let seconds = std::env::var("TAILSTONE_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(4);
    run(seconds, 8);
}

/// A list of the values is that of one moment, however a writer stands with its next batch: each key once, none missing, all
/// of one version and never an older one than in the list before.
#[test]
fn a_list_is_of_one_moment() {
    const FEW: usize = 8;
    let store = tailstone::MemoryStore::new();
    for key in 0..FEW as u64 {
        store.write(&key.to_le_bytes(), &value(key, 0)).unwrap();
    }
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for version in 1..20_000 {
                let bytes: Vec<_> = (0..FEW as u64)
                    .map(|key| (key.to_le_bytes(), value(key, version)))
                    .collect();
                let batch: Vec<(&[u8], &[u8])> =
                    bytes.iter().map(|(k, v)| (&k[..], &v[..])).collect();
                store.batch_write(&batch).unwrap();
            }
        });
        let mut newest = 0;
        while !writer.is_finished() {
            let mut versions = [None; FEW];
            for entry in store.iter_entries() {
                let key = u64::from_le_bytes(entry[..8].try_into().unwrap());
                let version = version_of(key, &entry);
                let slot = &mut versions[usize::try_from(key).unwrap()];
                assert_eq!(slot.replace(version), None, "key {key} twice");
            }
            let version = versions[0].expect("key 0 is missing");
            assert_eq!(versions, [Some(version); FEW]);
            assert!(version >= newest, "back from {newest} to {version}");
            newest = version;
        }
    });
}

/// Two writers with a compaction between them must both be seen, before and after.
#[test]
fn several_writers_and_a_compactor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("writers.tsl");
    let store = DataStore::open(&path).unwrap();
    std::thread::scope(|scope| {
        for writer in 0_u64..3 {
            let store = &store;
            scope.spawn(move || {
                for at in 0_u64..4000 {
                    let key = [writer.to_le_bytes(), (at % 1000).to_le_bytes()].concat();
                    store.write(&key, &value(writer, at)).unwrap();
                    if at % 7 == 0 {
                        store.delete(&key).unwrap();
                    }
                }
            });
        }
        scope.spawn(|| (0..20).for_each(|_| store.compact().unwrap()));
    });
    let expected = |store: &DataStore| {
        for writer in 0_u64..3 {
            for at in 3000_u64..4000 {
                let key = [writer.to_le_bytes(), (at % 1000).to_le_bytes()].concat();
                let read = store.read(&key).unwrap();
                if at % 7 == 0 {
                    assert!(read.is_none(), "writer {writer}, {at}");
                } else {
                    assert_eq!(
                        read.unwrap().as_slice(),
                        value(writer, at),
                        "writer {writer}, {at}"
                    );
                }
            }
        }
    };
    expected(&store);
    store.close().unwrap();
    expected(&DataStore::open(&path).unwrap());
}
