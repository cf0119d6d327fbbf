//! Buckets against a map with expiry and a clock of the test's own, for every backing; and beside writers and compactions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use tailstone::backing::device::DeviceBacking;
use tailstone::backing::device::faulty::FaultyDevice;
use tailstone::backing::{Backing, MemoryBacking, MmapBacking, OpenMode, Rewrite};
use tailstone::{Bucket, DataStoreWriter, MemoryStore, Options, Store};
use tailstone_tests::Rng;

#[derive(Debug, Clone)]
enum Step {
    Set(u8, Vec<u8>),
    /// Until so many milliseconds from now.
    SetFor(u8, Vec<u8>, u64),
    Stream(u8, Vec<u8>),
    Batch(Vec<(u8, Option<Vec<u8>>)>),
    Delete(u8),
    Increment(u8, i8),
    /// A plain value, whose hash may be that of a key of the bucket.
    Plain(u8, bool),
    Clear,
    Wait(u64),
    List(u8, usize),
    Reopen,
    Compact,
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..40),
        1 => prop::collection::vec(Just(0_u8), 0..3),
        1 => (1800_usize..70_000, any::<u64>()).prop_map(|(len, seed)| Rng::new(seed).bytes(len)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0_u8..24;
    prop_oneof![
        6 => (key.clone(), value()).prop_map(|(k, v)| Step::Set(k, v)),
        3 => (key.clone(), value(), 1_u64..50).prop_map(|(k, v, t)| Step::SetFor(k, v, t)),
        1 => (key.clone(), value()).prop_map(|(k, v)| Step::Stream(k, v)),
        3 => prop::collection::vec((key.clone(), prop::option::of(value())), 0..6).prop_map(Step::Batch),
        4 => key.clone().prop_map(Step::Delete),
        1 => (key.clone(), any::<i8>()).prop_map(|(k, d)| Step::Increment(k, d)),
        1 => (key.clone(), any::<bool>()).prop_map(|(k, same)| Step::Plain(k, same)),
        1 => Just(Step::Clear),
        2 => (1_u64..30).prop_map(Step::Wait),
        4 => (key, 1_usize..9).prop_map(|(k, limit)| Step::List(k, limit)),
        1 => Just(Step::Reopen),
        2 => Just(Step::Compact),
    ]
}

/// Keys of all lengths, many of which begin alike.
fn key(n: u8) -> Vec<u8> {
    match n % 4 {
        0 => format!("user:{n:03}").into_bytes(),
        1 => format!("user:{n:03}:name").into_bytes(),
        2 => vec![n; usize::from(n) * 40],
        _ => vec![0xff - n, 0, n],
    }
}

/// The clock of all stores of the model test.
static NOW: AtomicU64 = AtomicU64::new(1_000_000);

fn now() -> u64 {
    NOW.load(Ordering::SeqCst)
}

type Model = BTreeMap<Vec<u8>, (Vec<u8>, u64)>;

fn live(model: &Model) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
    let live = model
        .iter()
        .filter(|(_, (_, until))| *until == 0 || *until > now());
    live.map(|(key, (value, _))| (key, value))
}

fn check<B: Backing>(bucket: &Bucket<'_, B>, model: &Model) -> Result<(), TestCaseError> {
    let listed: Vec<Vec<u8>> = bucket.iter_keys(b"").map(Result::unwrap).collect();
    let expected: Vec<Vec<u8>> = live(model).map(|(key, _)| key.clone()).collect();
    prop_assert!(listed == expected, "{listed:?} for {expected:?}");
    prop_assert_eq!(bucket.len().unwrap(), expected.len() as u64);
    prop_assert_eq!(bucket.is_empty().unwrap(), expected.is_empty());
    for n in 0..24 {
        let key = key(n);
        let value = bucket.get(&key).unwrap().map(|value| value.to_vec());
        let held = model
            .get(&key)
            .filter(|(_, until)| *until == 0 || *until > now());
        prop_assert!(value.as_ref() == held.map(|(value, _)| value), "{n}");
        prop_assert_eq!(bucket.exists(&key).unwrap(), value.is_some());
        let len = value.map(|value| value.len() as u64);
        prop_assert_eq!(bucket.value_len(&key).unwrap(), len);
    }
    Ok(())
}

