//! What is in a group, what it costs, and what each of its members is told.

use super::*;
use crate::backing::device::faulty::{Call as DeviceCall, Fault};
use crate::error::Error;
use crate::format::{BATCH_HASH, FILLER_HASH};
use crate::recovery::Chain;
use crate::{DataStoreReader, DataStoreWriter};
use std::io::ErrorKind;

fn hashes(store: &Held) -> Vec<u64> {
    let generation = store.current.load();
    let chain = Chain::new(&generation.backing, generation.tail());
    let mut hashes: Vec<u64> = chain
        .map(|entry| entry.unwrap().metadata.key_hash)
        .collect();
    hashes.reverse();
    hashes
}

fn key(nth: usize) -> Vec<u8> {
    format!("key {nth}").into_bytes()
}

#[test]
fn who_writes_alone_writes_as_ever() {
    let device = HeldDevice::default();
    let store = store_on(&device);
    let plain = Store::open_with(
        DeviceBacking::new(FaultyDevice::new(), 64 << 10).unwrap(),
        &Options::new(),
    )
    .unwrap();
    device.faulty.reset_counts();
    for nth in 0..20_u8 {
        let key = key(usize::from(nth % 7));
        let tail = store.write(&key, &[nth + 1; 300]).unwrap();
        assert_eq!(tail, plain.write(&key, &[nth + 1; 300]).unwrap());
    }
    for nth in 0..9 {
        // Two of them are not there.
        assert_eq!(
            store.delete(&key(nth)).unwrap(),
            plain.delete(&key(nth)).unwrap()
        );
    }
    assert_eq!(device.faulty.count(DeviceCall::Sync), 27);
    assert_eq!(device.faulty.count(DeviceCall::Write), 27);
    let tail = plain.tail();
    let backing = &plain.current.load().backing;
    assert_eq!(device.faulty.bytes(), backing.device().bytes());
    assert_eq!(tail, device.faulty.bytes().len() as u64);
}

