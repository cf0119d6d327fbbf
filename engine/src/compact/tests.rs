//! When a compaction is due, and what it tells of its progress.

use super::*;
use crate::backing::device::faulty::FaultyDevice;
use crate::backing::device::seeded::Seeded;
use crate::backing::device::{DeviceBacking, DeviceView};
use crate::{DataStoreReader, DataStoreWriter, MemoryStore, Options};
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// A store of `keys` values of so many bytes, each written `times` over.
fn store(keys: u8, times: u8, length: usize) -> MemoryStore {
    let store = MemoryStore::new();
    for version in 1..=times {
        for key in 0..keys {
            store.write(&[key], &vec![version; length]).unwrap();
        }
    }
    store
}

fn share(store: &MemoryStore) -> f64 {
    let stats = store.stats();
    let of = |bytes: u64| f64::from(u32::try_from(bytes).unwrap());
    of(stats.compaction_savings) / of(stats.file_bytes)
}

#[test]
fn what_saves_nothing_is_left_alone() {
    for store in [MemoryStore::new(), store(20, 1, 100)] {
        let before = store.current.load_full();
        for ratio in [0.0, -0.0, f64::MIN_POSITIVE, 0.5, 1.0] {
            assert!(!store.compact_if(ratio).unwrap(), "{ratio}");
        }
        assert!(Arc::ptr_eq(&before, &store.current.load_full()));
    }
}

#[test]
fn the_threshold_itself_is_enough() {
    for (keys, times, length) in [(10, 4, 100), (1, 2, 3), (3, 7, 1000), (50, 2, 44)] {
        let of = || store(keys, times, length);
        let exact = share(&of());
        assert!(exact > 0.2, "{exact}");
        let just_above = exact.next_up();
        let left = of();
        assert!(!left.compact_if(just_above).unwrap());
        assert_eq!(left.tail(), of().tail());
        for ratio in [0.0, exact.next_down(), exact] {
            let store = of();
            let saved = store.estimate_compaction_savings();
            assert!(store.compact_if(ratio).unwrap(), "{ratio} of {exact}");
            assert_eq!(store.tail(), of().tail() - saved);
            assert_eq!(store.len().unwrap(), usize::from(keys));
            let value = store.read(&[0]).unwrap().unwrap();
            assert_eq!(value.as_slice(), vec![times; length]);
            assert!(!store.compact_if(0.0).unwrap(), "nothing is left to save");
        }
    }
}

#[test]
fn a_store_of_deleted_keys_is_all_dead() {
    let store = store(5, 1, 100);
    for key in 0..5 {
        store.delete(&[key]).unwrap();
    }
    assert!(store.compact_if(1.0).unwrap());
    assert_eq!(store.tail(), 0);
}

#[test]
fn what_is_no_share_is_an_error() {
    let store = store(5, 5, 100);
    let before = store.tail();
    for ratio in [
        f64::NAN,
        -0.1,
        1.0_f64.next_up(),
        30.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ] {
        assert!(
            matches!(store.compact_if(ratio), Err(Error::NotARatio)),
            "{ratio}"
        );
    }
    assert_eq!(store.tail(), before);
    let read_only = Options::new().read_only(true);
    let closed = MemoryStore::open_with(crate::backing::MemoryBacking::new(), &read_only);
    assert!(matches!(
        closed.unwrap().compact_if(1.0),
        Err(Error::ReadOnly)
    ));
}

#[test]
fn progress_counts_live_values() {
    let store = store(12, 2, 1 << 20);
    store.write(b"long", &vec![1; 9 << 20]).unwrap();
    let mut told = Vec::new();
    store
        .compact_with_progress(&mut |done, total| told.push((done, total)))
        .unwrap();
    let total = 21 << 20;
    assert!(told.len() >= 4, "{told:?}");
    assert!(
        told.is_sorted() && told.iter().all(|(_, of)| *of == total),
        "{told:?}"
    );
    assert_eq!(told.last(), Some(&(total, total)));
    let mut told = Vec::new();
    let empty = MemoryStore::new();
    empty
        .compact_with_progress(&mut |done, total| told.push((done, total)))
        .unwrap();
    assert_eq!(told, [(0, 0)]);
}

