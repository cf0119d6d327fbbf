//! A snapshot of the index is a shortcut and nothing more: whatever becomes of it, the store is what it was without it.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails there and then"
)]

use std::collections::BTreeMap;
use std::path::Path;
use tailstone::backing::device::DeviceBacking;
use tailstone::backing::device::faulty::{Call, Fault, FaultyDevice};
use tailstone::{
    Batch, DataStore, DataStoreReader, DataStoreWriter, Durability, Error, Options, Store,
};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn key(nth: u16) -> Vec<u8> {
    nth.to_be_bytes().to_vec()
}

/// Some writes, overwrites, deletions and a batch; every call gives others.
fn change(store: &impl DataStoreWriter, model: &mut Model, turn: u16) {
    for nth in (0..60_u16).filter(|nth| !(nth + turn).is_multiple_of(3)) {
        if (nth * 7 + turn).is_multiple_of(10) {
            store.delete(&key(nth)).unwrap();
            model.remove(&key(nth));
        } else {
            let value = [
                key(nth + 1),
                vec![turn.to_le_bytes()[0]; usize::from(nth) % 40],
            ]
            .concat();
            store.write(&key(nth), &value).unwrap();
            model.insert(key(nth), value);
        }
    }
}

fn content(store: &impl DataStoreReader<EntryHandleType: AsRef<[u8]>>) -> Model {
    let value = |nth| Some((key(nth), store.read(&key(nth)).unwrap()?.as_ref().to_vec()));
    let found: Model = (0..70).filter_map(value).collect();
    assert_eq!(store.len().unwrap(), found.len());
    found
}

/// Cut anywhere, in the body, the head or what is behind them, a file loses what was cut off and nothing else.
#[test]
fn a_cut_costs_what_it_cuts_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsl");
    let store = DataStore::open(&path).unwrap();
    let mut model = Model::new();
    let mut states = Vec::new();
    for turn in 0..4 {
        change(&store, &mut model, turn);
        states.push((store.tail(), model.clone()));
        assert!(store.snapshot_index().unwrap());
        states.push((store.tail(), model.clone()));
        let mut batch = Batch::new();
        batch.put(&key(65), turn.to_le_bytes().to_vec());
        batch.delete(&key(1));
        store.commit(&batch).unwrap();
        model.insert(key(65), turn.to_le_bytes().to_vec());
        model.remove(&key(1));
        states.push((store.tail(), model.clone()));
    }
    store.close().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let (first, _) = states.first().unwrap();
    let step = if cfg!(debug_assertions) { 97 } else { 13 };
    let near = |cut: u64| states.iter().any(|(tail, _)| cut.abs_diff(*tail) < 30);
    let mut from_snapshots = 0;
    for cut in *first..=u64::try_from(bytes.len()).unwrap() {
        if !near(cut) && cut % step != 0 {
            continue;
        }
        let kept = bytes.get(..usize::try_from(cut).unwrap()).unwrap();
        for junk in [&[][..], &[0xa5; 70]] {
            std::fs::write(&path, [kept, junk].concat()).unwrap();
            let store = DataStore::open(&path).unwrap();
            // Between two states single entries lie, whose model this test does not have.
            let state = states.iter().rev().find(|(tail, _)| *tail == store.tail());
            if let Some((_, model)) = state {
                assert_eq!(&content(&store), model, "cut at {cut}");
            }
            let is_first = store.tail() <= *first;
            let report = store.recovery_report();
            from_snapshots += u32::from(report.index_snapshot.is_some());
            assert!(report.index_snapshot.is_none() || !is_first);
            let found = content(&store);
            drop(store);
            let walked = Options::new().snapshots(false).read_only(true);
            assert_eq!(content(&walked.open(&path).unwrap()), found, "cut at {cut}");
        }
    }
    assert!(from_snapshots > 100, "only {from_snapshots}");
}

/// The reference reads such files, goes on writing to them and compacts them; what it made of the snapshot is not taken for one.
#[test]
fn the_reference_goes_on_with_such_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsl");
    let mut model = Model::new();
    let store = DataStore::open(&path).unwrap();
    change(&store, &mut model, 1);
    store.snapshot_index().unwrap();
    store.close().unwrap();
    let check_there = |path: &Path, model: &Model| {
        use simd_r_drive::traits::DataStoreReader as _;
        let store = simd_r_drive::DataStore::open_existing(path).unwrap();
        for nth in 0..70 {
            let read = store.read(&key(nth)).unwrap();
            let read = read.as_ref().map(simd_r_drive::EntryHandle::as_slice);
            assert_eq!(read, model.get(&key(nth)).map(Vec::as_slice));
        }
    };
    check_there(&path, &model);
    {
        use simd_r_drive::traits::DataStoreWriter as _;
        let store = simd_r_drive::DataStore::open_existing(&path).unwrap();
        for nth in 20..40 {
            store.write(&key(nth), b"from there").unwrap();
            model.insert(key(nth), b"from there".to_vec());
        }
        store.delete(&key(41)).unwrap();
        model.remove(&key(41));
    }
    let store = DataStore::open(&path).unwrap();
    assert!(store.recovery_report().index_snapshot.is_some());
    assert_eq!(content(&store), model);
    store.snapshot_index().unwrap();
    drop(store);
    check_there(&path, &model);
    {
        let mut store = simd_r_drive::DataStore::open_existing(&path).unwrap();
        store.compact().unwrap();
    }
    let store = DataStore::open(&path).unwrap();
    assert_eq!(store.recovery_report().index_snapshot, None);
    assert_eq!(content(&store), model);
}

