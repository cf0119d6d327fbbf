//! A batch that is committed counts as a whole or not at all: for readers, at every cut of the file, and at every crash of a device
//! that loses what was not synced.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::collections::BTreeMap;
use tailstone::backing::device::DeviceBacking;
use tailstone::backing::device::faulty::{Call, Fault, FaultyDevice};
use tailstone::{
    Batch, DataStore, DataStoreReader, DataStoreWriter, Durability, Error, MemoryStore, Options,
    Store,
};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn content(store: &impl DataStoreReader<EntryHandleType: AsRef<[u8]>>, keys: &[&[u8]]) -> Model {
    keys.iter()
        .filter_map(|key| {
            let value = store.read(key).unwrap()?;
            Some((key.to_vec(), value.as_ref().to_vec()))
        })
        .collect()
}

const KEYS: [&[u8]; 5] = [b"a", b"b", b"c", b"d", b"e"];

/// Batch `nth` of a sequence: each puts some keys and deletes others, with values that say which batch they are of.
fn batch(nth: u8) -> Batch<'static> {
    let mut batch = Batch::new();
    for (at, key) in (0_u8..).zip(KEYS) {
        match (nth + at) % 5 {
            0 => batch.delete(key),
            1 => batch.put(key, vec![nth; 7000]),
            2 => batch.put(key, vec![nth; 600]),
            3 => batch.put(key, vec![nth]),
            _ => &mut batch,
        };
    }
    batch
}

fn apply(model: &mut Model, nth: u8) {
    for (at, key) in (0_u8..).zip(KEYS) {
        let len = match (nth + at) % 5 {
            0 => {
                model.remove(key);
                continue;
            }
            1 => 7000,
            2 => 600,
            3 => 1,
            _ => continue,
        };
        model.insert(key.to_vec(), vec![nth; len]);
    }
}

#[test]
fn the_last_change_of_a_key_counts() {
    let store = MemoryStore::new();
    store.write(b"old", b"value").unwrap();
    let owned = String::from("from a string").into_bytes();
    let mut batch = Batch::new();
    batch
        .put(b"new", &b"borrowed"[..])
        .put(b"twice", &b"first"[..])
        .put(b"twice", owned)
        .put(b"gone", &b"for a moment"[..])
        .delete(b"gone")
        .delete(b"old")
        .put(b"old", &b"again"[..])
        .delete(b"never there");
    assert_eq!((batch.len(), batch.is_empty()), (8, false));
    let tail = store.commit(&batch).unwrap();
    assert_eq!(tail, store.tail());
    assert_eq!(store.len().unwrap(), 3);
    assert_eq!(
        store.read(b"twice").unwrap().unwrap().as_slice(),
        b"from a string"
    );
    assert_eq!(store.read(b"old").unwrap().unwrap().as_slice(), b"again");
    assert!(store.read(b"gone").unwrap().is_none());
    // The marker is no value.
    assert_eq!(store.iter_entries().count(), 3);
    assert!(store.read(b"tailstone/batch/1").unwrap().is_none());
    assert!(
        store
            .read_last_entry()
            .unwrap()
            .is_some_and(|last| last.as_slice() == b"again")
    );
}

#[test]
fn what_needs_no_marker_has_none() {
    let (plain, batched) = (MemoryStore::new(), MemoryStore::new());
    plain.write(b"k", b"v").unwrap();
    batched.commit(Batch::new().put(b"k", &b"v"[..])).unwrap();
    assert_eq!(batched.commit(&Batch::new()).unwrap(), plain.tail());
    batched
        .commit(Batch::new().delete(b"x").delete(b"y"))
        .unwrap();
    assert_eq!(batched.tail(), plain.tail());
    plain.delete(b"k").unwrap();
    batched
        .commit(Batch::new().delete(b"k").delete(b"x"))
        .unwrap();
    assert_eq!(batched.tail(), plain.tail());
}

#[test]
fn a_batch_with_a_mistake_writes_nothing() {
    let store = MemoryStore::new();
    let tail = store.write(b"k", b"v").unwrap();
    let mut empty = Batch::new();
    empty.put(b"good", &b"1"[..]).put(b"bad", &b""[..]);
    assert!(matches!(store.commit(&empty), Err(Error::EmptyPayload)));
    let mut zero = Batch::new();
    zero.put(b"good", &b"1"[..]).put(b"bad", &[0_u8][..]);
    assert!(matches!(store.commit(&zero), Err(Error::ReservedPayload)));
    let mut reserved = Batch::new();
    reserved
        .put(b"good", &b"1"[..])
        .delete(b"tailstone/batch/1");
    assert!(matches!(
        store.commit(&reserved),
        Err(Error::ReservedKey { .. })
    ));
    assert_eq!((store.tail(), store.len().unwrap()), (tail, 1));
}