/// Does one step on the bucket and on the model.
fn apply<B: Backing>(
    store: &Store<B>,
    model: &mut Model,
    step: &Step,
) -> Result<(), TestCaseError> {
    let bucket = store.bucket("the bucket").unwrap();
    match step {
        Step::Set(k, v) => {
            bucket.set(&key(*k), v).unwrap();
            model.insert(key(*k), (v.clone(), 0));
        }
        Step::SetFor(k, v, millis) => {
            let until = now() + millis;
            bucket.set_until(&key(*k), v, until).unwrap();
            model.insert(key(*k), (v.clone(), until));
        }
        Step::Stream(k, v) => {
            bucket.set_stream(&key(*k), &mut &v[..]).unwrap();
            model.insert(key(*k), (v.clone(), 0));
        }
        Step::Batch(changes) => {
            let mut batch = bucket.batch();
            for (k, value) in changes {
                if let Some(value) = value {
                    batch.put(key(*k), &value[..]);
                    model.insert(key(*k), (value.clone(), 0));
                } else {
                    batch.delete(key(*k));
                    model.remove(&key(*k));
                }
            }
            batch.commit().unwrap();
        }
        Step::Delete(k) => {
            let had = live(model).any(|(held, _)| *held == key(*k));
            model.remove(&key(*k));
            prop_assert_eq!(bucket.delete(&key(*k)).unwrap(), had);
        }
        Step::Increment(k, delta) => {
            let sum = bucket.increment(&key(*k), i64::from(*delta));
            if let Ok(sum) = sum {
                let held = model
                    .get(&key(*k))
                    .filter(|(_, until)| *until == 0 || *until > now());
                let until = held.map_or(0, |(_, until)| *until);
                model.insert(key(*k), (sum.to_le_bytes().to_vec(), until));
            }
        }
        Step::Plain(k, same) => {
            if *same {
                let full = tailstone::format::full_key(b"the bucket", &key(*k));
                store.write(&full, b"plain").unwrap();
                store.delete(&full).unwrap();
                model.remove(&key(*k));
            } else {
                store.write(&key(*k), b"plain").unwrap();
            }
        }
        Step::Clear => {
            let count = live(model).count() as u64;
            model.clear();
            prop_assert_eq!(bucket.clear().unwrap(), count);
        }
        Step::Wait(millis) => {
            NOW.fetch_add(*millis, Ordering::SeqCst);
        }
        Step::List(k, limit) => {
            let (cursor, prefix) = (key(*k), [&b""[..], b"user:"][usize::from(k % 2)]);
            let page = bucket.keys(prefix, Some(&cursor), *limit).unwrap();
            let keys: Vec<Vec<u8>> = live(model)
                .map(|(key, _)| key.clone())
                .filter(|key| key.starts_with(prefix) && *key > cursor)
                .collect();
            let more = keys.len() > *limit;
            prop_assert!(page.keys == keys[..keys.len().min(*limit)]);
            prop_assert_eq!(page.cursor, more.then(|| keys[*limit - 1].clone()));
        }
        Step::Reopen | Step::Compact => {}
    }
    Ok(())
}

/// Runs steps; `reopen` has the backing opened again, `compact` compacts where that is possible.
fn run<B: Backing>(
    steps: &[Step],
    mut store: Store<B>,
    reopen: impl Fn(Store<B>) -> Store<B>,
    compact: impl Fn(&Store<B>),
) -> Result<(), TestCaseError> {
    let mut model = Model::new();
    for (nth, step) in steps.iter().enumerate() {
        match step {
            Step::Reopen => store = reopen(store),
            Step::Compact => {
                compact(&store);
                // What a compaction dropped is gone; what it did not, expired all the same.
                model.retain(|_, (_, until)| *until == 0 || *until > now());
            }
            step => apply(&store, &mut model, step)?,
        }
        // Sometimes the directory falls behind by several steps.
        if nth % 3 == 0 {
            check(&store.bucket("the bucket").unwrap(), &model)?;
        }
    }
    check(&store.bucket("the bucket").unwrap(), &model)
}

