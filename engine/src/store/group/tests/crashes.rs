//! The power goes at any moment: of what was not synced any sectors are there. The store opens, has all that was acknowledged, and
//! is a beginning of the one that would have come to be, to the byte, without a part of a group.
//!
//! `TAILSTONE_ROUNDS` makes it longer, `TAILSTONE_SEED` another.

use super::*;
use crate::backing::Backing;
use crate::backing::device::faulty::{Call as DeviceCall, Fault};
use crate::backing::device::seeded::Seeded;
use crate::error::Error;
use crate::format::BATCH_HASH;
use crate::recovery::{Chain, Outcome};
use crate::{Batch, DataStoreWriter};
use std::io::ErrorKind;
use std::sync::atomic::AtomicUsize;

fn from_environment(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

fn key(random: &mut Seeded) -> Vec<u8> {
    format!("key {}", random.below(12)).into_bytes()
}

/// Mostly small, sometimes of a length that ends or starts with a sector, sometimes of many.
fn value(random: &mut Seeded) -> Vec<u8> {
    let len = match random.below(8) {
        0 => 0,
        1 => 491,
        2 => 1003,
        3 => random.len_below(6000),
        _ => random.len_below(300),
    };
    let mut value = random.bytes(len + 1);
    value[0] |= 1;
    value
}

/// What one thread does that may go into a group.
fn single(store: &Held, seed: u64) -> u64 {
    let mut random = Seeded::new(seed);
    let bucket = store.bucket("bucket").unwrap();
    let (key, value) = (key(&mut random), value(&mut random));
    match random.below(6) {
        0 => store.delete(&key).unwrap(),
        1 => bucket.set(&key, &value).unwrap(),
        2 => {
            bucket.delete(&key).unwrap();
            0
        }
        _ => store.write(&key, &value).unwrap(),
    }
}

/// What goes alone.
fn alone(store: &Held, random: &mut Seeded) -> u64 {
    let pairs: Vec<_> = (0..random.below(9))
        .map(|_| (key(random), value(random)))
        .collect();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(key, value)| (&key[..], &value[..]))
        .collect();
    match random.below(6) {
        0 | 1 => store.batch_write(&pairs).unwrap(),
        2 => {
            let keys: Vec<_> = pairs.iter().map(|(key, _)| *key).collect();
            store.batch_delete(&keys).unwrap()
        }
        3 => match store.rename(&key(random), b"renamed") {
            Err(Error::KeyNotFound) => 0,
            renamed => renamed.unwrap(),
        },
        4 => {
            let mut batch = Batch::new();
            for (key, value) in pairs {
                batch.put(key, value);
            }
            store.commit(&batch).unwrap()
        }
        _ => store
            .write_stream(&key(random), &mut &value(random)[..])
            .unwrap(),
    }
}

/// A script of groups, of groups behind groups, and of what goes alone; each change of the device is crashed.
fn run(seed: u64, steps: usize, device: &HeldDevice) {
    let store = store_on(device);
    let mut random = Seeded::new(seed);
    let at_work = AtomicUsize::new(0);
    let acknowledge = |tail| {
        device
            .witness
            .acknowledged
            .fetch_max(tail, Ordering::SeqCst)
    };
    let is_held = || device.gate.state.lock().unwrap().inside == 1;
    std::thread::scope(|threads| {
        for _ in 0..steps {
            if at_work.load(Ordering::SeqCst) == 0 {
                device.open_gate();
                if random.below(3) > 0 {
                    acknowledge(alone(&store, &mut random));
                    continue;
                }
                device.close_gate();
            }
            for _ in 0..random.below(6).max(u64::from(!is_held())) {
                let (place, is_first) = (store.group.waiting() + 1, !is_held());
                let seed = random.next();
                at_work.fetch_add(1, Ordering::SeqCst);
                let (store, at_work) = (&store, &at_work);
                threads.spawn(move || {
                    acknowledge(single(store, seed));
                    at_work.fetch_sub(1, Ordering::SeqCst);
                });
                until("a thread to get to its place", || {
                    if is_first {
                        is_held() || at_work.load(Ordering::SeqCst) == 0
                    } else {
                        store.group.waiting() == place
                    }
                });
            }
            if is_held() {
                device.let_one_in();
                until("the next sync, or the end", || {
                    is_held() || at_work.load(Ordering::SeqCst) == 0
                });
            }
        }
        device.open_gate();
    });
    store.close().unwrap();
}

