//! When a medium is told that many entries will be read here and there.

use super::{KEYS, bytes_of, filled, key, parts};
use crate::backing::{Backing, BeforeReads, MemoryBacking, MemoryView};
use crate::{DataStoreReader, DataStoreWriter, MemoryStore, Options, Store};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts how often it was told.
struct Told(MemoryBacking, Arc<AtomicU32>);

impl Backing for Told {
    type View = MemoryView;

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        self.0.read(at, buf)
    }

    fn view(&self, range: Range<u64>) -> io::Result<MemoryView> {
        self.0.view(range)
    }

    fn before_random_reads(&self) -> Option<BeforeReads> {
        let count = Arc::clone(&self.1);
        Some(Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        }))
    }

    fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.0.write(at, parts)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
}

fn opened(bytes: &[u8]) -> (Store<Told>, impl Fn() -> u32 + use<>) {
    let count = Arc::new(AtomicU32::new(0));
    let backing = Told(MemoryBacking::new(), Arc::clone(&count));
    backing.write(0, &[bytes]).unwrap();
    let store = Store::open_with(backing, &Options::new()).unwrap();
    (store, move || count.load(Ordering::Relaxed))
}

#[test]
fn a_medium_is_told_once_and_by_who_searches_much() {
    let store = MemoryStore::new();
    filled(&store);
    let (_store, told) = opened(&bytes_of(&store));
    assert_eq!(told(), 1, "no snapshot: opening is the search");
    assert!(store.snapshot_index().unwrap());
    let bytes = bytes_of(&store);
    let (reopened, told) = opened(&bytes);
    assert!(reopened.recovery_report().index_snapshot.is_some());
    assert_eq!(told(), 0);
    let mut counts: Vec<u32> = Vec::new();
    for n in 0..KEYS {
        reopened.read(&key(n)).unwrap();
        counts.push(told());
    }
    assert_eq!(counts.last(), Some(&1));
    if !cfg!(miri) {
        assert_eq!(counts.first(), Some(&0), "one search is not many");
    }
    // What came behind the snapshot is looked for while opening.
    for n in 0..KEYS {
        store.write(&key(n), b"value").unwrap();
    }
    let (_store, told) = opened(&bytes_of(&store));
    assert_eq!(told(), 1);
}

#[test]
fn a_medium_is_told_before_a_damaged_index_is_mended() {
    let store = MemoryStore::new();
    filled(&store);
    assert!(store.snapshot_index().unwrap());
    let mut bytes = bytes_of(&store);
    let (body, _) = parts(&bytes);
    for at in body.step_by(64) {
        bytes[at] ^= 1;
    }
    let (reopened, told) = opened(&bytes);
    assert_eq!(told(), 0);
    assert!(reopened.read(&key(1)).unwrap().is_some());
    assert_eq!(told(), 1);
}
