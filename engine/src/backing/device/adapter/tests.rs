//! What the adapter promises beyond the contract: how few calls it makes, and what faults leave behind.

use super::*;
use crate::backing::conformance;
use crate::backing::device::faulty::{Call, Fault, FaultyDevice};
use crate::backing::device::seeded::Seeded;
use std::io::ErrorKind;

fn over(device: &FaultyDevice, cache: usize) -> DeviceBacking<FaultyDevice> {
    DeviceBacking::new(device.clone(), cache).unwrap()
}

fn calls(device: &FaultyDevice) -> [u64; 5] {
    let counts = [Call::Len, Call::Read, Call::Write, Call::SetLen, Call::Sync]
        .map(|call| device.count(call));
    device.reset_counts();
    counts
}

#[test]
fn keeps_the_contract() {
    for cache in [0, 20_000, 100_000, 4 << 20] {
        conformance::backing(&mut || over(&FaultyDevice::new(), cache));
        #[cfg(not(target_family = "wasm"))]
        conformance::concurrent_readers(&mut || over(&FaultyDevice::new(), cache));
    }
}

#[test]
fn keeps_the_contract_when_every_call_is_short() {
    for seed in [1, 2] {
        let make = &mut || {
            let device = FaultyDevice::new();
            device.always_short(seed);
            over(&device, 50_000)
        };
        conformance::random_ranges(make, seed);
        conformance::nothing_past_the_end(make);
        conformance::rewriting_at_the_tail(make);
    }
}

#[test]
fn a_cold_value_is_one_read_and_a_warm_one_none() {
    let device = FaultyDevice::from_bytes(&Seeded::new(1).bytes(1 << 20));
    let b = over(&device, 1 << 20);
    assert_eq!(calls(&device), [1, 0, 0, 0, 0]);
    b.view(8_128..8_278).unwrap();
    assert_eq!(
        calls(&device),
        [0, 1, 0, 0, 0],
        "150 bytes over the end of a page"
    );
    b.view(8_128..8_278).unwrap();
    b.read(4_096, &mut [0; 8_192]).unwrap();
    assert_eq!(calls(&device), [0; 5], "whole pages are kept");
    b.view(0..40_000).unwrap();
    assert_eq!(
        calls(&device),
        [0, 2, 0, 0, 0],
        "one for each gap around the pages at hand"
    );
    b.view(100_001..165_537).unwrap();
    assert_eq!(calls(&device), [0, 1, 0, 0, 0]);
    b.view(100_001..165_537).unwrap();
    assert_eq!(calls(&device), [0; 5]);
    for _ in 0..2 {
        b.view(100_000..900_000).unwrap();
        assert_eq!(
            calls(&device),
            [0, 1, 0, 0, 0],
            "long ranges are read past the cache"
        );
    }
    b.view((1 << 20) - 20..1 << 20).unwrap();
    assert_eq!(calls(&device), [0, 1, 0, 0, 0], "the last page");
    assert!(b.view((1 << 20) - 20..(1 << 20) + 1).is_err());
    assert_eq!(calls(&device), [0; 5], "the end needs no call");
}

#[test]
fn small_appends_are_one_write_and_are_read_from_memory() {
    let device = FaultyDevice::new();
    let b = over(&device, 1 << 20);
    device.reset_counts();
    b.write(0, &[b"", &[1; 150], &[2; 20]]).unwrap();
    assert_eq!(calls(&device), [0, 0, 1, 0, 0]);
    b.write(170, &[&[0; 22], &[3; 150], &[4; 20]]).unwrap();
    assert_eq!(b.view(0..362).unwrap().len(), 362);
    assert_eq!(b.len().unwrap(), 362);
    assert_eq!(calls(&device), [0, 0, 1, 0, 0]);

    let entry = [7; 100];
    let parts: Vec<&[u8]> = (0..5_000)
        .flat_map(|_| [&[0_u8; 8][..], &entry, &[9; 20]])
        .collect();
    b.write(362, &parts).unwrap();
    b.sync().unwrap();
    assert_eq!(calls(&device), [0, 0, 1, 0, 1], "5,000 values in a batch");
    assert_eq!(
        b.view(362 + 4_999 * 128..362 + 5_000 * 128)
            .unwrap()
            .as_ref(),
        parts[..3].concat()
    );

    let at = b.len().unwrap();
    device.reset_counts();
    b.write(at, &[&[0; 30], &vec![5; 3 << 20], &[6; 20]])
        .unwrap();
    assert_eq!(
        calls(&device),
        [0, 0, 3, 0, 0],
        "a long part is written from where it lies"
    );
    let end = b.len().unwrap();
    assert_eq!(
        b.view(end - 21..end).unwrap().as_ref(),
        [&[5][..], &[6; 20]].concat()
    );
    assert_eq!(calls(&device), [0; 5], "its end is at hand");
    b.write(end, &[&vec![5; 3 << 20]]).unwrap();
    b.truncate(end).unwrap();
    assert_eq!(calls(&device), [0, 0, 1, 1, 0]);
}

