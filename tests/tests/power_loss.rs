//! The power goes in the middle of any operation of the plain store with `Durability::Sync`: the operation is there as a whole or not
//! at all, everything before it is there, and the file never needs to be salvaged.
//!
//! Groups of threads are crashed beside the code that makes them, where they can be held together.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails there and then"
)]

use std::collections::BTreeMap;
use std::io::ErrorKind;
use tailstone::backing::device::DeviceBacking;
use tailstone::backing::device::faulty::{Call, Fault, FaultyDevice};
use tailstone::recovery::Outcome;
use tailstone::{DataStoreReader, DataStoreWriter, Durability, Error, Options, Store};
use tailstone_tests::{Operation, Rng, script};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;
type Faulty = Store<DeviceBacking<FaultyDevice>>;

fn open(device: &FaultyDevice) -> Result<Faulty, Error> {
    let backing = DeviceBacking::new(device.clone(), 64 << 10).unwrap();
    let options = Options::new().durability(Durability::Sync);
    Store::open_with(backing, &options.verify_reads(true))
}

fn apply(store: &Faulty, operation: &Operation) -> Result<u64, Error> {
    match operation {
        Operation::Write(key, value) => store.write(key, value),
        Operation::Batch(entries) => {
            let entries = entries.iter();
            let entries: Vec<(&[u8], &[u8])> = entries.map(|(k, v)| (&k[..], &v[..])).collect();
            store.batch_write(&entries)
        }
        Operation::Stream(key, value) => store.write_stream(key, &mut &value[..]),
        Operation::Delete(key) => store.delete(key),
        Operation::BatchDelete(keys) => {
            store.batch_delete(&keys.iter().map(|key| &key[..]).collect::<Vec<_>>())
        }
        Operation::Rename(from, to) => match store.rename(from, to) {
            Err(Error::KeyNotFound) => Ok(store.tail()),
            renamed => renamed,
        },
    }
}

fn apply_to_model(model: &mut Model, operation: &Operation) {
    match operation {
        Operation::Write(key, value) | Operation::Stream(key, value) => {
            model.insert(key.clone(), value.clone());
        }
        Operation::Batch(entries) => model.extend(entries.iter().cloned()),
        Operation::Delete(key) => drop(model.remove(key)),
        Operation::BatchDelete(keys) => keys.iter().for_each(|key| drop(model.remove(key))),
        Operation::Rename(from, to) => {
            if let Some(value) = model.remove(from) {
                model.insert(to.clone(), value);
            }
        }
    }
}

/// What the store holds of these keys; values with a wrong checksum are left out, and counted.
fn content(store: &Faulty, keys: &[&Vec<u8>]) -> (Model, u64) {
    let (mut model, mut damaged) = (Model::new(), 0);
    for key in keys {
        match store.read(key) {
            Ok(None) => {}
            Ok(Some(value)) => drop(model.insert((*key).clone(), value.as_slice().to_vec())),
            Err(Error::Corrupt { .. }) => damaged += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (model, damaged)
}

/// Runs the script until its `nth` call of this kind fails and the power goes; whether it came so far.
fn run(operations: &[Operation], call: Call, nth: u64, seeds: u64) -> bool {
    let device = FaultyDevice::new();
    let store = open(&device).unwrap();
    let mut model = Model::new();
    device.reset_counts();
    device.plan(call, nth, Fault::Torn(ErrorKind::Other));
    let failed = operations.iter().find(|operation| {
        let done = apply(&store, operation).is_ok();
        if done {
            apply_to_model(&mut model, operation);
        }
        !done
    });
    let Some(failed) = failed else {
        return false;
    };
    let mut after = model.clone();
    apply_to_model(&mut after, failed);
    for seed in 0..seeds {
        let what = format!("{call:?} {nth} in {failed:?}, crash {seed}");
        let store = match open(&device.crash(seed)) {
            Ok(store) => store,
            // A part of the first entry there ever was.
            Err(Error::NotAStore { .. }) if model.is_empty() => continue,
            Err(error) => panic!("{what}: {error}"),
        };
        let report = store.recovery_report();
        let (found, damaged) = content(
            &store,
            &model.keys().chain(after.keys()).collect::<Vec<_>>(),
        );
        if report.outcome == Outcome::DamagedLastPayload {
            // A single value that was being written is kept and reported, and not read.
            let (Operation::Write(key, _) | Operation::Stream(key, _)) = failed else {
                panic!("{what}: {report}");
            };
            let mut others = model.clone();
            others.remove(key);
            assert!(damaged >= 1 && found == others, "{what}: {report}");
        } else {
            assert_eq!(damaged, 0, "{what}: {report}");
            assert!(found == model || found == after, "{what}: {report}");
        }
    }
    true
}

#[test]
fn every_operation_counts_as_a_whole() {
    let mut rng = Rng::from_environment("every_operation_counts_as_a_whole", 64);
    let seeds = if cfg!(debug_assertions) { 6 } else { 40 };
    let operations = script(&mut rng, 40);
    for call in [Call::Write, Call::Sync] {
        let mut nth = 0;
        while run(&operations, call, nth, seeds) {
            nth += 1;
        }
        assert!(nth > 30, "{call:?} was called {nth} times");
    }
}

/// Several entries go behind a marker where syncs are asked for, and only there: files of the reference stay what they are.
#[test]
fn markers_are_for_several_entries_that_are_synced() {
    let write = |durability| {
        let device = FaultyDevice::new();
        let backing = DeviceBacking::new(device.clone(), 64 << 10).unwrap();
        let store = Store::open_with(backing, &Options::new().durability(durability)).unwrap();
        let mut tails = vec![store.write(b"single", b"value").unwrap()];
        tails.push(
            store
                .batch_write(&[(b"single in a batch", b"value")])
                .unwrap(),
        );
        tails.push(store.delete(b"single in a batch").unwrap());
        tails.push(store.batch_write(&[(b"a", b"1"), (b"b", b"2")]).unwrap());
        tails.push(store.rename(b"a", b"c").unwrap());
        tails.push(store.batch_delete(&[b"b", b"c"]).unwrap());
        assert_eq!(store.len().unwrap(), 1);
        drop(store);
        (tails, device.bytes())
    };
    let (buffered, plain) = write(Durability::Buffered);
    let (synced, behind_markers) = write(Durability::Sync);
    assert_eq!(buffered[..3], synced[..3]);
    assert!(behind_markers.starts_with(&plain[..usize::try_from(buffered[2]).unwrap()]));
    let marker = tailstone::format::BATCH_HASH.to_le_bytes();
    let markers = |bytes: &[u8]| bytes.windows(8).filter(|at| *at == marker).count();
    assert_eq!((markers(&plain), markers(&behind_markers)), (0, 3));
}
