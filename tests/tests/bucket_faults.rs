//! Buckets and atomic batches on a device whose n-th call fails, tears, shortens or is interrupted, for every n: an error and the
//! state before, or the state after; never a part.

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
use tailstone::recovery::Outcome;
use tailstone::{Batch, DataStoreReader, DataStoreWriter, Durability, Error, Options, Store};

type Faulty = Store<DeviceBacking<FaultyDevice>>;
type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// So small that what was written before has to be read from the device.
const CACHE: usize = 4 << 10;

fn open(device: &FaultyDevice, durability: Durability) -> Result<Faulty, Error> {
    let backing = DeviceBacking::new(device.clone(), CACHE).map_err(|source| Error::Io {
        doing: "ask the device for its length",
        source,
    })?;
    Store::open_with(backing, &Options::new().durability(durability))
}

/// One thing done to a store.
type Step = fn(&Faulty) -> Result<(), Error>;

const STEPS: [Step; 12] = [
    |store| store.write(b"plain", &[1; 3000]).map(drop),
    |store| store.bucket("b")?.set(b"one", &[2; 5000]).map(drop),
    |store| store.bucket("b")?.set(b"empty", b"").map(drop),
    |store| store.bucket("b")?.increment(b"count", 7).map(drop),
    |store| {
        let pairs: [(&[u8], &[u8]); 3] = [(b"one", b"1"), (b"two", &[4; 6000]), (b"three", b"3")];
        store.bucket("b")?.set_many(&pairs).map(drop)
    },
    |store| store.bucket("b")?.delete(b"empty").map(drop),
    |store| store.bucket("b")?.increment(b"count", -3).map(drop),
    |store| {
        let mut batch = Batch::new();
        batch
            .put(b"plain", vec![6; 2000])
            .put(b"other", vec![7; 9000])
            .delete(b"nothing");
        store.commit(&batch).map(drop)
    },
    |store| {
        let keys: [&[u8]; 3] = [b"two", b"three", b"never there"];
        store.bucket("b")?.delete_many(&keys).map(drop)
    },
    |store| {
        let bucket = store.bucket("b")?;
        bucket
            .compare_and_swap(b"one", Some(b"1"), Some(&[8; 300]))
            .map(drop)
    },
    |store| store.bucket("")?.set_until(b"soon", b"gone", 1).map(drop),
    |store| store.bucket("b")?.put_if(b"new", b"value", None).map(drop),
];

/// Which of them are all or nothing.
const BATCHES: [usize; 3] = [4, 7, 8];

/// Everything that can be asked for.
fn content(store: &Faulty) -> Model {
    let mut content = Model::new();
    for key in [&b"plain"[..], b"other"] {
        if let Some(value) = store.read(key).unwrap() {
            content.insert(key.to_vec(), value.as_slice().to_vec());
        }
    }
    let bucket = store.bucket("b").unwrap();
    for key in [&b"one"[..], b"empty", b"count", b"two", b"three", b"new"] {
        if let Some(value) = bucket.get(key).unwrap() {
            content.insert([b"b/", key].concat(), value.as_slice().to_vec());
        }
    }
    assert!(!store.bucket("").unwrap().exists(b"soon").unwrap());
    content
}

/// What is there after each step, none first.
fn states() -> Vec<Model> {
    let store = open(&FaultyDevice::new(), Durability::Buffered).unwrap();
    let mut states = vec![Model::new()];
    for step in STEPS {
        step(&store).unwrap();
        states.push(content(&store));
    }
    states
}