#[test]
fn an_append_reads_nothing_and_keeps_the_page_it_goes_on_with() {
    let device = FaultyDevice::from_bytes(&[1; 5_000]);
    let b = over(&device, 1 << 20);
    device.reset_counts();
    b.write(5_000, &[b"abc"]).unwrap();
    b.write(5_003, &[b"def"]).unwrap();
    assert_eq!(b.view(5_000..5_006).unwrap().as_ref(), b"abcdef");
    assert_eq!(calls(&device), [0, 0, 2, 0, 0]);
    assert_eq!(b.view(4_999..5_006).unwrap().as_ref(), b"\x01abcdef");
    assert_eq!(calls(&device), [0, 1, 0, 0, 0]);
    b.write(5_006, &[b"g"]).unwrap();
    assert_eq!(b.view(4_096..5_007).unwrap().len(), 911);
    assert_eq!(calls(&device), [0, 0, 1, 0, 0]);
}

#[test]
fn memory_stays_below_the_capacity() {
    let device = FaultyDevice::from_bytes(&vec![1; 4 << 20]);
    for cache in [0, 10_000, 70_000, 300_000, 1 << 20] {
        let b = over(&device, cache);
        let mut random = Seeded::new(3);
        for _ in 0..500 {
            let (start, len) = (random.below(4 << 20), random.below(80_000));
            b.view(start..(start + len).min(4 << 20)).unwrap();
        }
        let state = b.state();
        let taken = state.cache.taken() + state.fetched.capacity();
        assert!(taken <= cache, "{taken} of {cache}");
        assert!(cache < 70_000 || taken > cache / 2, "{taken} of {cache}");
    }
}

#[test]
fn interrupted_calls_are_made_again() {
    let device = FaultyDevice::from_bytes(&[1; 100]);
    for call in [Call::Len, Call::Read, Call::Write, Call::SetLen, Call::Sync] {
        device.plan(call, 0, Fault::Interrupted);
        device.plan(call, 1, Fault::Interrupted);
    }
    let b = over(&device, 50_000);
    b.view(0..100).unwrap();
    b.write(100, &[b"x"]).unwrap();
    b.truncate(50).unwrap();
    b.sync().unwrap();
    assert_eq!(calls(&device), [3; 5]);
}

#[test]
fn a_failed_write_leaves_what_is_before_it_and_no_invention_behind_it() {
    for (seed, torn) in (0..60).zip(
        [Fault::Torn(ErrorKind::Other), Fault::Fail(ErrorKind::Other)]
            .iter()
            .cycle(),
    ) {
        let mut random = Seeded::new(seed);
        let before = random.bytes(9_000);
        let device = FaultyDevice::from_bytes(&before);
        let b = over(&device, if seed % 3 == 0 { 0 } else { 200_000 });
        b.view(0..9_000).unwrap();
        b.write(9_000, &[&random.bytes(3_000)]).unwrap();
        let nth = random.below(3);
        device.plan(Call::Write, nth, *torn);
        device.always_short(seed);
        let tail = 9_000 + random.below(100);
        let (long, short) = (random.bytes(200_000), random.bytes(300));
        let size = [4, 200, 200_000][random.len_below(3)];
        let failed = b.write(tail, &[&short, &long[..size], b"end"]).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Other);
        device.heal();
        let (len, found) = (b.len().unwrap(), device.bytes());
        assert_eq!(len, found.len() as u64, "seed {seed}");
        assert!(b.view(0..9_000).unwrap().as_ref() == before, "seed {seed}");
        for (start, left) in (0..len)
            .zip(0..)
            .step_by(1_000)
            .map(|(at, index)| (at, &found[index..]))
        {
            let view = b.view(start..len.min(start + 1_500)).unwrap();
            assert!(left.starts_with(&view), "seed {seed}: {start}");
        }
        b.write(tail, &[b"again"]).unwrap();
        assert_eq!(b.view(tail..tail + 5).unwrap().as_ref(), b"again");
    }
}