#[test]
fn a_cut_file_has_whole_batches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut states = vec![(0, Model::new())];
    {
        let store = DataStore::open(&path).unwrap();
        let mut model = Model::new();
        for nth in 1..6 {
            let tail = store.commit(&batch(nth)).unwrap();
            apply(&mut model, nth);
            states.push((tail, model.clone()));
        }
        store.close().unwrap();
    }
    let bytes = std::fs::read(&path).unwrap();
    // Every cut near the ends of batches, where their parts are small, and some of the others.
    let near = |cut: usize| {
        let cut = u64::try_from(cut).unwrap();
        states.iter().any(|(tail, _)| cut.abs_diff(*tail) < 90)
    };
    let step = if cfg!(debug_assertions) { 397 } else { 61 };
    for cut in (0..=bytes.len()).filter(|&cut| near(cut) || cut % step == 0) {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let length = u64::try_from(cut).unwrap();
        let (tail, model) = states
            .iter()
            .rev()
            .find(|(tail, _)| *tail <= length)
            .unwrap();
        let store = match DataStore::open(&path) {
            Ok(store) => store,
            // Nothing in it was ever committed.
            Err(Error::NotAStore { .. }) if *tail == 0 => continue,
            Err(error) => panic!("cut at {cut}: {error}"),
        };
        assert_eq!(store.tail(), *tail, "cut at {cut}");
        assert_eq!(&content(&store, &KEYS), model, "cut at {cut}");
        // And it goes on from there.
        store.write(b"a", b"after").unwrap();
        drop(store);
        let store = DataStore::open(&path).unwrap();
        assert_eq!(store.read(b"a").unwrap().unwrap().as_slice(), b"after");
    }
}

#[test]
fn compaction_leaves_no_marker_and_the_reference_reads_on() {
    use simd_r_drive::traits::DataStoreReader as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut model = Model::new();
    let store = DataStore::open(&path).unwrap();
    for nth in 1..9 {
        store.commit(&batch(nth)).unwrap();
        apply(&mut model, nth);
    }
    store.close().unwrap();
    for compacted in [false, true] {
        if compacted {
            let store = DataStore::open(&path).unwrap();
            assert!(store.estimate_compaction_savings() > 0);
            store.compact().unwrap();
            assert_eq!(store.estimate_compaction_savings(), 0);
            assert_eq!(content(&store, &KEYS), model);
        }
        let reference = simd_r_drive::DataStore::open(&path).unwrap();
        for key in KEYS {
            let value = reference.read(key).unwrap();
            assert_eq!(
                value.as_ref().map(simd_r_drive::EntryHandle::as_slice),
                model.get(key).map(|v| &v[..])
            );
        }
    }
}

type Faulty = Store<DeviceBacking<FaultyDevice>>;

fn open(device: &FaultyDevice) -> Result<Faulty, Error> {
    let backing = DeviceBacking::new(device.clone(), 64 << 10).unwrap();
    let options = Options::new().durability(Durability::Sync);
    Store::open_with(backing, &options)
}

/// Each call of the device fails in turn; then the power goes, and of what was not synced any part is there.
#[test]
fn a_crash_keeps_every_synced_batch_and_no_part_of_another() {
    let seeds = if cfg!(debug_assertions) { 12 } else { 60 };
    let mut torn = 0;
    for call in [Call::Write, Call::Sync] {
        for fault_at in 0.. {
            let device = FaultyDevice::new();
            let store = open(&device).unwrap();
            let mut model = Model::new();
            device.reset_counts();
            device.plan(call, fault_at, Fault::Torn(std::io::ErrorKind::Other));
            let mut unsure = None;
            for nth in 1..7 {
                if store.commit(&batch(nth)).is_ok() {
                    apply(&mut model, nth);
                } else {
                    unsure = Some(nth);
                    break;
                }
            }
            let Some(nth) = unsure else {
                assert!(fault_at > 5, "{call:?}: nothing went wrong");
                break;
            };
            let mut after = model.clone();
            apply(&mut after, nth);
            for seed in 0..seeds {
                let what = format!("{call:?} {fault_at}, seed {seed}");
                let crashed = match open(&device.crash(seed)) {
                    Ok(crashed) => crashed,
                    // A beginning of the first entry there ever was.
                    Err(Error::NotAStore { .. }) if model.is_empty() => continue,
                    Err(error) => panic!("{what}: {error}"),
                };
                let found = content(&crashed, &KEYS);
                assert!(
                    found == model || found == after,
                    "{what}: {}",
                    crashed.recovery_report()
                );
                torn += u32::from(crashed.recovery_report().cut_bytes > 0);
            }
        }
    }
    assert!(torn > 20, "only {torn} crashes left something to cut off");
}
