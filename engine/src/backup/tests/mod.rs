//! Backups beside writers and compactions, and brought up to date. Those that are cut short, and what is done with what is
//! at the target's path, have files of their own.

mod interrupted;
mod targets;

use super::BackupReport;
use crate::{DataStore, DataStoreReader, DataStoreWriter};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tempfile::TempDir;

/// A folder with a store, and a name for its backup.
struct Place {
    folder: TempDir,
    store: DataStore,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = DataStore::open(&folder.path().join("source.tsl")).unwrap();
        Self { folder, store }
    }

    /// A store of so many values of 1 MiB, none like the other.
    fn of(values: u8) -> Self {
        let place = Self::new();
        for number in 0..values {
            place.store.write(&[number], &value(number)).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn target(&self) -> PathBuf {
        self.path("backup.tsl")
    }

    fn backup(&self) -> BackupReport {
        self.store.backup(self.target(), &mut |_, _| {}).unwrap()
    }

    /// The store's bytes up to its tail.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = fs::read(self.store.path()).unwrap();
        bytes.truncate(usize::try_from(self.store.tail()).unwrap());
        bytes
    }

    fn assert_same(&self) {
        let copied = fs::read(self.target()).unwrap();
        assert!(copied == self.bytes(), "{} bytes copied", copied.len());
        assert!(self.partial().is_none(), "a partial file is left");
    }

    /// The partial file of an attempt that did not end.
    fn partial(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        paths.find(|path| path.to_str().unwrap().ends_with(".tailstone-backup"))
    }

    /// Starts a backup and ends it, as a crash would, once `bytes` are done.
    fn interrupt_at(&self, bytes: u64) {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            self.store.backup(self.target(), &mut |done, _| {
                assert!(done < bytes, "interrupted on purpose");
            })
        }));
        assert!(ended.is_err(), "came to its end before {bytes} bytes");
    }
}

fn value(number: u8) -> Vec<u8> {
    let mut value = vec![number; 1 << 20];
    value[..8].copy_from_slice(&u64::from(number).wrapping_mul(0x9e37_79b9).to_le_bytes());
    value
}

fn report(copied_bytes: u64, present_bytes: u64) -> BackupReport {
    BackupReport {
        copied_bytes,
        present_bytes,
        tail: copied_bytes + present_bytes,
    }
}

fn length_of(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn a_first_backup_is_the_store_to_the_byte() {
    let place = Place::of(11);
    place.store.write(&[3], b"newer").unwrap();
    place.store.delete(&[4]).unwrap();
    let mut told = Vec::new();
    let done = place
        .store
        .backup(place.target(), &mut |done, total| told.push((done, total)))
        .unwrap();
    let tail = place.store.tail();
    assert_eq!(done, report(tail, 0));
    assert_eq!(told.last(), Some(&(tail, tail)));
    assert!(told.len() > 2, "{told:?}");
    assert!(told.is_sorted());
    place.assert_same();
    let copy = DataStore::open_existing(&place.target()).unwrap();
    assert_eq!(copy.len().unwrap(), 10);
    assert!(copy.read(&[4]).unwrap().is_none());
    assert_eq!(copy.read(&[3]).unwrap().unwrap().as_slice(), b"newer");
    assert!(copy.read(&[10]).unwrap().unwrap().as_slice() == value(10));
}

#[test]
fn an_empty_store_has_an_empty_backup() {
    let place = Place::new();
    let mut told = Vec::new();
    let done = place
        .store
        .backup(place.target(), &mut |done, total| told.push((done, total)));
    assert_eq!(done.unwrap(), report(0, 0));
    assert_eq!(told, [(0, 0)]);
    assert_eq!(length_of(&place.target()), 0);
    // From an empty file on, there is no earlier store to append to.
    place.store.write(b"key", b"value").unwrap();
    assert_eq!(place.backup(), report(place.store.tail(), 0));
    place.assert_same();
}

#[cfg(unix)]
#[test]
fn a_read_only_store_is_copied_with_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::of(1);
    let path = place.store.path();
    let Place { folder, store } = place;
    store.close().unwrap();
    // A torn tail stays where it is, in the source and out of the backup.
    let mut bytes = fs::read(&path).unwrap();
    let tail = u64::try_from(bytes.len()).unwrap();
    bytes.extend(b"torn");
    fs::write(&path, &bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    let store = DataStore::options().read_only(true).open(&path).unwrap();
    let target = folder.path().join("backup.tsl");
    assert_eq!(
        store.backup(&target, &mut |_, _| {}).unwrap(),
        report(tail, 0)
    );
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(length_of(&target), tail);
    let mode = fs::metadata(&target).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o440);
}

