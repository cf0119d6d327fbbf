//! What gathering promises: a plain device's bytes with fewer calls, space before acceptance, and nothing lost by a failed drain.

use super::*;
use crate::backing::conformance;
use crate::backing::device::DeviceBacking;
use crate::backing::device::faulty::{Call, Fault, FaultyDevice};
use crate::backing::device::seeded::Seeded;
use crate::{Error, Options, Store};
use std::io::ErrorKind;

fn over(device: &FaultyDevice) -> WriteBehind<FaultyDevice> {
    WriteBehind::new(device.clone()).unwrap()
}

fn backing(device: &FaultyDevice, cache: usize) -> DeviceBacking<WriteBehind<FaultyDevice>> {
    DeviceBacking::new(over(device), cache).unwrap()
}

fn writes_and_syncs(device: &FaultyDevice) -> [u64; 2] {
    let counts = [Call::Write, Call::Sync].map(|call| device.count(call));
    device.reset_counts();
    counts
}

fn read_all(device: &impl Device) -> Vec<u8> {
    let mut bytes = vec![0xee; usize::try_from(device.len().unwrap()).unwrap()];
    let mut at = 0;
    while at < bytes.len() {
        let read = retry(|| device.read_at(at as u64, &mut bytes[at..])).unwrap();
        assert_ne!(read, 0, "no bytes at {at} of {}", bytes.len());
        at += read;
    }
    bytes
}

#[test]
fn keeps_the_contract() {
    for cache in [0, 100_000] {
        conformance::backing(&mut || backing(&FaultyDevice::new(), cache));
        #[cfg(not(target_family = "wasm"))]
        conformance::concurrent_readers(&mut || backing(&FaultyDevice::new(), cache));
    }
    let short = &mut || {
        let device = FaultyDevice::new();
        device.always_short(5);
        backing(&device, 50_000)
    };
    conformance::backing(short);
}

/// Against plain bytes, while calls of the device beneath fail, do less, or are interrupted.
#[test]
fn is_the_bytes_that_were_written_whatever_fails_beneath() {
    let rounds = if cfg!(miri) { 20 } else { 400 };
    for seed in 0..if cfg!(miri) { 2 } else { 40 } {
        let mut random = Seeded::new(seed);
        let device = FaultyDevice::new();
        if seed % 4 == 0 {
            device.always_short(seed);
        }
        let behind = over(&device);
        let mut model: Vec<u8> = Vec::new();
        for round in 0..rounds {
            let at_place = format!("seed {seed}, round {round}");
            if seed % 2 == 1 && random.below(4) == 0 {
                let call = [Call::Write, Call::SetLen, Call::Sync, Call::Len][random.len_below(4)];
                let fault = [
                    Fault::Fail(ErrorKind::Other),
                    Fault::Torn(ErrorKind::StorageFull),
                    Fault::Short,
                    Fault::Interrupted,
                ];
                device.plan(call, random.below(3), fault[random.len_below(4)]);
            }
            match random.below(16) {
                0 => {
                    let _fails_maybe = behind.drain();
                }
                1 => {
                    if retry(|| behind.sync()).is_ok() {
                        assert!(device.bytes().starts_with(&model), "{at_place}");
                        assert_eq!(behind.unsynced(), 0);
                    }
                }
                2 => {
                    let len = random.len_below(model.len() + 3_000);
                    if behind.set_len(len as u64).is_ok() {
                        model.resize(len, 0);
                    }
                }
                3 => {
                    let start = random.len_below(model.len() + 10);
                    let mut buf = vec![0xee; random.len_below(9_000)];
                    let read = retry(|| behind.read_at(start as u64, &mut buf)).unwrap();
                    let expected = model.get(start..).unwrap_or_default();
                    assert_eq!(buf[..read], expected[..read], "{at_place}");
                    assert_eq!(read == 0, expected.is_empty() || buf.is_empty());
                }
                4 => {
                    let _fails_maybe = behind.trim();
                }
                _ => {
                    let at = match random.below(8) {
                        0 => random.len_below(model.len() + 1),
                        1 => model.len() + random.len_below(700),
                        _ => model.len(),
                    };
                    let size = [30, 2_000, 300_000, LONGEST_GATHERED * 2][match random.below(60) {
                        0 => 3,
                        1 | 2 => 2,
                        3..20 => 1,
                        _ => 0,
                    }];
                    let len = random.len_below(size);
                    let bytes = random.bytes(len);
                    if let Ok(written) = retry(|| behind.write_at(at as u64, &bytes)) {
                        if written > 0 {
                            let end = at + written;
                            model.resize(model.len().max(end), 0);
                            model[at..end].copy_from_slice(&bytes[..written]);
                        }
                    } else {
                        // What lies past `at` is undefined then, until it is cut.
                        model.resize(model.len().max(at), 0);
                        device.heal();
                        behind.set_len(at as u64).unwrap();
                        model.truncate(at);
                    }
                }
            }
            if round % 7 == 0 {
                assert!(read_all(&behind) == model, "{at_place}");
            }
        }
        device.heal();
        behind.trim().unwrap();
        behind.sync().unwrap();
        assert!(device.bytes() == model, "seed {seed}");
        // After a failed sync nothing is sure any more.
        assert!(seed % 2 == 1 || device.is_synced());
    }
}

