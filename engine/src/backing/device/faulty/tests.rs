//! The faults happen as planned, and a crash takes what it may take and nothing else.

use super::*;
use std::io::ErrorKind;

#[test]
fn faults_happen_at_the_call_they_are_planned_for() {
    let device = FaultyDevice::from_bytes(b"0123456789");
    device.plan(Call::Read, 1, Fault::Fail(ErrorKind::TimedOut));
    device.plan(Call::Read, 2, Fault::Interrupted);
    device.plan(Call::Read, 3, Fault::Short);
    device.plan(Call::Len, 0, Fault::Torn(ErrorKind::Other));
    let mut buf = [0; 8];
    let mut read = || device.read_at(2, &mut buf).map_err(|error| error.kind());
    assert_eq!(read(), Ok(8));
    assert_eq!(read(), Err(ErrorKind::TimedOut));
    device.reset_counts();
    assert_eq!(read(), Err(ErrorKind::Interrupted));
    assert!((1..8).contains(&read().unwrap()));
    assert_eq!(read(), Ok(8));
    assert_eq!(device.count(Call::Read), 3);
    assert_eq!(device.len().unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(device.len().unwrap(), 10);
}

#[test]
fn a_torn_write_does_a_part_and_a_full_device_what_fits() {
    let device = FaultyDevice::new();
    let mut lengths = Vec::new();
    for _ in 0..50 {
        device.set_len(0).unwrap();
        device.plan(Call::Write, 0, Fault::Torn(ErrorKind::BrokenPipe));
        assert_eq!(
            device.write_at(0, &[1; 10]).unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        lengths.push(device.bytes().len());
    }
    assert_eq!(
        (lengths.iter().min(), lengths.iter().max()),
        (Some(&0), Some(&9))
    );
    device.set_len(0).unwrap();
    device.limit(6);
    assert_eq!(device.write_at(0, b"abcdefgh").unwrap(), 6);
    assert_eq!(
        device.write_at(6, b"gh").unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    assert!(device.set_len(7).is_err());
    device.heal();
    assert_eq!(device.write_at(6, b"gh").unwrap(), 2);
    assert_eq!(device.bytes(), b"abcdefgh");
}

#[test]
fn a_crash_takes_unsynced_sectors_and_nothing_else() {
    let device = FaultyDevice::new();
    device.write_at(0, &[1; 2_000]).unwrap();
    device.sync().unwrap();
    assert!(device.is_synced());
    device.write_at(1_800, &[2; 2_000]).unwrap();
    let (mut all, mut none, mut holes) = (0, 0, 0);
    for seed in 0..400 {
        let left = device.crash(seed).bytes();
        assert!(
            left.len() >= 2_000 && left[..1_800] == [1; 1_800],
            "seed {seed}"
        );
        for (at, byte) in left.iter().enumerate().skip(1_800) {
            assert!(
                *byte == 2 || *byte == u8::from(at < 2_000),
                "seed {seed}: byte {at}"
            );
        }
        let new: usize = left.iter().map(|byte| usize::from(*byte == 2)).sum();
        all += usize::from(new == 2_000);
        none += usize::from(new == 0);
        holes += usize::from(left.last() == Some(&2) && new < 2_000);
    }
    assert!(all > 0 && none > 0 && holes > 0, "{all} {none} {holes}");
    assert_eq!(device.bytes().len(), 3_800);
}

#[test]
fn what_a_failed_sync_should_have_kept_stays_in_doubt() {
    let device = FaultyDevice::new();
    device.write_at(0, b"lost?").unwrap();
    device.plan(Call::Sync, 0, Fault::Fail(ErrorKind::Other));
    device.sync().unwrap_err();
    device.write_at(5, b"kept").unwrap();
    device.sync().unwrap();
    let left: Vec<Vec<u8>> = (0..50).map(|seed| device.crash(seed).bytes()).collect();
    assert!(left.contains(&b"lost?kept".to_vec()) && left.contains(&b"\0\0\0\0\0kept".to_vec()));
    assert!(left.iter().all(|left| left.ends_with(b"kept")));
    assert!(!device.is_synced());
}
