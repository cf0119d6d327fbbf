//! Single operations, each by itself, on keys of 24 bytes and values of 150.
//!
//! Reads go over a million records in a random order unless the name says otherwise, from pages that are in memory; what is a list of
//! many says so in its elements. `TAILSTONE_BENCH_RECORDS` makes that fewer. The files lie in cargo's target folder.
//!
//! `cargo bench -p tailstone --bench operations -- read` runs those with `read` in their names. Criterion sees the clock on the wall, so on a
//! shared machine take several runs, and compare within one.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]
#![allow(missing_docs, reason = "what criterion's macros make has none")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tailstone::{DataStore, DataStoreReader, DataStoreWriter, Options};
use tempfile::TempDir;

type Key = [u8; 24];

const VALUE: [u8; 150] = [7; 150];
const OPENED_KEYS: u64 = 100_000;
const BATCH: usize = 1024;
/// A store that is written to begins anew after so many.
const WRITES: u64 = 200_000;

fn records() -> u64 {
    let given = std::env::var("TAILSTONE_BENCH_RECORDS").ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000)
        .max(u64::try_from(BATCH).unwrap_or(1))
}

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

fn new_store(folder: &TempDir) -> DataStore {
    let path = folder.path().join("store");
    let _was_none = std::fs::remove_file(&path);
    DataStore::open(&path).expect("a store")
}

fn key(number: u64) -> Key {
    let mut key = *b"a key of 24 bytes ......";
    for (to, from) in key.iter_mut().rev().zip(number.to_be_bytes()) {
        *to = from;
    }
    key
}

/// All keys below `count` in a random order, always the same.
fn shuffled(count: u64) -> Vec<Key> {
    let mut keys: Vec<_> = (0..count).map(key).collect();
    let mut state = 1_u64;
    for end in (1..keys.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(state >> 33).unwrap_or(0) % (end + 1);
        keys.swap(end, other);
    }
    keys
}

fn fill(store: &DataStore, count: u64) {
    let keys: Vec<_> = (0..count).map(key).collect();
    for chunk in keys.chunks(10_000) {
        let entries: Vec<(&[u8], &[u8])> = chunk.iter().map(|key| (&key[..], &VALUE[..])).collect();
        store.batch_write(&entries).expect("a batch");
    }
}

fn reads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    let folder = folder();
    let store = new_store(&folder);
    let count = records();
    fill(&store, count);
    let keys = shuffled(count);
    let absent: Vec<_> = (count..count * 2).map(key).collect();
    // No order of reads begins where the one before it left the caches.
    let mut order = keys.iter().cycle();
    let mut next = || order.next().expect("keys");
    group.bench_function("read", |bencher| {
        bencher.iter(|| store.read(next()).expect("a read").is_some());
    });
    group.bench_function("reader().get", |bencher| {
        let reader = store.reader();
        bencher.iter(|| reader.get(next()).map(first_and_length));
    });
    group.bench_function("exists", |bencher| {
        bencher.iter(|| store.exists(next()).expect("a look"));
    });
    let mut in_order = (0..count).cycle();
    group.bench_function("read, in the order of writing", |bencher| {
        let mut next = || key(in_order.next().unwrap_or(0));
        bencher.iter(|| store.read(&next()).expect("a read").is_some());
    });
    let mut misses = absent.iter().cycle();
    group.bench_function("read, of absent keys", |bencher| {
        let mut next = || misses.next().expect("keys");
        bencher.iter(|| store.read(next()).expect("a read").is_some());
    });
    group.throughput(Throughput::Elements(u64::try_from(BATCH).unwrap_or(1)));
    let mut lists = keys.chunks_exact(BATCH).cycle();
    group.bench_function("batch_read of 1,024", |bencher| {
        bencher.iter(|| {
            let keys = lists.next().expect("keys").iter();
            let keys: Vec<&[u8]> = keys.map(|key| &key[..]).collect();
            store.batch_read(&keys).expect("a batch").len()
        });
    });
}

fn first_and_length(value: &[u8]) -> (Option<u8>, usize) {
    (value.first().copied(), value.len())
}

fn buckets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bucket");
    let folder = folder();
    let store = new_store(&folder);
    let bucket = store.bucket("a bucket").expect("a bucket");
    let keys = shuffled(records());
    for chunk in keys.chunks(10_000) {
        let pairs: Vec<(&[u8], &[u8])> = chunk.iter().map(|key| (&key[..], &VALUE[..])).collect();
        bucket.set_many(&pairs).expect("a batch");
    }
    let mut order = keys.iter().rev().cycle();
    let mut next = || order.next().expect("keys");
    group.bench_function("get", |bencher| {
        bencher.iter(|| bucket.get(next()).expect("a read").is_some());
    });
    group.bench_function("get_with", |bencher| {
        bencher.iter(|| bucket.get_with(next(), |value| Ok(first_and_length(value))));
    });
    group.bench_function("exists", |bencher| {
        bencher.iter(|| bucket.exists(next()).expect("a look"));
    });
    group.bench_function("set", |bencher| {
        bencher.iter_custom(|times| {
            in_new_stores(times, |store, numbers| {
                let bucket = store.bucket("a bucket").expect("a bucket");
                for number in numbers {
                    black_box(bucket.set(&key(number), &VALUE).expect("a write"));
                }
            })
        });
    });
}

fn writes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write");
    group.bench_function("write", |bencher| {
        bencher.iter_custom(|times| {
            in_new_stores(times, |store, numbers| {
                for number in numbers {
                    black_box(store.write(&key(number), &VALUE).expect("a write"));
                }
            })
        });
    });
    group.bench_function("batch_write of 1,000, each", |bencher| {
        bencher.iter_custom(|times| {
            in_new_stores(times, |store, numbers| {
                let keys: Vec<_> = numbers.map(key).collect();
                for chunk in keys.chunks(1000) {
                    let entries: Vec<(&[u8], &[u8])> =
                        chunk.iter().map(|key| (&key[..], &VALUE[..])).collect();
                    black_box(store.batch_write(&entries).expect("a batch"));
                }
            })
        });
    });
}

/// The time of `times` operations, in as many new stores as they need; opening and closing them is not part of it.
fn in_new_stores(times: u64, work: impl Fn(&DataStore, std::ops::Range<u64>)) -> Duration {
    let folder = folder();
    let mut time = Duration::ZERO;
    let mut left = times;
    while left > 0 {
        let store = new_store(&folder);
        let now = left.min(WRITES);
        let begun = Instant::now();
        work(&store, 0..now);
        time += begun.elapsed();
        left -= now;
    }
    time
}

fn opening(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("open 100,000 keys");
    let folder = folder();
    let store = new_store(&folder);
    fill(&store, OPENED_KEYS);
    store.snapshot_index().expect("a snapshot");
    let path = store.path();
    store.close().expect("an end");
    for (name, snapshots) in [("with a snapshot", true), ("without one", false)] {
        let options = Options::new().snapshots(snapshots);
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| open_once(&options, &path)).sum());
        });
    }
}

/// The time of opening; closing is not part of it.
fn open_once(options: &Options, path: &Path) -> Duration {
    let begun = Instant::now();
    let store = black_box(options.open(path).expect("a store"));
    let time = begun.elapsed();
    assert!(store.exists(&key(1)).expect("a look"));
    time
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = reads, buckets, writes, opening
}
criterion_main!(benches);