#[test]
fn small_writes_are_one_write_when_they_are_flushed() {
    let device = FaultyDevice::new();
    let store = Store::open_with(backing(&device, 1 << 20), &Options::new()).unwrap();
    let bucket = store.bucket("b").unwrap();
    device.reset_counts();
    for key in 0..5_000_u32 {
        bucket.set(&key.to_le_bytes(), &[7; 100]).unwrap();
    }
    assert_eq!(writes_and_syncs(&device), [0, 0]);
    assert_eq!(
        *bucket.get(&9_u32.to_le_bytes()).unwrap().unwrap(),
        [7; 100]
    );
    store.sync().unwrap();
    assert_eq!(writes_and_syncs(&device), [1, 1]);
}

#[test]
fn what_does_not_fit_sends_the_rest_on() {
    let device = FaultyDevice::new();
    let behind = over(&device);
    let piece = vec![1; LONGEST_GATHERED];
    for at in 0..4 {
        behind.write_at(at << 20, &piece).unwrap();
    }
    assert_eq!(device.count(Call::Write), 0);
    behind.write_at(4 << 20, b"one more").unwrap();
    assert_eq!(device.count(Call::Write), 1);
    let end = (4 << 20) + 8;
    behind
        .write_at(end, &vec![2; LONGEST_GATHERED + 1])
        .unwrap();
    assert_eq!(device.count(Call::Write), 3, "what waits, and the long one");
    behind.with_gathered(|_, bytes| assert!(bytes.is_empty()));
    behind.write_at(end + (1 << 20) + 1, &[3; 100]).unwrap();
    let before = device.count(Call::SetLen);
    for nth in 100..1_000 {
        behind.write_at(end + (1 << 20) + 1 + nth, b"x").unwrap();
    }
    assert_eq!(
        device.count(Call::SetLen),
        before,
        "space is reserved ahead"
    );
}

#[test]
fn a_full_medium_refuses_the_write_and_loses_nothing() {
    let device = FaultyDevice::new();
    device.limit(100_000);
    let store = Store::open_with(backing(&device, 1 << 20), &Options::new()).unwrap();
    let bucket = store.bucket("b").unwrap();
    let mut kept = 0_u32;
    let refused = loop {
        match bucket.set(&kept.to_le_bytes(), &[7; 3_000]) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), ErrorKind::StorageFull);
    assert!(kept > 20, "up to the last byte: {kept}");
    store.sync().unwrap();
    let reopened = Store::open_with(backing(&device.crash(1), 0), &Options::new()).unwrap();
    assert_eq!(
        reopened.bucket("b").unwrap().len().unwrap(),
        u64::from(kept)
    );
    // Nothing stands in the way of what fits.
    bucket.set(b"small", b"value").unwrap();
    device.heal();
    bucket.set(b"large", &vec![1; 200_000]).unwrap();
    store.close().unwrap();
}

/// A private window's files take a longer length and do not grow.
#[test]
fn a_medium_that_only_says_that_it_grew_refuses_too() {
    #[derive(Debug)]
    struct Fixed(FaultyDevice);
    impl Device for Fixed {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }
        fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read_at(at, buf)
        }
        fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
            self.0.write_at(at, buf)
        }
        fn set_len(&self, _: u64) -> io::Result<()> {
            Ok(())
        }
        fn sync(&self) -> io::Result<()> {
            self.0.sync()
        }
    }
    let behind = WriteBehind::new(Fixed(FaultyDevice::new())).unwrap();
    let refused = behind.write_at(0, b"bytes").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::StorageFull);
    assert_eq!(behind.len().unwrap(), 0);
}

#[test]
fn a_failed_drain_keeps_the_bytes_and_is_tried_again() {
    let device = FaultyDevice::new();
    let behind = over(&device);
    behind.write_at(0, b"hello ").unwrap();
    behind.write_at(6, b"world").unwrap();
    for fault in [
        Fault::Fail(ErrorKind::StorageFull),
        Fault::Torn(ErrorKind::Other),
    ] {
        device.plan(Call::Write, 0, fault);
        assert!(behind.drain().is_err());
        assert_eq!(read_all(&behind), b"hello world");
        behind.write_at(11, b"!").unwrap();
        behind.set_len(11).unwrap();
    }
    assert_eq!(behind.unsynced(), 13);
    behind.sync().unwrap();
    assert_eq!(behind.unsynced(), 0);
    assert_eq!(device.bytes(), b"hello world");
}

#[test]
fn a_failed_drain_leaves_the_store_as_it_is_and_a_failed_sync_latches_it() {
    let device = FaultyDevice::new();
    let store = Store::open_with(backing(&device, 1 << 20), &Options::new()).unwrap();
    let drain = || store.current.load().backing.device().drain();
    let bucket = store.bucket("b").unwrap();
    bucket.set(b"k", b"1").unwrap();
    device.plan(Call::Write, 0, Fault::Fail(ErrorKind::StorageFull));
    assert!(drain().is_err());
    bucket.set(b"k", b"2").unwrap();
    drain().unwrap();
    store.sync().unwrap();
    bucket.set(b"k", b"3").unwrap();
    device.plan(Call::Sync, 0, Fault::Fail(ErrorKind::Other));
    assert!(store.sync().is_err());
    assert!(matches!(bucket.set(b"k", b"4"), Err(Error::Latched)));
    assert_eq!(*bucket.get(b"k").unwrap().unwrap(), *b"3");
}

#[test]
fn what_was_reserved_and_never_used_is_an_empty_store() {
    let device = FaultyDevice::new();
    let store = Store::open_with(backing(&device, 1 << 20), &Options::new()).unwrap();
    store.bucket("b").unwrap().set(b"k", b"v").unwrap();
    drop(store);
    assert_ne!(device.bytes().len(), 0);
    let store = Store::open_with(backing(&device, 1 << 20), &Options::new()).unwrap();
    assert_eq!((store.tail(), device.bytes().len()), (0, 0));
}
