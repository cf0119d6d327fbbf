//! The directory beside writers: that it is current, what it gives up, what a compaction does to it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use super::{MANY, MOST};
use crate::backing::device::faulty::{Call, Fault, FaultyDevice};
use crate::backing::device::{Device, DeviceBacking};
use crate::backing::{Backing, MemoryBacking};
use crate::{
    DataStoreReader, DataStoreWriter, Durability, Error, KeyPage, MemoryStore, Options, Store,
    compute_hash,
};
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

fn listed<B: Backing>(store: &Store<B>, name: &str) -> Vec<String> {
    let bucket = store.bucket(name).unwrap();
    let keys: Vec<String> = bucket
        .iter_keys(b"")
        .map(|key| String::from_utf8(key.unwrap()).unwrap())
        .collect();
    assert_eq!(bucket.len().unwrap(), keys.len() as u64);
    assert_eq!(bucket.is_empty().unwrap(), keys.is_empty());
    keys
}

fn waiting<B: Backing>(store: &Store<B>) -> usize {
    store.directory.waiting().events.len()
}

#[test]
fn nothing_is_recorded_before_it_is_asked_for() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    bucket.set(b"2", b"v").unwrap();
    assert!(store.directory.recorder().is_none() && waiting(&store) == 0);
    assert_eq!(listed(&store, "b"), ["2"]);
    bucket.set(b"1", b"v").unwrap();
    bucket.set(b"2", b"again").unwrap();
    bucket.set_many(&[(b"3", b""), (b"4", b"")]).unwrap();
    assert_eq!(waiting(&store), 4);
    bucket.delete(b"3").unwrap();
    assert_eq!(listed(&store, "b"), ["1", "2", "4"]);
    assert_eq!(waiting(&store), 0);
}

/// Whatever changes an entry of a bucket, also in ways that know nothing of buckets.
#[test]
fn only_what_carries_its_key_is_listed() {
    let (store, other) = (MemoryStore::new(), MemoryStore::new());
    for build_first in [false, true] {
        let name = format!("bucket {build_first}");
        let bucket = store.bucket(&name).unwrap();
        if build_first {
            assert!(listed(&store, &name).is_empty());
        }
        store.write(b"plain", b"value").unwrap();
        for key in ["overwritten", "deleted", "kept", "moved", "renamed"] {
            bucket.set(key.as_bytes(), b"v").unwrap();
        }
        let full = |key: &str| crate::format::full_key(name.as_bytes(), key.as_bytes());
        store
            .write(&full("overwritten"), b"a plain value of that hash")
            .unwrap();
        store.delete(&full("deleted")).unwrap();
        store.transfer(&full("moved"), &other).unwrap();
        // The key that lies behind the value is no longer the entry's.
        store.rename(&full("renamed"), b"elsewhere").unwrap();
        assert_eq!(listed(&store, &name), ["kept"]);
        assert_eq!(listed(&other, &name), ["moved"]);
        other.copy(&full("moved"), &store).unwrap();
        // The bytes of an entry under their own hash are that entry.
        let payload = store.read(b"elsewhere").unwrap().unwrap();
        store
            .write_with_key_hash(compute_hash(&full("renamed")), &payload)
            .unwrap();
        assert_eq!(listed(&store, &name), ["kept", "moved", "renamed"]);
        assert!(bucket.exists(b"renamed").unwrap());
        // Back again over the plain value is refused, and once that is gone it is not.
        assert!(bucket.set(b"overwritten", b"v").is_err());
        store.delete(&full("overwritten")).unwrap();
        bucket.set(b"overwritten", b"v").unwrap();
        assert_eq!(
            listed(&store, &name),
            ["kept", "moved", "overwritten", "renamed"]
        );
    }
    assert_eq!(
        store.buckets().unwrap(),
        [b"bucket false".to_vec(), b"bucket true".to_vec()]
    );
}