/// A medium out of memory that can be rewritten, and counts the longest view that was asked of it.
#[derive(Clone)]
struct Disk {
    backing: Arc<DeviceBacking<FaultyDevice>>,
    longest: Arc<AtomicU64>,
}

impl Disk {
    fn new(longest: Arc<AtomicU64>) -> Self {
        let backing = DeviceBacking::new(FaultyDevice::new(), 1 << 20).unwrap();
        Self {
            backing: Arc::new(backing),
            longest,
        }
    }
}

impl Backing for Disk {
    type View = DeviceView;

    fn len(&self) -> io::Result<u64> {
        self.backing.len()
    }
    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        self.backing.read(at, buf)
    }
    fn view(&self, range: Range<u64>) -> io::Result<DeviceView> {
        let len = range.end - range.start;
        self.longest.fetch_max(len, Ordering::Relaxed);
        self.backing.view(range)
    }
    fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.backing.write(at, parts)
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.backing.truncate(len)
    }
    fn sync(&self) -> io::Result<()> {
        self.backing.sync()
    }
}

impl Rewrite for Disk {
    fn create_replacement(&self) -> io::Result<Self> {
        Ok(Self::new(Arc::clone(&self.longest)))
    }
    fn commit_replacement(&self, _: &Self) -> io::Result<()> {
        Ok(())
    }
}

/// A value that is longer than what memory there is was copied in one piece.
#[test]
#[cfg_attr(miri, ignore = "megabytes")]
fn long_values_are_copied_in_pieces() {
    static NOW: AtomicU64 = AtomicU64::new(10);
    let longest = Arc::new(AtomicU64::new(0));
    let options = Options::new().clock(|| NOW.load(Ordering::Relaxed));
    let store = Store::open_with(Disk::new(Arc::clone(&longest)), &options).unwrap();
    let bucket = store.bucket("b").unwrap();
    let long = |seed| Seeded::new(seed).bytes(usize::try_from(GATHER_BYTES).unwrap() + 77_777);
    bucket.set(b"dead", &long(1)).unwrap();
    bucket.set(b"small", b"before").unwrap();
    bucket.set(b"long", &long(2)).unwrap();
    bucket.set_until(b"expired", &long(3), 11).unwrap();
    store.write(b"plain", &long(4)).unwrap();
    bucket.delete(b"dead").unwrap();
    bucket.set(b"late", b"copied before").unwrap();
    NOW.store(11, Ordering::Relaxed);
    longest.store(0, Ordering::Relaxed);
    let mut wrote_meanwhile = false;
    store
        .compact_with_progress(&mut |_, _| {
            if !std::mem::replace(&mut wrote_meanwhile, true) {
                bucket.set(b"small", &long(5)).unwrap();
                bucket.set_until(b"late", &long(6), 11).unwrap();
            }
        })
        .unwrap();
    assert!(wrote_meanwhile);
    let longest = longest.load(Ordering::Relaxed);
    assert!(longest < 10_000, "{longest} bytes in one piece");
    assert!(*bucket.get(b"long").unwrap().unwrap() == long(2)[..]);
    assert!(*bucket.get(b"small").unwrap().unwrap() == long(5)[..]);
    assert!(store.read(b"plain").unwrap().unwrap().as_slice() == long(4));
    assert_eq!(bucket.len().unwrap(), 2);
    for gone in [&b"dead"[..], b"expired", b"late"] {
        assert!(bucket.get(gone).unwrap().is_none());
    }
    let verdict = store.verify(&mut |_, _| {}).unwrap();
    assert!(verdict.is_sound(), "{verdict}");
    let before = store.tail();
    store.compact().unwrap();
    // Only the old value of `small` and the deletion of `late` are left to save.
    assert!(store.tail() <= before);
    assert_eq!(store.estimate_compaction_savings(), 0);
}