#[test]
fn what_is_synced_is_not_synced_again() {
    let device = HeldDevice::default();
    let backing = DeviceBacking::new(device.clone(), 64 << 10).unwrap();
    let store = Store::open_with(backing, &Options::new()).unwrap();
    let mut before = device.faulty.count(DeviceCall::Sync);
    let mut syncs = || {
        let now = device.faulty.count(DeviceCall::Sync);
        now - std::mem::replace(&mut before, now)
    };
    for value in [b"one", b"two"] {
        store.write(b"key", value).unwrap();
        store.write(b"another", value).unwrap();
        assert_eq!(syncs(), 0);
        store.sync().unwrap();
        store.sync().unwrap();
        assert_eq!(syncs(), 1);
        assert!(device.faulty.is_synced());
    }
    store.write(b"key", b"three").unwrap();
    let fault = Fault::Fail(ErrorKind::Other);
    device.faulty.plan(DeviceCall::Sync, 0, fault);
    store.sync().unwrap_err();
    assert!(matches!(store.sync(), Err(Error::Latched)));
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn a_group_has_one_marker_and_the_next_group_none_to_wait_for() {
    let device = HeldDevice::default();
    let store = store_on(&device);
    device.faulty.reset_counts();
    let write = |range: std::ops::Range<usize>| -> Vec<Call<'_>> {
        let store = &store;
        range
            .map(|nth| {
                let call = move || {
                    let tail = store
                        .write(&key(nth), &[1 + u8::try_from(nth).unwrap(); 100])
                        .unwrap();
                    assert!(tail <= store.tail());
                    let handle = store.read(&key(nth)).unwrap().unwrap();
                    assert_eq!(handle.end_offset() + 20, tail);
                };
                Box::new(call) as Call<'_>
            })
            .collect()
    };
    std::thread::scope(|threads| {
        together_and(&store, &device, write(0..5), || {
            // Past the one in front, and past the marker: now the group's own sync is held, and others come.
            device.let_one_through();
            device.let_one_through();
            for (call, nth) in write(5..10).into_iter().zip(1..) {
                threads.spawn(call);
                until("a place in the queue", || store.group.waiting() == nth);
            }
        });
    });
    // The one in front, the marker, and one for each group.
    assert_eq!(device.faulty.count(DeviceCall::Sync), 4);
    let hashes = hashes(&store);
    let markers = hashes.iter().filter(|hash| **hash == BATCH_HASH).count();
    assert_eq!((markers, hashes.len()), (2, 13));
    assert!(
        !hashes.contains(&FILLER_HASH),
        "groups of one shape need none"
    );
    assert_eq!(store.len().unwrap(), 11);
    assert_eq!(store.live_entries().unwrap().extents.len(), 11);
    // Behind the tail there is a marker for a third group, which goes when the store is closed.
    assert!(device.faulty.bytes().len() as u64 > store.tail());
    let tail = store.tail();
    store.close().unwrap();
    assert_eq!(device.faulty.bytes().len() as u64, tail);
    let store = store_on(&device);
    assert!(store.recovery_report().is_clean());
    assert_eq!(store.len().unwrap(), 11);
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn what_is_announced_and_not_needed_is_filled_or_cut_off() {
    let device = HeldDevice::default();
    let store = store_on(&device);
    let writes = |sizes: &'static [usize]| -> Vec<Call<'_>> {
        let store = &store;
        let write = |(nth, &size): (usize, &usize)| {
            let call = move || {
                store.write(&key(nth), &vec![9; size]).unwrap();
            };
            Box::new(call) as Call<'_>
        };
        sizes.iter().enumerate().map(write).collect()
    };
    together(&store, &device, writes(&[700, 20, 3000, 1]));
    let first = store.tail();
    // The one in front goes alone: the marker is cut off.
    assert!(device.faulty.bytes().len() as u64 > first);
    store.write(b"alone", b"1").unwrap();
    assert_eq!(device.faulty.bytes().len() as u64, store.tail());
    // Behind a group's marker, a smaller group than was announced.
    device.close_gate();
    std::thread::scope(|threads| {
        for sizes in [&[700, 20, 3000, 1][..], &[5, 6]] {
            for (nth, size) in sizes.iter().enumerate() {
                let store = &store;
                threads.spawn(move || store.write(&key(nth), &vec![8; *size]).unwrap());
                until("a place", || {
                    let state = device.gate.state.lock().unwrap();
                    state.inside == 1
                        && store.group.waiting() == nth + usize::from(sizes.len() == 2)
                });
            }
            if sizes.len() == 4 {
                device.let_one_through();
                device.let_one_through();
            }
        }
        device.open_gate();
    });
    assert!(
        hashes(&store).contains(&FILLER_HASH),
        "{:?}",
        hashes(&store)
    );
    let values: Vec<_> = (0..4)
        .map(|nth| store.read(&key(nth)).unwrap().unwrap())
        .collect();
    assert_eq!(values[0].len() + values[1].len(), 11);
    assert_eq!(
        (
            store.len().unwrap(),
            store.live_entries().unwrap().extents.len()
        ),
        (6, 6)
    );
    assert!(store.read(b"tailstone/fill/1").unwrap().is_none());
    store.close().unwrap();
    let store = store_on(&device);
    assert!(
        store.recovery_report().is_clean(),
        "{}",
        store.recovery_report()
    );
    assert_eq!(store.len().unwrap(), 6);
}

/// The second of the colliding keys is refused, one that is not there is not deleted, and the others do not notice.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn each_member_has_its_own_answer() {
    let device = HeldDevice::default();
    let store = store_on(&device);
    let bucket = store.bucket("").unwrap();
    let full = |bytes: &[u8]| [&[0, 0][..], bytes].concat();
    let hash = crate::compute_hash(&full(b"taken"));
    // Another's entry under the hash of a key of the bucket.
    store
        .write_with_key_hash(hash, b"no entry of a bucket")
        .unwrap();
    store.write(b"there", b"value").unwrap();
    bucket.set(b"old", b"value").unwrap();
    let before = store.tail();
    together(
        &store,
        &device,
        vec![
            Box::new(|| assert!(store.write(b"new", b"value").unwrap() > 0)),
            Box::new(|| {
                let error = bucket.set(b"taken", b"value").unwrap_err();
                assert!(matches!(error, Error::HashCollision { key_hash } if key_hash == hash));
            }),
            Box::new(|| assert!(store.delete(b"never there").unwrap() > 0)),
            Box::new(|| assert!(store.delete(b"there").unwrap() > 0)),
            Box::new(|| assert!(bucket.delete(b"old").unwrap())),
            Box::new(|| assert!(!bucket.delete(b"not there").unwrap())),
            Box::new(|| assert!(bucket.set(b"fresh", b"").unwrap() > 0)),
            // What depends on a change of the same group waits for the next.
            Box::new(|| assert!(store.delete(b"new").unwrap() > 0)),
            Box::new(|| {
                let error = store.write(b"tailstone/index/1", b"reserved").unwrap_err();
                assert!(matches!(error, Error::ReservedKey { .. }));
            }),
        ],
    );
    assert!(store.tail() > before);
    for gone in [&b"new"[..], b"there", b"never there"] {
        assert!(store.read(gone).unwrap().is_none());
    }
    assert!(bucket.get(b"old").unwrap().is_none());
    assert_eq!(bucket.get(b"fresh").unwrap().unwrap().as_slice(), b"");
    let taken = store.read_with_key_hash(hash).unwrap().unwrap();
    assert_eq!(taken.as_slice(), b"no entry of a bucket");
    assert_eq!(store.len().unwrap(), 3);
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn a_failed_append_fails_all_members_and_nobody_else() {
    // The marker alone, and the group.
    for failing in [0, 1] {
        let device = HeldDevice::default();
        let store = store_on(&device);
        let fails = |nth: usize| -> Call<'_> {
            let store = &store;
            Box::new(move || {
                let error = store.write(&key(nth), &[7; 2000]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
            })
        };
        let tail = std::sync::atomic::AtomicU64::new(0);
        together_and(&store, &device, (0..4).map(fails).collect(), || {
            tail.store(device.faulty.bytes().len() as u64, Ordering::Relaxed);
            let fault = Fault::Torn(ErrorKind::StorageFull);
            device.faulty.plan(DeviceCall::Write, failing, fault);
        });
        assert_eq!((store.tail(), store.len().unwrap()), (tail.into_inner(), 1));
        assert_eq!(device.faulty.bytes().len() as u64, store.tail());
        store.write(b"goes on", b"value").unwrap();
        drop(store);
        assert_eq!(store_on(&device).len().unwrap(), 2);
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn a_failed_sync_fails_all_members_and_latches() {
    for failing in [1, 2] {
        let device = HeldDevice::default();
        let store = store_on(&device);
        let fails = |nth: usize| -> Call<'_> {
            let store = &store;
            Box::new(move || {
                let error = store.write(&key(nth), b"value").unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
            })
        };
        together_and(&store, &device, (0..4).map(fails).collect(), || {
            let fault = Fault::Fail(ErrorKind::TimedOut);
            device.faulty.plan(DeviceCall::Sync, failing, fault);
        });
        assert_eq!(store.len().unwrap(), 1);
        assert!(matches!(store.write(b"late", b"v"), Err(Error::Latched)));
        assert!(matches!(store.sync(), Err(Error::Latched)));
    }
}

/// While its marker is there, nothing needs to be salvaged whatever comes to the medium of the rest.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn a_group_that_cannot_be_cut_off_keeps_its_marker() {
    let device = HeldDevice::default();
    let store = store_on(&device);
    let fails = |nth: usize| -> Call<'_> {
        let store = &store;
        Box::new(move || drop(store.write(&key(nth), &[7; 900]).unwrap_err()))
    };
    together_and(&store, &device, (0..4).map(fails).collect(), || {
        let fault = Fault::Torn(ErrorKind::TimedOut);
        device.faulty.plan(DeviceCall::Write, 1, fault);
        device.faulty.plan(DeviceCall::SetLen, 0, fault);
    });
    assert_eq!(store.len().unwrap(), 1);
    assert!(matches!(store.write(b"late", b"v"), Err(Error::Latched)));
    assert!(device.faulty.bytes().len() as u64 > store.tail() + 52);
    drop(store);
    for crash in 0..50 {
        let faulty = device.faulty.crash(crash);
        let left = HeldDevice {
            faulty,
            ..HeldDevice::default()
        };
        assert_eq!(store_on(&left).len().unwrap(), 1);
    }
}