#[test]
fn a_failed_length_is_asked_for_again() {
    let device = FaultyDevice::from_bytes(&[1; 10]);
    device.plan(Call::Len, 0, Fault::Fail(ErrorKind::Other));
    DeviceBacking::new(device.clone(), 0).unwrap_err();
    let b = over(&device, 100_000);
    device.plan(Call::Write, 0, Fault::Torn(ErrorKind::StorageFull));
    device.plan(Call::Len, 0, Fault::Fail(ErrorKind::TimedOut));
    assert_eq!(
        b.write(10, &[b"more"]).unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    assert_eq!(b.view(0..10).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(b.view(0..10).unwrap().as_ref(), [1; 10]);
    device.plan(Call::SetLen, 0, Fault::Fail(ErrorKind::Other));
    b.truncate(4).unwrap_err();
    assert_eq!(b.len().unwrap(), device.bytes().len() as u64);
    assert_eq!(b.view(0..10).unwrap().as_ref(), [1; 10]);
}

#[test]
fn failed_and_short_reads_leave_the_cache_true() {
    let bytes = Seeded::new(5).bytes(300_000);
    let device = FaultyDevice::from_bytes(&bytes);
    for nth in 0..40 {
        let b = over(&device, 300_000);
        device.always_short(nth);
        device.plan(Call::Read, nth, Fault::Fail(ErrorKind::Other));
        for _ in 0..2 {
            for (start, index) in (0..200_000).zip(0..).step_by(17_000) {
                if let Ok(view) = b.view(start..start + 30_000) {
                    assert!(
                        view.as_ref() == &bytes[index..index + 30_000],
                        "{nth}: {start}"
                    );
                }
            }
        }
        device.heal();
        device.reset_counts();
    }
}

#[test]
fn a_device_that_ends_early_or_takes_nothing_is_an_error() {
    let device = FaultyDevice::from_bytes(&vec![1; 200_000]);
    let b = over(&device, 50_000);
    device.set_len(1_000).unwrap();
    assert_eq!(
        b.view(900..1_100).unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
    assert_eq!(
        b.view(0..200_000).unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
    assert_eq!(b.view(900..1_000).unwrap().as_ref(), [1; 100]);

    let b = DeviceBacking::new(Deaf, 50_000).unwrap();
    assert_eq!(
        b.write(0, &[b"a"]).unwrap_err().kind(),
        ErrorKind::WriteZero
    );
    assert_eq!(b.truncate(10).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(b.len().unwrap(), 0);
}

#[test]
fn offsets_go_past_4_gib() {
    let device = FaultyDevice::new();
    let b = over(&device, 100_000);
    let far = 5 << 30;
    b.truncate(far + 10).unwrap();
    b.write(far + 10, &[b"far ", b"away"]).unwrap();
    let b = over(&device, 100_000);
    assert_eq!(b.len().unwrap(), far + 18);
    assert_eq!(b.view(far + 9..far + 18).unwrap().as_ref(), b"\0far away");
    assert_eq!(
        b.view(far - 4_096..far + 18).unwrap()[4_106..],
        *b"far away"
    );
    assert_eq!(
        b.view((1 << 32) - 1..(1 << 32) + 1).unwrap().as_ref(),
        [0, 0]
    );
    assert!(b.view(far + 18..far + 19).is_err());
    assert!(b.write(u64::MAX - 3, &[b"12345"]).is_err());
    b.truncate(far + 12).unwrap();
    assert_eq!(b.view(far..far + 12).unwrap()[10..], *b"fa");
}

/// Takes everything and keeps nothing.
#[derive(Debug)]
struct Deaf;

impl Device for Deaf {
    fn len(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn read_at(&self, _at: u64, _buf: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn write_at(&self, _at: u64, _buf: &[u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn set_len(&self, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
