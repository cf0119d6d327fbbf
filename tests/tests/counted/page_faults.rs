//! Pages that the system has to put in place while a thread reads or writes.

use std::path::Path;

use nix::sys::resource::{UsageWho, getrusage};
use tailstone::{DataStore, DataStoreReader, DataStoreWriter};

use super::{fill, filled, folder, is_ext4, is_stored_to, key, shuffled, without_snapshots};

const KEYS: u64 = 100_000;
/// What a record takes in the file.
const RECORD: u64 = 192;
/// The system puts pages in place by so much at a time where they are in memory, unless it was told otherwise.
const AROUND: u64 = 64 << 10;
const PAGE: u64 = 4 << 10;

/// Whether the file system takes pages of many sizes here, so that what was written together comes together: ext4 since Linux 6.16.
fn has_large_pages(folder: &Path) -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    let mut next = || numbers.next().and_then(|number| number.parse().ok());
    let version: (u32, u32) = (next().unwrap_or(0), next().unwrap_or(0));
    version >= (6, 16) && is_ext4(folder)
}

/// Faults of this thread during `work` that needed no medium.
fn faults(work: impl FnOnce()) -> i64 {
    let now = || {
        getrusage(UsageWho::RUSAGE_THREAD)
            .unwrap()
            .minor_page_faults()
    };
    let before = now();
    work();
    now() - before
}

#[test]
fn reads_fault_once_for_many_pages() {
    let folder = folder();
    let path = filled(&folder, KEYS);
    let keys = shuffled(KEYS);
    let mut store = None;
    let opening = faults(|| store = Some(DataStore::open(&path).unwrap()));
    let store = store.unwrap();
    let read_all = || {
        for key in &keys {
            assert_eq!(store.read(key).unwrap().unwrap().len(), 150);
        }
    };
    let (cold, warm) = (faults(read_all), faults(read_all));
    let reader = store.reader();
    let by_reader = faults(|| {
        for key in &keys {
            assert_eq!(reader.get(key).unwrap().len(), 150);
        }
    });
    // Measured: 1; 49 to 57 where pages are large, otherwise one for each 64 KiB of entries and of the index.
    let most = if has_large_pages(folder.path()) {
        90
    } else {
        i64::try_from(KEYS * (RECORD + 16) / AROUND).unwrap() + 10
    };
    assert!(opening <= 6, "opening: {opening}");
    assert!(
        cold <= most,
        "{KEYS} reads of a store that was just opened: {cold} of {most}"
    );
    assert_eq!((warm, by_reader), (0, 0), "{KEYS} more");
}

#[test]
fn writes_fault_once_for_many_pages() {
    let folder = folder();
    if !is_stored_to(folder.path()) {
        return;
    }
    let store = without_snapshots()
        .open(folder.path().join("store"))
        .unwrap();
    let keys: Vec<_> = (0..KEYS).map(key).collect();
    let single = faults(|| {
        for key in &keys {
            store.write(key, &[7; 150]).unwrap();
        }
    });
    let batches = faults(|| fill(&store, KEYS));
    // Measured: 75 to 175 and 304 to 307, of the index and of the lists that are written from for the most part.
    let each_page = if has_large_pages(folder.path()) {
        0
    } else {
        // One for each, and for those that were made ready and not used: 5,254 in all on tmpfs.
        i64::try_from(KEYS * RECORD / PAGE * 9 / 8).unwrap()
    };
    assert!(
        single <= each_page + 250,
        "{KEYS} single writes: {single}, beside {each_page}"
    );
    assert!(
        batches <= each_page + 350,
        "{KEYS} in batches: {batches}, beside {each_page}"
    );
}