#[test]
fn pages_go_on_behind_the_last_key() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    for n in 0..30 {
        bucket.set(format!("k{n:02}").as_bytes(), b"v").unwrap();
        bucket.set(format!("x{n:02}").as_bytes(), b"v").unwrap();
    }
    let page = |cursor: Option<&[u8]>| bucket.keys(b"k", cursor, 10).unwrap();
    let first = page(None);
    assert_eq!(first.keys.len(), 10);
    assert_eq!(first.cursor.as_deref(), Some(&b"k09"[..]));
    // The cursor's own key goes, one behind comes, one before comes.
    bucket.delete(b"k09").unwrap();
    bucket.set(b"k091", b"v").unwrap();
    bucket.set(b"k05x", b"v").unwrap();
    store.compact().unwrap();
    let second = page(first.cursor.as_deref());
    assert_eq!(second.keys[0], b"k091");
    assert_eq!(second.keys[9], b"k18");
    let third = page(second.cursor.as_deref());
    let fourth = page(third.cursor.as_deref());
    assert_eq!(fourth.keys, [b"k29".to_vec()]);
    assert_eq!(fourth.cursor, None);
    // A page that is full has no cursor either if nothing comes behind it.
    assert_eq!(bucket.keys(b"k2", None, 10).unwrap().cursor, None);
    assert_eq!(bucket.keys(b"k", None, 0).unwrap().keys.len(), 1);
    assert_eq!(
        bucket.keys(b"nothing", None, 9).unwrap(),
        KeyPage::default()
    );
    assert_eq!(page(Some(b"z")), KeyPage::default());
    assert_eq!(page(Some(b"a")).keys[0], b"k00");
    let none = store.bucket("none").unwrap();
    assert!(none.is_empty().unwrap() && none.iter_keys(b"").next().is_none());
    assert_eq!(bucket.clear().unwrap(), 61);
    assert_eq!(bucket.clear().unwrap(), 0);
    assert!(store.buckets().unwrap().is_empty() && store.is_empty().unwrap());
}

#[test]
fn what_expired_is_not_listed() {
    static NOW: AtomicU64 = AtomicU64::new(1000);
    let options = Options::new().clock(|| NOW.load(Ordering::Relaxed));
    let store = Store::open_with(MemoryBacking::new(), &options).unwrap();
    let bucket = store.bucket("b").unwrap();
    for n in 0..400_u64 {
        let until = [0, 1500, 2000][usize::try_from(n % 3).unwrap()];
        bucket
            .set_until(format!("{n:03}").as_bytes(), b"v", until)
            .unwrap();
    }
    assert_eq!(listed(&store, "b").len(), 400);
    NOW.store(1500, Ordering::Relaxed);
    assert_eq!(listed(&store, "b").len(), 267);
    // One that would have expired is kept on, one expires sooner.
    assert!(bucket.set_expiry(b"002", None).unwrap());
    assert!(bucket.set_expiry(b"000", Some(1)).unwrap());
    assert!(!bucket.set_expiry(b"001", None).unwrap());
    NOW.store(2000, Ordering::Relaxed);
    let left = listed(&store, "b");
    assert_eq!(left[..3], ["002", "003", "006"]);
    assert_eq!(left.len(), 134);
    // What a compaction drops does not come back, not even if the clock does.
    store.compact().unwrap();
    NOW.store(0, Ordering::Relaxed);
    assert_eq!(listed(&store, "b"), left);
    NOW.store(2000, Ordering::Relaxed);
    bucket.set_until(b"003", b"v", 2000).unwrap();
    assert_eq!(bucket.clear().unwrap(), 133);
    // Cleared with the others, though it had no value any more.
    NOW.store(0, Ordering::Relaxed);
    assert!(bucket.is_empty().unwrap());
}

#[test]
fn events_that_are_many_are_applied_by_the_writer_or_given_up() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    assert!(listed(&store, "b").is_empty());
    let write = |count: usize| {
        for n in 0..count {
            bucket
                .set(&(n % 2000).to_be_bytes(), &n.to_le_bytes())
                .unwrap();
            assert!(waiting(&store) <= MOST);
        }
    };
    write(MANY + 2);
    assert_eq!(waiting(&store), 2);
    // While somebody else holds the directory they wait, up to a point.
    let held = store.directory.keys();
    write(MOST - 10);
    assert!(waiting(&store) > MANY);
    write(20);
    assert!(store.directory.recorder().is_none() && waiting(&store) == 0);
    drop(held);
    assert_eq!(bucket.len().unwrap(), 2000);
    assert!(store.directory.recorder().is_some());
    bucket.delete(&7_usize.to_be_bytes()).unwrap();
    assert_eq!(bucket.len().unwrap(), 1999);
}