/// Where entries end, and from where to where groups reach.
fn anatomy(device: &FaultyDevice) -> (Vec<u64>, Vec<(u64, u64)>) {
    let backing = DeviceBacking::new(device.clone(), 64 << 10).unwrap();
    let tail = Backing::len(&backing).unwrap();
    let (mut ends, mut groups) = (vec![0], Vec::new());
    for entry in Chain::new(&backing, tail) {
        let entry = entry.unwrap();
        ends.push(entry.end());
        if entry.metadata.key_hash == BATCH_HASH {
            let mut payload = [0; 32];
            backing.read(entry.payload_offset, &mut payload).unwrap();
            let marker = crate::format::BatchMarker::deserialize(entry.payload_offset, &payload);
            let end = entry.end() + marker.unwrap().length;
            assert!(ends.contains(&end), "a batch ends where no entry does");
            groups.push((entry.metadata.prev_offset, end));
        }
    }
    (ends, groups)
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
#[cfg_attr(miri, ignore = "thousands of crashes")]
fn no_loss_of_power_costs_more_than_what_was_not_acknowledged() {
    let seed = from_environment("TAILSTONE_SEED", 71);
    let rounds = from_environment(
        "TAILSTONE_ROUNDS",
        if cfg!(debug_assertions) { 2 } else { 6 },
    );
    let (mut torn, mut grouped, mut damaged) = (0, 0_u64, 0);
    for round in seed..seed + rounds {
        let device = HeldDevice::default();
        device.witness.crashes.store(3, Ordering::Relaxed);
        run(round, 60, &device);
        let whole = device.faulty.bytes();
        let (ends, groups) = anatomy(&device.faulty);
        grouped += u64::try_from(groups.len()).unwrap();
        for (nth, left) in (0..).zip(device.witness.left.lock().unwrap().drain(..)) {
            let what = format!("TAILSTONE_SEED={round}: {}", left.what);
            let store = match open(&left.device) {
                Ok(store) => store,
                // A part of the first entry there ever was.
                Err(Error::NotAStore { .. }) if left.acknowledged == 0 => continue,
                Err(error) => panic!("{what}: {error}"),
            };
            let report = store.recovery_report();
            torn += u64::from(report.outcome == Outcome::TornBatch);
            let bytes = left.device.bytes();
            let mut tail = store.tail();
            let is_a_beginning = |tail| {
                let length = usize::try_from(tail).unwrap();
                bytes[..length] == whole[..length]
            };
            if !is_a_beginning(tail) {
                // One entry alone, not acknowledged: with another payload, which FORMAT.md has kept and reported, or with
                // another key's hash, which no checksum covers.
                damaged += 1;
                let generation = store.current.load();
                let last = Chain::new(&generation.backing, tail).next();
                tail = last.unwrap().unwrap().metadata.prev_offset;
            }
            assert!(is_a_beginning(tail), "{what}: {report}");
            assert!(tail >= left.acknowledged, "{what}: {report}");
            assert!(ends.contains(&tail), "{what}: {report}");
            let cut = groups
                .iter()
                .find(|(start, end)| (start + 1..*end).contains(&tail));
            assert_eq!(cut, None, "{what}: {report}");
            if nth % 7 == 0 {
                goes_on(&left.device, &store, nth, &what);
            }
        }
    }
    println!("{grouped} groups, {torn} torn, {damaged} single entries damaged");
    assert!(grouped > 5 * rounds && torn > 20 * rounds);
}

fn open(device: &FaultyDevice) -> Result<Store<DeviceBacking<FaultyDevice>>, Error> {
    let backing = DeviceBacking::new(device.clone(), 64 << 10).unwrap();
    Store::open_with(backing, &options())
}

/// Two batches more, the second of which is not synced, and the power goes again.
fn goes_on(
    device: &FaultyDevice,
    store: &Store<DeviceBacking<FaultyDevice>>,
    seed: u64,
    what: &str,
) {
    let value = Seeded::new(seed).bytes(1500);
    let batch = [(&b"one"[..], &value[..]), (b"two", &value[..500])];
    let tail = store.batch_write(&batch).unwrap();
    let fault = Fault::Fail(ErrorKind::Other);
    device.plan(DeviceCall::Sync, seed % 2, fault);
    store.batch_write(&batch).unwrap_err();
    for crash in 0..3 {
        let again =
            open(&device.crash(seed + crash)).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(again.tail() >= tail, "{what}, and again");
    }
}
