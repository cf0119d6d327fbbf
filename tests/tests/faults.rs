//! A device that fails, tears, shortens or interrupts its n-th call, for every n: an error, nothing of the failed
//! operation visible, nothing else lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::collections::BTreeMap;
use std::io::ErrorKind;
use tailstone::backing::device::DeviceBacking;
use tailstone::backing::device::faulty::{Call, Fault, FaultyDevice};
use tailstone::{DataStoreReader, DataStoreWriter, Error, Options, Store};
use tailstone_tests::{Operation, Rng, script};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;
type Faulty = Store<DeviceBacking<FaultyDevice>>;

/// A cache so small that reading what was written touches the device.
const CACHE: usize = 8 << 10;

fn open(device: &FaultyDevice) -> Result<Faulty, Error> {
    let backing = DeviceBacking::new(device.clone(), CACHE).map_err(Error::from_device)?;
    Store::open_with(backing, &Options::new())
}

/// Only to have one error type in these tests.
trait FromDevice {
    fn from_device(source: std::io::Error) -> Self;
}

impl FromDevice for Error {
    fn from_device(source: std::io::Error) -> Self {
        Self::Io {
            doing: "ask the device for its length",
            source,
        }
    }
}

fn apply(store: &Faulty, operation: &Operation) -> Result<u64, Error> {
    match operation {
        Operation::Write(key, value) => store.write(key, value),
        Operation::Batch(entries) => {
            let entries: Vec<(&[u8], &[u8])> =
                entries.iter().map(|(k, v)| (&k[..], &v[..])).collect();
            store.batch_write(&entries)
        }
        Operation::Stream(key, value) => store.write_stream(key, &mut &value[..]),
        Operation::Delete(key) => store.delete(key),
        Operation::BatchDelete(keys) => {
            store.batch_delete(&keys.iter().map(|key| &key[..]).collect::<Vec<_>>())
        }
        Operation::Rename(from, to) => match store.rename(from, to) {
            Err(Error::KeyNotFound) => Ok(store.tail()),
            other => other,
        },
    }
}

