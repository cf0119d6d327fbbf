//! Versions and earlier tails against a model that keeps every state there ever was, on memory, in a file and on a device.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use tailstone::backing::device::DeviceBacking;
use tailstone::backing::device::faulty::FaultyDevice;
use tailstone::backing::{Backing, Rewrite};
use tailstone::{DataStore, DataStoreWriter, Error, MemoryStore, Options, ReadView, Store};
use tailstone_tests::{Operation, Rng, script};

type Values = BTreeMap<Vec<u8>, Vec<u8>>;

/// A value or a deletion, and the tail that its operation returned.
type Change = (Option<Vec<u8>>, u64);

/// What the store must be able to tell: its state at each tail, and all that ever happened to each key.
#[derive(Default)]
struct Model {
    /// Live values and their keys in the order of writing, after the operations that returned the tail.
    states: BTreeMap<u64, (Values, Vec<Vec<u8>>)>,
    live: Values,
    /// Live keys, oldest entry first.
    order: Vec<Vec<u8>>,
    /// Of each key, oldest first.
    versions: BTreeMap<Vec<u8>, Vec<Change>>,
}

impl Model {
    fn put(&mut self, key: &[u8], value: &[u8], tail: u64) {
        self.order.retain(|other| other != key);
        self.order.push(key.to_vec());
        self.live.insert(key.to_vec(), value.to_vec());
        self.note(key, Some(value.to_vec()), tail);
    }

    fn delete(&mut self, key: &[u8], tail: u64) {
        if self.live.remove(key).is_some() {
            self.order.retain(|other| other != key);
            self.note(key, None, tail);
        }
    }

    fn note(&mut self, key: &[u8], value: Option<Vec<u8>>, tail: u64) {
        let versions = self.versions.entry(key.to_vec()).or_default();
        versions.push((value, tail));
    }

    fn end(&mut self, tail: u64) {
        let state = (self.live.clone(), self.order.clone());
        self.states.insert(tail, state);
    }
}

fn apply<B: Backing>(store: &Store<B>, model: &mut Model, operation: &Operation) {
    let tail = match operation {
        Operation::Write(key, value) => {
            let tail = store.write(key, value).unwrap();
            model.put(key, value, tail);
            tail
        }
        Operation::Stream(key, value) => {
            let tail = store.write_stream(key, &mut &value[..]).unwrap();
            model.put(key, value, tail);
            tail
        }
        Operation::Batch(entries) => {
            let batch: Vec<(&[u8], &[u8])> =
                entries.iter().map(|(k, v)| (&k[..], &v[..])).collect();
            let tail = store.batch_write(&batch).unwrap();
            for (key, value) in entries {
                model.put(key, value, tail);
            }
            tail
        }
        Operation::Delete(key) => {
            let tail = store.delete(key).unwrap();
            model.delete(key, tail);
            tail
        }
        Operation::BatchDelete(keys) => {
            // A key that is named twice is deleted twice, which the model need not know.
            let mut keys = keys.clone();
            keys.sort();
            keys.dedup();
            let slices: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
            let tail = store.batch_delete(&slices).unwrap();
            for key in &keys {
                model.delete(key, tail);
            }
            tail
        }
        Operation::Rename(from, to) => match store.rename(from, to) {
            Ok(tail) => {
                let value = model.live[from].clone();
                model.put(to, &value, tail);
                model.delete(from, tail);
                tail
            }
            Err(error) => {
                assert!(matches!(error, Error::KeyNotFound), "{error}");
                store.tail()
            }
        },
    };
    assert_eq!(tail, store.tail());
    model.end(tail);
}

/// The view at `tail` is the state that the model kept.
fn check<B: Backing>(view: &ReadView<B>, model: &Model) {
    let tail = view.tail();
    let (values, order) = &model.states[&tail];
    for key in model.versions.keys() {
        let read = view.read(key).unwrap();
        let expected = values.get(key).map(Vec::as_slice);
        assert_eq!(read.as_deref(), expected, "{tail}");
        assert_eq!(view.exists(key).unwrap(), expected.is_some(), "{tail}");
        let metadata = view.read_metadata(key).unwrap();
        assert_eq!(metadata, read.map(|value| *value.metadata()), "{tail}");
    }
    assert!(view.read(b"never written").unwrap().is_none());
    let entries = view.entries().unwrap();
    assert_eq!(entries.len(), values.len(), "{tail}");
    let listed: Vec<Vec<u8>> = entries.map(|entry| entry.unwrap().to_vec()).collect();
    let expected: Vec<_> = order.iter().rev().map(|key| values[key].clone()).collect();
    assert!(
        listed == expected,
        "{tail}: other entries, or another order"
    );
}