/// Entries lie in another place after a compaction, and what waited was of the place before.
#[test]
fn a_compaction_applies_what_waits_before_it_switches() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    for n in 0..50 {
        bucket.set(format!("{n:02}").as_bytes(), b"v").unwrap();
    }
    assert_eq!(listed(&store, "b").len(), 50);
    for n in (0..50).step_by(2) {
        bucket.delete(format!("{n:02}").as_bytes()).unwrap();
    }
    bucket.set(b"new", b"v").unwrap();
    assert_eq!(waiting(&store), 26);
    store.compact().unwrap();
    assert!(waiting(&store) == 0 && store.directory.recorder().is_some());
    bucket.delete(b"01").unwrap();
    assert_eq!(listed(&store, "b").len(), 25);
    store.compact().unwrap();
    assert_eq!(listed(&store, "b").len(), 25);
}

#[test]
fn a_medium_that_fails_makes_an_error_and_never_a_wrong_list() {
    for failing in 0..40 {
        let device = FaultyDevice::new();
        // No cache to speak of: keys are read from the device.
        let backing = DeviceBacking::new(device.clone(), 0).unwrap();
        let store = Store::open_with(backing, &Options::new()).unwrap();
        let bucket = store.bucket("b").unwrap();
        for n in 0..10 {
            bucket.set(format!("{n}").as_bytes(), &[7; 300]).unwrap();
        }
        let fail = |nth: u64| {
            device.plan(Call::Read, nth, Fault::Fail(ErrorKind::Other));
        };
        fail(failing);
        let built = bucket.len();
        assert!(matches!(built, Ok(10) | Err(Error::Io { .. })), "{built:?}");
        device.heal();
        assert_eq!(listed(&store, "b").len(), 10);
        bucket.delete(b"3").unwrap();
        bucket.set(b"x", b"v").unwrap();
        fail(failing / 8);
        let caught_up = bucket.keys(b"", None, 100);
        assert!(caught_up.is_err() || caught_up.unwrap().keys.len() == 10);
        device.heal();
        let left = ["0", "1", "2", "4", "5", "6", "7", "8", "9", "x"];
        assert_eq!(listed(&store, "b"), left);
    }
}

/// A device whose syncs, once that is wanted, last until somebody says so.
struct Slow {
    device: FaultyDevice,
    waits: AtomicBool,
    begun: Mutex<mpsc::Sender<()>>,
    go_on: Mutex<mpsc::Receiver<()>>,
}

impl Device for Slow {
    fn len(&self) -> io::Result<u64> {
        self.device.len()
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.device.read_at(at, buf)
    }

    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
        self.device.write_at(at, buf)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.device.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        if self.waits.load(Ordering::SeqCst) {
            self.begun.lock().unwrap().send(()).unwrap();
            self.go_on.lock().unwrap().recv().unwrap();
        }
        self.device.sync()
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn a_list_does_not_wait_for_a_sync() {
    let (begun, has_begun) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let slow = Slow {
        device: FaultyDevice::new(),
        waits: AtomicBool::new(false),
        begun: Mutex::new(begun),
        go_on: Mutex::new(may_go_on),
    };
    let backing = DeviceBacking::new(slow, 1 << 16).unwrap();
    let options = Options::new().durability(Durability::Sync);
    let store = Store::open_with(backing, &options).unwrap();
    let bucket = store.bucket("b").unwrap();
    bucket.set(b"before", b"v").unwrap();
    assert_eq!(listed(&store, "b"), ["before"]);
    bucket.set(b"waiting", b"v").unwrap();
    let device = &store.current.load_full();
    let waits = &device.backing.device().waits;
    waits.store(true, Ordering::SeqCst);
    thread::scope(|scope| {
        scope.spawn(|| bucket.set(b"later", b"v").unwrap());
        has_begun.recv().unwrap();
        assert_eq!(listed(&store, "b"), ["before", "waiting"]);
        waits.store(false, Ordering::SeqCst);
        go_on.send(()).unwrap();
    });
    assert_eq!(listed(&store, "b"), ["before", "later", "waiting"]);
}

/// Measured, and stated in the documents.
#[test]
#[cfg_attr(any(miri, debug_assertions), ignore = "a million keys")]
fn memory_for_a_million_keys() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    for n in 0..1_000_000_u64 {
        let scattered = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bucket
            .set(format!("user:{scattered:019x}").as_bytes(), b"v")
            .unwrap();
    }
    assert_eq!(bucket.keys(b"", None, 1).unwrap().keys[0].len(), 24);
    let bytes = store.with_keys(super::KeyDirectory::memory_bytes).unwrap();
    println!("{bytes} bytes for 1,000,000 keys of 24 bytes");
    assert!(bytes < 24_000_000);
}