fn apply_to_model(model: &mut Model, operation: &Operation) {
    match operation {
        Operation::Write(key, value) | Operation::Stream(key, value) => {
            drop(model.insert(key.clone(), value.clone()));
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

fn check(store: &Faulty, model: &Model, what: &str) {
    assert_eq!(store.len().unwrap(), model.len(), "{what}");
    for (key, value) in model {
        let read = store
            .read(key)
            .unwrap()
            .unwrap_or_else(|| panic!("{what}: a value is gone"));
        assert_eq!(read.as_slice(), value, "{what}");
    }
}

/// Runs the script with one fault planned; whatever comes of it, what was acknowledged is there, now and after reopening.
fn run(operations: &[Operation], call: Call, nth: u64, fault: Fault) -> bool {
    let what = format!("{call:?} {nth} {fault:?}");
    let device = FaultyDevice::new();
    let store = open(&device).unwrap();
    store.write(b"first", b"written before any fault").unwrap();
    let mut model = Model::from([(b"first".to_vec(), b"written before any fault".to_vec())]);
    device.reset_counts();
    device.plan(call, nth, fault);
    let mut failed = false;
    for operation in operations {
        let before = store.tail();
        match apply(&store, operation) {
            Ok(_) => apply_to_model(&mut model, operation),
            Err(error) => {
                failed = true;
                assert!(matches!(error, Error::Io { .. }), "{what}: {error}");
                assert_eq!(store.tail(), before, "{what}");
                check(&store, &model, &what);
            }
        }
    }
    let fired = device.count(call) > nth;
    device.heal();
    check(&store, &model, &what);
    drop(store);
    let store = open(&device).unwrap_or_else(|error| panic!("{what}: {error}"));
    check(&store, &model, &what);
    let harmless = matches!(fault, Fault::Short | Fault::Interrupted);
    assert!(
        !fired || failed != harmless,
        "{what}: fired but failed is {failed}"
    );
    fired
}

#[test]
fn every_call_fails_once() {
    let mut rng = Rng::from_environment("every_call_fails_once", 61);
    let operations = script(&mut rng, 50);
    let faults = [
        Fault::Fail(ErrorKind::Other),
        Fault::Torn(ErrorKind::StorageFull),
        Fault::Short,
        Fault::Interrupted,
    ];
    for call in [Call::Read, Call::Write] {
        for fault in faults {
            let mut nth = 0;
            while run(&operations, call, nth, fault) {
                nth += 1;
            }
            println!("{call:?} {fault:?}: {nth} calls");
            assert!(nth > 5, "{call:?} was hardly ever called");
        }
    }
}

#[test]
fn opening_survives_or_reports_every_fault_and_never_shortens_the_device() {
    let mut rng = Rng::from_environment("opening_survives_or_reports", 62);
    let device = FaultyDevice::new();
    let store = open(&device).unwrap();
    let mut model = Model::new();
    for operation in &script(&mut rng, 80) {
        apply(&store, operation).unwrap();
        apply_to_model(&mut model, operation);
    }
    store.close().unwrap();
    let whole = device.bytes();
    for torn in [false, true] {
        let mut bytes = whole.clone();
        if torn {
            bytes.extend_from_slice(b"the beginning of a write that was never finished");
        }
        let mut nth = 0;
        loop {
            let device = FaultyDevice::from_bytes(&bytes);
            device.plan(Call::Read, nth, Fault::Fail(ErrorKind::Other));
            let opened = open(&device);
            let fired = device.count(Call::Read) > nth;
            device.heal();
            match opened {
                Ok(store) => {
                    assert!(!fired, "read {nth} failed and nobody said so");
                    check(&store, &model, "after opening");
                    break;
                }
                Err(error) => {
                    assert!(matches!(error, Error::Io { .. }), "{error}");
                    assert_eq!(device.bytes(), bytes, "a failed read changed the device");
                }
            }
            nth += 1;
        }
        assert!(nth > 0);
    }
}

#[test]
fn a_full_device_refuses_and_goes_on_when_there_is_room() {
    let device = FaultyDevice::new();
    let store = open(&device).unwrap();
    store.write(b"kept", &[7; 1000]).unwrap();
    device.limit(device.bytes().len() as u64 + 500);
    for _ in 0..3 {
        let error = store.write(b"too much", &[8; 2000]).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        assert!(!store.exists(b"too much").unwrap());
    }
    store.write(b"small", &[9; 100]).unwrap();
    assert_eq!(store.read(b"small").unwrap().unwrap(), [9; 100]);
    device.limit(u64::MAX);
    store.write(b"too much", &[8; 2000]).unwrap();
    store.close().unwrap();
    let store = open(&device).unwrap();
    assert_eq!(store.len().unwrap(), 3);
    assert_eq!(store.read(b"too much").unwrap().unwrap(), [8; 2000]);
}

/// A call that fails leaves nothing behind the tail: whole entries of a batch that was refused in its middle would be taken for
/// committed ones by the next opening, and would go on from an entry that ends where the first of them did.
#[test]
fn a_batch_that_fails_in_its_middle_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("refused.tsl");
    let store = tailstone::DataStore::open(&path).unwrap();
    store.write(b"kept", b"value").unwrap();
    let tail = store.tail();
    let keys: Vec<[u8; 8]> = (0..2000_u64).map(u64::to_le_bytes).collect();
    for (wrong, key, value) in [
        (0, &b"a key"[..], &b""[..]),
        (600, b"tailstone/index/1", b"a reserved key"),
        (1500, b"tailstone/batch/1", b"another"),
        (1999, b"a key", b"\0"),
    ] {
        let mut entries: Vec<(&[u8], &[u8])> =
            keys.iter().map(|key| (&key[..], &b"a batch"[..])).collect();
        entries[wrong] = (key, value);
        let error = store.batch_write(&entries).unwrap_err();
        assert!(
            matches!(
                error,
                Error::ReservedKey { .. } | Error::EmptyPayload | Error::ReservedPayload
            ),
            "{error}"
        );
        assert_eq!(store.tail(), tail);
        let bytes = std::fs::read(&path).unwrap();
        let behind = &bytes[usize::try_from(tail).unwrap()..];
        assert!(
            behind.iter().all(|&byte| byte == 0),
            "wrong in place {wrong}"
        );
    }
    // As a process that ends here would leave it.
    let copy = folder.path().join("left.tsl");
    std::fs::copy(&path, &copy).unwrap();
    let left = tailstone::DataStore::open(&copy).unwrap();
    assert_eq!((left.len().unwrap(), left.tail()), (1, tail));
}

/// The device fails in the middle of a write, and when the rest is to be cut off as well. What was left is cut off before the
/// next write, so that nothing of it comes back, whatever that write is.
#[test]
fn what_a_failed_write_left_is_cut_off_before_the_next() {
    let device = FaultyDevice::new();
    let store = open(&device).unwrap();
    store.write(b"kept", b"value").unwrap();
    let tail = store.tail();
    // All of the write reaches the device but its last bytes.
    let whole = [b"wanted".as_slice(), b"left behind"].map(|key| (key, [5_u8; 100]));
    let batch: Vec<(&[u8], &[u8])> = whole
        .iter()
        .map(|(key, value)| (*key, &value[..]))
        .collect();
    device.limit(tail + 250);
    device.plan(
        Call::SetLen,
        device.count(Call::SetLen),
        Fault::Fail(ErrorKind::Other),
    );
    assert!(matches!(
        store.batch_write(&batch).unwrap_err(),
        Error::Io { .. }
    ));
    assert_eq!(store.tail(), tail);
    assert!(
        device.bytes().len() as u64 > tail,
        "the fault did not happen"
    );
    device.limit(u64::MAX);
    device.heal();
    store.write(b"next", &[6; 100]).unwrap();
    let bytes = device.bytes();
    assert_eq!(bytes.len() as u64, store.tail(), "something is left behind");
    let reopened = open(&FaultyDevice::from_bytes(&bytes)).unwrap();
    assert_eq!(reopened.len().unwrap(), 2);
    assert!(!reopened.exists(b"left behind").unwrap() && !reopened.exists(b"wanted").unwrap());
}

#[test]
fn a_failed_sync_latches_the_store_until_it_is_reopened() {
    let device = FaultyDevice::new();
    let store = open(&device).unwrap();
    store.write(b"before", b"value").unwrap();
    device.reset_counts();
    device.plan(Call::Sync, 0, Fault::Fail(ErrorKind::Other));
    assert!(matches!(store.sync().unwrap_err(), Error::Io { .. }));
    assert!(matches!(
        store.write(b"after", b"value").unwrap_err(),
        Error::Latched
    ));
    assert!(matches!(
        store.delete(b"before").unwrap_err(),
        Error::Latched
    ));
    assert!(matches!(store.sync().unwrap_err(), Error::Latched));
    assert_eq!(store.read(b"before").unwrap().unwrap(), b"value");
    drop(store);
    device.heal();
    let store = open(&device).unwrap();
    store.write(b"after", b"value").unwrap();
    store.sync().unwrap();
}

/// With `Durability::Sync`, what was acknowledged is there after any crash, and what was not is there whole or not at all.
#[test]
fn synced_writes_survive_a_crash() {
    use tailstone::Durability;
    let mut rng = Rng::from_environment("synced_writes_survive_a_crash", 63);
    let operations = script(&mut rng, 40);
    let device = FaultyDevice::new();
    let options = Options::new().durability(Durability::Sync);
    let backing = DeviceBacking::new(device.clone(), CACHE).unwrap();
    let store = Store::open_with(backing, &options).unwrap();
    let mut model = Model::new();
    for operation in &operations {
        apply(&store, operation).unwrap();
        apply_to_model(&mut model, operation);
        for _ in 0..5 {
            let after = open(&device.crash(rng.next_u64())).unwrap();
            check(&after, &model, "after a crash");
        }
    }
}