/// What was written before the call is in the backup in the version of that moment or, for what was changed before the tail was
/// taken, a later one; and the backup is a whole store whatever the compactions did.
#[test]
fn writers_and_compactions_go_on_beside_it() {
    const KEYS: u64 = 200;
    let place = Place::new();
    let text = |key: u64, version: u64| format!("{key} in version {version} ").repeat(400);
    for key in 0..KEYS {
        let value = text(key, 0);
        place
            .store
            .write(&key.to_le_bytes(), value.as_bytes())
            .unwrap();
    }
    let (stop, written, compacted) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let (place, stop, written, compacted) = (&place, &stop, &written, &compacted);
        scope.spawn(move || {
            let mut version = 0;
            while !stop.load(Ordering::Relaxed) {
                version += 1;
                for key in 0..KEYS {
                    let value = text(key, version);
                    place
                        .store
                        .write(&key.to_le_bytes(), value.as_bytes())
                        .unwrap();
                }
                written.store(version, Ordering::Release);
            }
        });
        scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                place.store.compact().unwrap();
                compacted.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut rounds = 0;
        // Until there was more than one of each; the writer and the compactor share what processors there are.
        while rounds < 8 || compacted.load(Ordering::Relaxed) < 2 {
            let at_least = written.load(Ordering::Acquire);
            let done = place.backup();
            assert_eq!(length_of(&place.target()), done.tail);
            let copy = DataStore::open_existing(&place.target()).unwrap();
            assert!(copy.recovery_report().is_clean());
            assert_eq!(copy.tail(), done.tail);
            for key in 0..KEYS {
                let value = copy
                    .read(&key.to_le_bytes())
                    .unwrap()
                    .expect("a key is missing");
                let words = std::str::from_utf8(value.as_slice()).unwrap();
                let version = words.split(' ').nth(3).unwrap().parse().unwrap();
                assert!(
                    version >= at_least,
                    "{version} of {key} is older than the call"
                );
                assert!(words == text(key, version));
            }
            rounds += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// The first progress is told when 4 MiB are copied; from within it, the store is written to, read and compacted.
#[test]
fn nothing_waits_while_it_copies() {
    let place = Place::of(9);
    let (before, tail) = (place.bytes(), place.store.tail());
    let mut calls = 0;
    let done = place.store.backup(place.target(), &mut |_, total| {
        calls += 1;
        place.store.write(b"meanwhile", b"written").unwrap();
        place.store.delete(&[0]).unwrap();
        place.store.compact().unwrap();
        assert!(place.store.read(&[1]).unwrap().is_some());
        assert_eq!(total, tail);
    });
    assert_eq!(done.unwrap(), report(tail, 0));
    assert!(calls >= 3, "{calls}");
    assert!(fs::read(place.target()).unwrap() == before);
}

#[test]
fn a_second_backup_copies_what_is_new() {
    let place = Place::of(3);
    let first = place.backup();
    place.store.write(b"new", b"value").unwrap();
    place.store.delete(&[1]).unwrap();
    let tail = place.store.tail();
    assert_eq!(place.backup(), report(tail - first.tail, first.tail));
    place.assert_same();
    assert_eq!(place.backup(), report(0, tail));
    place.assert_same();
    // Opening it for writing and closing it again does not make it something else.
    DataStore::open(&place.target()).unwrap().close().unwrap();
    assert_eq!(place.backup(), report(0, tail));
}

/// Damage is copied, not mended and not refused: the backup opens as the store does, and later ones go on from it.
#[test]
fn a_damaged_last_value_is_copied_as_it_is() {
    let place = Place::of(2);
    let path = place.store.path();
    let Place { folder, store } = place;
    store.close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 1000;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let store = DataStore::open(&path).unwrap();
    assert!(!store.recovery_report().is_clean());
    let place = Place { folder, store };
    place.backup();
    place.assert_same();
    let copy = DataStore::open(&place.target()).unwrap();
    assert_eq!(copy.recovery_report(), place.store.recovery_report());
    drop(copy);
    let damaged = place.store.tail();
    place.store.write(b"next", b"value").unwrap();
    assert_eq!(
        place.backup(),
        report(place.store.tail() - damaged, damaged)
    );
    place.assert_same();
}