/// The history of every key is what the model noted, and each version is the live one at its own tail.
fn check_versions<B: Backing>(store: &Store<B>, model: &Model) {
    for (key, expected) in &model.versions {
        let versions: Vec<_> = store.history(key).map(Result::unwrap).collect();
        assert_eq!(versions.len(), expected.len());
        let mut newer = u64::MAX;
        for (version, (value, returned)) in versions.iter().zip(expected.iter().rev()) {
            assert_eq!(version.value().map(|value| &value[..]), value.as_deref());
            assert_eq!(version.is_deletion(), value.is_none());
            assert!(version.tail() <= *returned && version.tail() < newer);
            newer = version.tail();
            let view = store.as_of(version.tail()).unwrap();
            assert_eq!(view.read(key).unwrap().as_deref(), value.as_deref());
            let first = view.history(key).next().unwrap().unwrap();
            assert_eq!(first.tail(), version.tail());
            let before = store.as_of(version.offset()).unwrap();
            let older = before.history(key).count();
            assert_eq!(older + 1, view.history(key).count());
        }
    }
    assert!(store.history(b"never written").next().is_none());
}

fn travel<B: Backing>(store: &Store<B>, seed: u64) -> Model {
    let mut rng = Rng::from_environment("time_travel", seed);
    let mut model = Model::default();
    model.end(0);
    // Views taken on the way must come to the same as those that are taken when all is written.
    let mut early = Vec::new();
    for operation in script(&mut rng, 200) {
        apply(store, &mut model, &operation);
        early.push(store.as_of(store.tail()).unwrap());
    }
    assert!(model.states.len() > 100, "a script of nothing");
    assert!(
        early
            .iter()
            .all(|view| model.states.contains_key(&view.tail()))
    );
    for view in early.iter().step_by(7) {
        check(view, &model);
    }
    for tail in model.states.keys() {
        check(&store.as_of(*tail).unwrap(), &model);
    }
    check_versions(store, &model);
    model
}

/// Views outlive a compaction, which starts the tails of the store anew.
fn travel_and_compact<B: Rewrite>(store: &Store<B>, seed: u64) {
    let model = travel(store, seed);
    let views: Vec<_> = model
        .states
        .keys()
        .map(|tail| store.as_of(*tail).unwrap())
        .collect();
    let before = store.tail();
    let mut history = store.history(b"key 1");
    store.compact().unwrap();
    store.write(b"key 1", b"behind the compaction").unwrap();
    assert!(store.tail() < before);
    assert!(matches!(
        store.as_of(before),
        Err(Error::NoSuchTail { tail, .. }) if tail == before
    ));
    for view in &views {
        check(view, &model);
    }
    for (value, _) in model.versions[&b"key 1"[..]].iter().rev() {
        let version = history.next().unwrap().unwrap();
        assert_eq!(version.into_value().as_deref(), value.as_deref());
    }
    assert!(history.next().is_none());
    let now: Vec<_> = store.history(b"key 1").map(Result::unwrap).collect();
    assert_eq!(now[0].value().unwrap(), b"behind the compaction");
    assert!(now.len() <= 2);
}

#[test]
fn in_memory() {
    travel_and_compact(&MemoryStore::new(), 11);
}

#[test]
fn in_a_file_also_after_a_reopen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("travel.tsl");
    let store = DataStore::open(&path).unwrap();
    let model = travel(&store, 12);
    store.close().unwrap();
    let store = DataStore::options().read_only(true).open(&path).unwrap();
    for tail in model.states.keys() {
        check(&store.as_of(*tail).unwrap(), &model);
    }
    check_versions(&store, &model);
    drop(store);

    let path = folder.path().join("compacted.tsl");
    travel_and_compact(&DataStore::open(&path).unwrap(), 13);
}

/// The cache is smaller than the store, so that the chain is read from the device again and again.
#[test]
fn on_a_device() {
    let backing = DeviceBacking::new(FaultyDevice::new(), 8 << 10).unwrap();
    travel(&Store::open_with(backing, &Options::new()).unwrap(), 14);
}

/// A view stands still while a writer changes, deletes and brings back everything in it.
#[test]
fn a_view_stands_still_beside_a_writer() {
    let store = MemoryStore::new();
    let mut model = Model::default();
    for operation in script(&mut Rng::from_environment("beside a writer", 15), 60) {
        apply(&store, &mut model, &operation);
    }
    let view = store.as_of(store.tail()).unwrap();
    let versions = view.history(b"key 2").count();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut later = Model::default();
            later.live.clone_from(&model.live);
            let mut rng = Rng::new(16);
            for round in 0..40 {
                for operation in script(&mut rng, 20) {
                    apply(&store, &mut later, &operation);
                }
                if round % 10 == 9 {
                    store.compact().unwrap();
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        loop {
            let is_last = stop.load(Ordering::Relaxed);
            check(&view, &model);
            assert_eq!(view.history(b"key 2").count(), versions);
            if is_last {
                break;
            }
        }
    });
}