type Faulty = Store<DeviceBacking<FaultyDevice>>;

fn open(device: &FaultyDevice) -> Result<Faulty, Error> {
    let backing = DeviceBacking::new(device.clone(), 4 << 10).unwrap();
    let options = Options::new().durability(Durability::Sync);
    Store::open_with(backing, &options)
}

/// Every write and sync of a snapshot fails in turn, or the power goes once it is there: no acknowledged write is lost, and the file opens.
#[test]
fn a_crash_costs_the_snapshot_alone() {
    let seeds = if cfg!(debug_assertions) { 15 } else { 100 };
    for call in [Call::Write, Call::Sync] {
        for fault_at in 0.. {
            let device = FaultyDevice::new();
            let store = open(&device).unwrap();
            let mut model = Model::new();
            change(&store, &mut model, 2);
            device.reset_counts();
            device.plan(call, fault_at, Fault::Torn(std::io::ErrorKind::Other));
            let result = store.snapshot_index();
            let calls = device.count(call);
            for seed in 0..seeds {
                let what = format!("{call:?} {fault_at}, seed {seed}");
                let crashed = open(&device.crash(seed)).unwrap_or_else(|e| panic!("{what}: {e}"));
                assert_eq!(content(&crashed), model, "{what}");
            }
            device.heal();
            if result.is_ok() {
                assert!(fault_at >= calls, "{call:?} {fault_at} went unnoticed");
                assert!(fault_at >= 2, "{call:?}");
                break;
            }
            assert_eq!(content(&store), model);
            if call == Call::Write {
                store.write(b"after", b"the failure").unwrap();
                let reopened = open(&device.crash(0)).unwrap();
                let value = reopened.read(b"after").unwrap().unwrap();
                assert_eq!(value.as_slice(), b"the failure");
            } else {
                assert!(matches!(store.write(b"a", b"b"), Err(Error::Latched)));
            }
        }
    }
}

/// A device that fails its n-th read while a snapshot is taken up: an error, and the next opening finds all.
#[test]
fn a_failing_read_is_an_error() {
    let device = FaultyDevice::new();
    let mut model = Model::new();
    let store = open(&device).unwrap();
    change(&store, &mut model, 3);
    store.snapshot_index().unwrap();
    change(&store, &mut model, 4);
    drop(store);
    let mut failed = 0;
    for fault_at in 0.. {
        device.reset_counts();
        device.plan(Call::Read, fault_at, Fault::Fail(std::io::ErrorKind::Other));
        match open(&device) {
            Ok(store) => {
                device.heal();
                assert!(store.recovery_report().index_snapshot.is_some());
                assert_eq!(content(&store), model);
                break;
            }
            Err(error) => assert!(matches!(error, Error::Io { .. }), "{error}"),
        }
        failed += 1;
        device.heal();
    }
    assert!(failed > 2, "only {failed} reads");
}

/// A program that only ever lists had the keys read from all entries each time it was started: nothing was written, so no snapshot
/// was due, and the one of before had been made without a directory of keys.
#[test]
fn keys_that_were_listed_are_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsl");
    let listed = |store: &DataStore| {
        let bucket = store.bucket("b").unwrap();
        bucket.iter_keys(b"key 1").count()
    };
    let store = DataStore::open(&path).unwrap();
    let bucket = store.bucket("b").unwrap();
    let keys: Vec<_> = (0..70_000).map(|n| format!("key {n:05}")).collect();
    for keys in keys.chunks(10_000) {
        let pairs: Vec<_> = keys.iter().map(|key| (key.as_bytes(), &b""[..])).collect();
        bucket.set_many(&pairs).unwrap();
    }
    store.close().unwrap();
    let unlisted = path.metadata().unwrap().len();

    let mut sizes = Vec::new();
    for _ in 0..3 {
        let store = DataStore::open(&path).unwrap();
        assert_eq!(listed(&store), 10_000);
        store.close().unwrap();
        sizes.push(path.metadata().unwrap().len());
    }
    let before = DataStore::open(&path).unwrap();
    assert!(before.recovery_report().index_snapshot.is_some());
    before.close().unwrap();
    assert!(
        sizes.iter().all(|size| Some(size) == sizes.first()),
        "{sizes:?}"
    );
    assert!(
        sizes.iter().all(|size| *size > unlisted),
        "{sizes:?} and {unlisted}"
    );
}
