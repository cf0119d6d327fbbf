//! Eight readers, each in another way, beside a writer that changes keys, buckets and batches, and compactions and backups: no
//! stale, torn or missing value, and nobody waits for ever.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tailstone::{Batch, DataStore, DataStoreReader, DataStoreWriter, EntryHandle};
use tailstone_tests::Rng;
use tailstone_tests::child::amount;

const KEYS: u64 = 60;
/// Keys that are only ever changed together.
const TOGETHER: u64 = 6;
/// How long nobody may come to an end after they were told to, in seconds, before it is called a deadlock.
const PATIENCE: u64 = 300;

/// A value that says whose and which version it is, and fills its length from that.
fn value(key: u64, version: u64) -> Vec<u8> {
    let len = 24 + usize::try_from((key * 31 + version * 17) % 700).unwrap();
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

fn versions_of<V: AsRef<[u8]>>(key: u64, entry: &EntryHandle<V>) -> u64 {
    assert!(entry.is_valid_checksum());
    version_of(key, entry.as_slice())
}

struct Shared {
    store: DataStore,
    /// The version that each key has at least.
    written: Vec<AtomicU64>,
    in_bucket: Vec<AtomicU64>,
    stop: AtomicBool,
}

impl Shared {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn at_least(versions: &[AtomicU64], key: u64) -> u64 {
        versions[usize::try_from(key).unwrap()].load(Ordering::Acquire)
    }
}

/// One way to read; called over and over until the end.
type Way = fn(&Shared, &mut Rng);

const WAYS: [Way; 8] = [
    read, read, in_bucket, in_bucket, together, history, as_of, list,
];

fn read(shared: &Shared, rng: &mut Rng) {
    let key = rng.next_u64() % KEYS;
    let before = Shared::at_least(&shared.written, key);
    let read = shared.store.read(&key.to_le_bytes()).unwrap();
    let version = versions_of(key, &read.expect("a key is missing"));
    assert!(version >= before, "a stale value");
}

fn in_bucket(shared: &Shared, rng: &mut Rng) {
    let key = rng.next_u64() % KEYS;
    let bucket = shared.store.bucket("bucket").unwrap();
    let before = Shared::at_least(&shared.in_bucket, key);
    let read = bucket.get(&key.to_le_bytes()).unwrap();
    let version = version_of(key, read.expect("a key is missing").as_slice());
    assert!(version >= before, "a stale value in a bucket");
    let first = bucket.get(b"counter").unwrap();
    let first = first.map_or(0, |value| {
        i64::from_le_bytes(value.as_slice().try_into().unwrap())
    });
    let again = bucket.get(b"counter").unwrap();
    let again = again.map_or(0, |value| {
        i64::from_le_bytes(value.as_slice().try_into().unwrap())
    });
    assert!(again >= first, "the count went back");
}

/// Keys that are changed in one batch have one version in any view.
fn together(shared: &Shared, _: &mut Rng) {
    let tail = shared.store.tail();
    let Ok(view) = shared.store.as_of(tail) else {
        // A compaction came between, and this tail is one of the store before.
        return;
    };
    let versions: Vec<u64> = (0..TOGETHER)
        .map(|key| {
            let name = [&b"together"[..], &key.to_le_bytes()].concat();
            versions_of(key, &view.read(&name).unwrap().expect("a key is missing"))
        })
        .collect();
    assert!(
        versions.iter().all(|version| *version == versions[0]),
        "{versions:?}"
    );
}

fn history(shared: &Shared, rng: &mut Rng) {
    let key = rng.next_u64() % KEYS;
    let mut newest = u64::MAX;
    for version in shared.store.history(&key.to_le_bytes()).take(20) {
        let version = version.unwrap();
        let value = version.value().expect("nothing is ever deleted here");
        let this = versions_of(key, value);
        assert!(this < newest, "out of order");
        newest = this;
    }
    assert!(newest != u64::MAX, "no history");
}

fn as_of(shared: &Shared, rng: &mut Rng) {
    let key = rng.next_u64() % KEYS;
    let name = key.to_le_bytes();
    let Ok(view) = shared.store.as_of(shared.store.tail()) else {
        return;
    };
    let first = versions_of(key, &view.read(&name).unwrap().expect("a key is missing"));
    let again = versions_of(key, &view.read(&name).unwrap().expect("a key is missing"));
    assert_eq!(first, again, "a view changed");
}

fn list(shared: &Shared, _: &mut Rng) {
    // Plain keys, those of the bucket, its counter, and those that change together.
    let all = usize::try_from(KEYS * 2 + 1 + TOGETHER).unwrap();
    assert_eq!(shared.store.iter_entries().count(), all);
    let view = shared.store.reader();
    for key in 0..KEYS {
        let value = view.get(&key.to_le_bytes()).expect("a key is missing");
        version_of(key, value);
    }
}

fn write(shared: &Shared, rng: &mut Rng, version: u64) {
    let store = &shared.store;
    let bucket = store.bucket("bucket").unwrap();
    let key = rng.next_u64() % KEYS;
    let other = (key + 1 + rng.next_u64() % (KEYS - 1)) % KEYS;
    let at = |key: u64| usize::try_from(key).unwrap();
    let values = [key, other].map(|key| (key.to_le_bytes(), value(key, version)));
    let pairs = [0, 1].map(|at| {
        let (key, value) = &values[at];
        (&key[..], &value[..])
    });
    match version % 8 {
        0 => {
            let mut batch = Batch::new();
            for key in 0..TOGETHER {
                let name = [&b"together"[..], &key.to_le_bytes()].concat();
                batch.put(&name, value(key, version));
            }
            store.commit(&batch).unwrap();
        }
        1 | 2 => {
            bucket.set(pairs[0].0, pairs[0].1).unwrap();
            shared.in_bucket[at(key)].store(version, Ordering::Release);
        }
        3 => {
            bucket.set_many(&pairs).unwrap();
            for key in [key, other] {
                shared.in_bucket[at(key)].store(version, Ordering::Release);
            }
        }
        4 => drop(bucket.increment(b"counter", 1).unwrap()),
        5 => {
            store.batch_write(&pairs).unwrap();
            for key in [key, other] {
                shared.written[at(key)].store(version, Ordering::Release);
            }
        }
        _ => {
            store.write(pairs[0].0, pairs[0].1).unwrap();
            shared.written[at(key)].store(version, Ordering::Release);
        }
    }
}

fn start(path: &std::path::Path) -> Shared {
    let shared = Shared {
        store: DataStore::open(path).unwrap(),
        written: (0..KEYS).map(|_| AtomicU64::new(0)).collect(),
        in_bucket: (0..KEYS).map(|_| AtomicU64::new(0)).collect(),
        stop: AtomicBool::new(false),
    };
    let bucket = shared.store.bucket("bucket").unwrap();
    for key in 0..KEYS {
        let value = value(key, 0);
        shared.store.write(&key.to_le_bytes(), &value).unwrap();
        bucket.set(&key.to_le_bytes(), &value).unwrap();
    }
    bucket.increment(b"counter", 1).unwrap();
    let mut batch = Batch::new();
    for key in 0..TOGETHER {
        let name = [&b"together"[..], &key.to_le_bytes()].concat();
        batch.put(&name, value(key, 0));
    }
    shared.store.commit(&batch).unwrap();
    shared
}

/// Ends the process if nobody says in time that all is done: threads that wait for each other cannot be made to fail otherwise.
fn watch(seconds: u64) -> mpsc::Sender<()> {
    let (done, told) = mpsc::channel();
    std::thread::spawn(move || {
        let patience = Duration::from_secs(seconds + PATIENCE);
        if told.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("nobody came to an end in {patience:?}: a deadlock");
            std::process::abort();
        }
    });
    done
}