/// A backing that panics is somebody's error, but no reason for others to wait for good.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn who_waits_for_a_leader_that_panics_is_told() {
    let device = HeldDevice::default();
    let store = store_on(&device);
    let judge: super::super::Judge<_> = |_, _, _| panic!("on purpose");
    let told = std::sync::atomic::AtomicU64::new(0);
    let write = |nth: usize| -> Call<'_> {
        let (store, told) = (&store, &told);
        Box::new(move || {
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                if store.write(&key(nth), b"value").is_err() {
                    told.fetch_add(1, Ordering::Relaxed);
                }
            }));
            told.fetch_add(u64::from(panicked.is_err()), Ordering::Relaxed);
        })
    };
    let panics: Call<'_> = Box::new(|| {
        let request = super::super::Request::judged(1, super::super::Change::Delete, judge, b"");
        assert!(store.commit_shared(&request).is_err());
    });
    together(&store, &device, vec![write(0), panics, write(1)]);
    assert_eq!(told.into_inner(), 2);
    store.write(b"goes on", b"value").unwrap();
    assert_eq!(store.len().unwrap(), 2);
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn what_is_large_goes_alone() {
    let long = vec![1; super::super::SHARED_BYTES + 1];
    let device = HeldDevice::default();
    let store = store_on(&device);
    device.close_gate();
    std::thread::scope(|threads| {
        threads.spawn(|| store.write(b"first", b"value").unwrap());
        device.wait_for_a_sync();
        let large = threads.spawn(|| store.write(b"large", &long));
        let small = threads.spawn(|| store.write(b"small", &long[1..]));
        until("a place in the queue", || store.group.waiting() == 1);
        device.open_gate();
        large.join().unwrap().unwrap();
        small.join().unwrap().unwrap();
    });
    assert_eq!(store.len().unwrap(), 3);
    assert!(!hashes(&store).contains(&BATCH_HASH));
}