fn compact<B: Rewrite>(store: &Store<B>) {
    store.compact().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bucket_is_a_map_that_forgets(steps in prop::collection::vec(step(), 1..70)) {
        let options = Options::new().clock(now);
        let memory = Store::open_with(MemoryBacking::new(), &options).unwrap();
        run(&steps, memory, |store| store, compact)?;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("buckets.tsl");
        let open = || {
            let backing = MmapBacking::open(&path, OpenMode::Create).unwrap();
            Store::open_with(backing, &options).unwrap()
        };
        let reopen = |store: Store<MmapBacking>| {
            store.close().unwrap();
            open()
        };
        run(&steps, open(), reopen, compact)?;

        let device = FaultyDevice::new();
        let open = || {
            let backing = DeviceBacking::new(device.clone(), 32 << 10).unwrap();
            Store::open_with(backing, &options).unwrap()
        };
        let reopen = |store: Store<_>| {
            drop(store);
            open()
        };
        run(&steps, open(), reopen, |_| {})?;
    }
}

/// Writers that come and go, one that lists, one that compacts. Keys that are never touched are on every list, once; what a writer
/// has written is on the next; and at the end the list is what the store holds.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn listing_beside_writers_and_compactions() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    let kept: Vec<Vec<u8>> = (0..500)
        .map(|n| format!("key {n:04} kept").into_bytes())
        .collect();
    for key in &kept {
        bucket.set(key, b"v").unwrap();
    }
    let (writing, lists, compactions) = (
        AtomicUsize::new(4),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (bucket, writing) = (bucket.clone(), &writing);
            scope.spawn(move || {
                let mut rng = Rng::new(thread);
                for n in 0..20_000_u32 {
                    let key = format!("key {:04} {thread}", rng.below(700)).into_bytes();
                    if rng.below(5) < 3 {
                        bucket.set(&key, &n.to_le_bytes()).unwrap();
                    } else {
                        bucket.delete(&key).unwrap();
                    }
                    if n % 4000 == 0 {
                        // Seen by whoever asks once it is there.
                        let key = format!("mine {thread} {n}").into_bytes();
                        bucket.set(&key, b"").unwrap();
                        let page = bucket.keys(&key, None, 1).unwrap();
                        assert_eq!(page.keys, [key]);
                    }
                }
                writing.fetch_sub(1, Ordering::SeqCst);
            });
        }
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                let keys: Vec<Vec<u8>> = bucket.iter_keys(b"key").map(Result::unwrap).collect();
                assert!(keys.is_sorted_by(|a, b| a < b));
                let unmoved = keys.iter().filter(|key| key.ends_with(b"kept"));
                assert!(unmoved.eq(kept.iter()));
                lists.fetch_add(1, Ordering::SeqCst);
            }
        });
        while writing.load(Ordering::SeqCst) > 0 || lists.load(Ordering::SeqCst) < 3 {
            store.compact().unwrap();
            compactions.fetch_add(1, Ordering::SeqCst);
        }
        is_over.store(true, Ordering::SeqCst);
    });
    println!("{lists:?} lists, {compactions:?} compactions");
    let listed: Vec<Vec<u8>> = bucket.iter_keys(b"").map(Result::unwrap).collect();
    for thread in 0..4 {
        for n in 0..700 {
            let key = format!("key {n:04} {thread}").into_bytes();
            let is_there = bucket.exists(&key).unwrap();
            assert_eq!(listed.binary_search(&key).is_ok(), is_there);
        }
    }
    assert_eq!(listed.len() as u64, bucket.len().unwrap());
}
