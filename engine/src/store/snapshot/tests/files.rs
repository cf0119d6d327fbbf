//! Snapshots in files: written when they are due, and used where they lie.

use crate::backing::device::DeviceBacking;
use crate::backing::device::faulty::{Call, Fault, FaultyDevice};
use crate::{DataStore, DataStoreReader, DataStoreWriter, Durability, Options, Store};

/// Enough keys for a snapshot of its own accord, its pages mapped privately.
#[test]
#[cfg_attr(miri, ignore = "maps files")]
fn closing_writes_one_when_it_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsl");
    let value = [7; 100];
    let names: Vec<[u8; 4]> = (0..70_000_u32).map(u32::to_le_bytes).collect();
    let pairs: Vec<(&[u8], &[u8])> = names.iter().map(|name| (&name[..], &value[..])).collect();
    let store = DataStore::open(&path).unwrap();
    store.batch_write(&pairs[..60_000]).unwrap();
    store.close().unwrap();
    let store = DataStore::open(&path).unwrap();
    assert_eq!(store.recovery_report().index_snapshot, None, "too few keys");
    store.batch_write(&pairs[60_000..]).unwrap();
    let tail = store.tail();
    store.close().unwrap();
    for read_only in [true, false] {
        let store = DataStore::options()
            .read_only(read_only)
            .open(&path)
            .unwrap();
        assert_eq!(store.recovery_report().index_snapshot, Some(tail));
        assert_eq!(store.len().unwrap(), 70_000);
        for name in &names {
            assert_eq!(store.read(name).unwrap().unwrap().as_slice(), value);
        }
        let before = store.tail();
        if !read_only {
            for name in names.iter().step_by(2) {
                store.write(name, b"newer").unwrap();
            }
        }
        let written = store.tail() > before;
        store.close().unwrap();
        assert_eq!(written, !read_only);
    }
    let store = DataStore::open(&path).unwrap();
    assert_eq!(
        store.recovery_report().index_snapshot,
        Some(tail),
        "too little was written to be worth another one"
    );
    for (n, name) in names.iter().enumerate() {
        let wanted: &[u8] = if n % 2 == 0 { b"newer" } else { &value };
        assert_eq!(store.read(name).unwrap().unwrap().as_slice(), wanted);
    }
    // A compaction leaves snapshots behind.
    store.compact().unwrap();
    let tail = store.tail();
    assert_eq!(store.stats().compaction_savings, 0);
    store.close().unwrap();
    let store = DataStore::open(&path).unwrap();
    assert_eq!(store.recovery_report().index_snapshot, Some(tail));
    drop(store);
    let store = DataStore::options().snapshots(false).open(&path).unwrap();
    let before = store.tail();
    store.batch_write(&pairs).unwrap();
    store.close().unwrap();
    let len = std::fs::metadata(&path).unwrap().len();
    assert!(len < before + 70_000 * 128 + 64, "none is written either");
}

/// A store whose sync had failed wrote a snapshot over a batch that might have been on the medium: it did not open again.
#[test]
#[cfg_attr(miri, ignore = "thousands of keys")]
fn closing_a_latched_store_writes_nothing() {
    let device = FaultyDevice::new();
    let options = Options::new().durability(Durability::Sync);
    let backing = DeviceBacking::new(device.clone(), 64 << 10).unwrap();
    let store = Store::open_with(backing, &options).unwrap();
    let names: Vec<[u8; 4]> = (0..70_000_u32).map(u32::to_le_bytes).collect();
    let pairs: Vec<(&[u8], &[u8])> = names.iter().map(|name| (&name[..], &[7; 60][..])).collect();
    store.batch_write(&pairs).unwrap();
    device.reset_counts();
    // The marker is synced, what follows it is not.
    device.plan(Call::Sync, 1, Fault::Fail(std::io::ErrorKind::Other));
    assert!(store.batch_write(&pairs[..3000]).is_err());
    device.reset_counts();
    assert!(store.close().is_err());
    assert_eq!(
        (device.count(Call::Write), device.count(Call::SetLen)),
        (0, 0)
    );
    for seed in 0..5 {
        let backing = DeviceBacking::new(device.crash(seed), 64 << 10).unwrap();
        let store = Store::open_with(backing, &options).unwrap();
        assert_eq!(store.len().unwrap(), 70_000);
    }
}