/// `TAILSTONE_SECONDS=60` is the long form.
#[test]
fn eight_ways_to_read_beside_a_writer() {
    let seconds = amount("TAILSTONE_SECONDS", 3);
    let done = watch(seconds);
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.tsl");
    let shared = start(&folder.path().join("shared.tsl"));
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let reads: Vec<AtomicU64> = WAYS.iter().map(|_| AtomicU64::new(0)).collect();
    let mut rng = Rng::from_environment("eight_ways_to_read_beside_a_writer", 42);
    let (mut version, mut compactions, mut backups) = (0, 0, 0);
    std::thread::scope(|scope| {
        for ((nth, way), count) in (0..).zip(WAYS).zip(&reads) {
            let shared = &shared;
            scope.spawn(move || {
                let mut rng = Rng::new(nth);
                while shared.goes_on() {
                    way(shared, &mut rng);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let upkeep = scope.spawn(|| {
            let mut made = (0, 0);
            while shared.goes_on() {
                std::thread::sleep(Duration::from_millis(150));
                shared.store.compact().unwrap();
                made.0 += 1;
                let _ = std::fs::remove_file(&backup);
                shared.store.backup(&backup, &mut |_, _| ()).unwrap();
                let copy = DataStore::open_existing(&backup).unwrap();
                assert!(copy.verify(&mut |_, _| ()).unwrap().is_sound());
                made.1 += 1;
            }
            made
        });
        while Instant::now() < deadline && !upkeep.is_finished() {
            version += 1;
            write(&shared, &mut rng, version);
        }
        shared.stop.store(true, Ordering::Relaxed);
        (compactions, backups) = upkeep.join().unwrap();
    });
    let reads: Vec<u64> = reads
        .iter()
        .map(|count| count.load(Ordering::Relaxed))
        .collect();
    println!("{version} writes, {compactions} compactions, {backups} backups, reads {reads:?}");
    assert!(compactions > 0 && reads.iter().all(|count| *count > 0));
    shared.store.close().unwrap();
    done.send(()).unwrap();
}