/// All steps with one fault; whether it came to happen.
fn run(states: &[Model], durability: Durability, call: Call, nth: u64, fault: Fault) -> bool {
    let what = format!("{durability:?} {call:?} {nth} {fault:?}");
    let device = FaultyDevice::new();
    let store = open(&device, durability).unwrap();
    device.reset_counts();
    device.plan(call, nth, fault);
    let mut failed_at = None;
    for (at, step) in STEPS.iter().enumerate() {
        let before = (store.tail(), device.bytes().len() as u64);
        if let Err(error) = step(&store) {
            assert!(matches!(error, Error::Io { .. }), "{what}: {error}");
            assert_eq!(store.tail(), before.0, "{what}");
            assert!(device.bytes().len() as u64 >= before.0, "{what}: shortened");
            failed_at = Some(at);
            break;
        }
    }
    let fired = device.count(call) > nth;
    device.heal();
    let harmless = matches!(fault, Fault::Short | Fault::Interrupted);
    let Some(at) = failed_at else {
        // A fault that nobody was told of did no harm.
        assert!(
            !fired || harmless || call == Call::SetLen,
            "{what}: no word of it"
        );
        assert_eq!(&content(&store), states.last().unwrap(), "{what}");
        return fired;
    };
    assert!(!harmless, "{what}: failed");
    assert_eq!(content(&store), states[at], "{what}: a failed step shows");

    // As it is after the end of the process, of the power, and of a clean close.
    let left = open(&FaultyDevice::from_bytes(&device.bytes()), durability);
    let whole = |store: &Faulty| {
        let found = content(store);
        found == states[at] || call == Call::Sync && found == states[at + 1]
    };
    if at > 0 || left.is_ok() {
        assert!(whole(&left.unwrap()), "{what}: what is left behind");
    }
    if durability == Durability::Sync {
        for seed in 0..6 {
            match open(&device.crash(seed), durability) {
                Ok(crashed) => {
                    let found = content(&crashed);
                    let report = crashed.recovery_report();
                    let fine = found == states[at] || found == states[at + 1];
                    // A single entry may be there but for its payload, which is then said. Of a batch nothing counts so.
                    let said = report.outcome == Outcome::DamagedLastPayload;
                    let fine = fine || said && !BATCHES.contains(&at);
                    assert!(fine, "{what}, seed {seed}: {report}");
                }
                Err(Error::NotAStore { .. }) if at == 0 => {}
                Err(error) => panic!("{what}, seed {seed}: {error}"),
            }
        }
    }
    // It goes on, unless a sync failed: then it does once it was opened again.
    let latched = matches!(store.write(b"plain", b"next"), Err(Error::Latched));
    assert_eq!(latched, call == Call::Sync, "{what}");
    drop(store);
    let store = open(&device, durability).unwrap();
    let found = content(&store);
    if !latched {
        assert_eq!(
            found.get(&b"plain"[..]).map(Vec::as_slice),
            Some(&b"next"[..])
        );
    }
    for step in &STEPS[at..] {
        step(&store).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    fired
}

#[test]
fn every_call_fails_once() {
    let states = states();
    let faults = [
        Fault::Fail(ErrorKind::Other),
        Fault::Torn(ErrorKind::StorageFull),
        Fault::Short,
        Fault::Interrupted,
    ];
    for durability in [Durability::Buffered, Durability::Sync] {
        for call in [Call::Read, Call::Write, Call::Sync] {
            for fault in faults {
                let mut nth = 0;
                while run(&states, durability, call, nth, fault) {
                    nth += 1;
                }
                println!("{durability:?} {call:?} {fault:?}: {nth} calls");
                let never = durability == Durability::Buffered && call == Call::Sync;
                assert!(never || nth > 5, "{call:?} was hardly ever called");
            }
        }
    }
}

/// A device that is full at every length: each step fails or not, as a whole, and all of them go through once there is room.
#[test]
fn full_at_every_length() {
    let states = states();
    let device = FaultyDevice::new();
    let store = open(&device, Durability::Buffered).unwrap();
    for step in STEPS {
        step(&store).unwrap();
    }
    let length = store.tail();
    drop(store);
    for limit in (0..length).step_by(if cfg!(debug_assertions) { 97 } else { 13 }) {
        let device = FaultyDevice::new();
        let store = open(&device, Durability::Buffered).unwrap();
        device.limit(limit);
        let failed = STEPS.iter().position(|step| step(&store).is_err());
        let at = failed.expect("there was no room for all");
        assert_eq!(content(&store), states[at], "full at {limit}");
        let left = FaultyDevice::from_bytes(&device.bytes());
        if at > 0 {
            let left = open(&left, Durability::Buffered).unwrap();
            assert_eq!(content(&left), states[at], "full at {limit}");
        }
        device.limit(u64::MAX);
        for step in &STEPS[at..] {
            step(&store).unwrap();
        }
        assert_eq!(&content(&store), states.last().unwrap());
    }
}
