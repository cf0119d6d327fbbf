//! Backups beside writers and compactions, cut short and gone on with, brought up to date, and refused.

use super::BackupReport;
use crate::{DataStore, DataStoreReader, DataStoreWriter, Error};
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
fn an_interrupted_backup_is_gone_on_with() {
    let place = Place::of(11);
    let tail = place.store.tail();
    place.interrupt_at(6 << 20);
    assert!(!place.target().exists(), "the name is taken too early");
    let partial = place.partial().expect("what was copied is gone");
    let whole = fs::read(&partial).unwrap();
    assert_eq!(whole.len(), 8 << 20);
    for len in [
        0,
        1,
        20,
        21,
        4095,
        4 << 20,
        (4 << 20) + 1,
        (8 << 20) - 1,
        8 << 20,
    ] {
        fs::write(&partial, &whole[..len]).unwrap();
        let len = u64::try_from(len).unwrap();
        assert_eq!(place.backup(), report(tail - len, len));
        place.assert_same();
        fs::remove_file(place.target()).unwrap();
    }
    // Any byte that is not the store's, and all behind it, is copied again.
    for flipped in [0, 700, 4 << 20, (5 << 20) + 3, (8 << 20) - 1] {
        let mut bytes = whole.clone();
        bytes[flipped] ^= 0x10;
        fs::write(&partial, &bytes).unwrap();
        let right = u64::try_from(flipped).unwrap();
        assert_eq!(place.backup(), report(tail - right, right));
        place.assert_same();
        fs::remove_file(place.target()).unwrap();
    }
    // One that is too long, and one of another store.
    fs::write(&partial, [place.bytes(), vec![7; 5000]].concat()).unwrap();
    assert_eq!(place.backup(), report(0, tail));
    place.assert_same();
    fs::remove_file(place.target()).unwrap();
    fs::write(&partial, vec![9; 12 << 20]).unwrap();
    assert_eq!(place.backup(), report(tail, 0));
    place.assert_same();
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

/// At whatever byte an append stops, the target opens with every entry of the earlier backup, and the next one goes on from
/// the last entry that is whole.
#[test]
fn an_append_cut_short_leaves_a_store() {
    let place = Place::new();
    for key in 0..5_u8 {
        place.store.write(&[key], &[key + 1; 30]).unwrap();
    }
    let first = place.backup();
    let mut ends = vec![first.tail];
    for key in 5..8_u8 {
        ends.push(place.store.write(&[key], &[key + 1; 30]).unwrap());
    }
    let (bytes, tail) = (place.bytes(), place.store.tail());
    for cut in first.tail..=tail {
        let torn = &bytes[..usize::try_from(cut).unwrap()];
        for filler in [0, 100] {
            fs::write(place.target(), [torn, &vec![0; filler]].concat()).unwrap();
            let copy = DataStore::options().read_only(true).open(place.target());
            let copy = copy.unwrap();
            let whole = *ends.iter().rfind(|end| **end <= copy.tail()).unwrap();
            assert_eq!(copy.tail(), whole, "cut at {cut}");
            assert!(copy.len().unwrap() >= 5);
            drop(copy);
            assert_eq!(place.backup(), report(tail - whole, whole), "cut at {cut}");
            place.assert_same();
        }
    }
}

#[test]
fn an_interrupted_append_is_gone_on_with() {
    let place = Place::of(2);
    let first = place.backup();
    for number in 10..22 {
        place.store.write(&[number], &value(number)).unwrap();
    }
    place.interrupt_at(7 << 20);
    assert!(length_of(&place.target()) > first.tail);
    let done = place.backup();
    assert!(done.present_bytes > first.tail, "{done}");
    assert_eq!(done.tail, place.store.tail());
    place.assert_same();
}

#[test]
fn a_backup_from_before_a_compaction_is_replaced() {
    let place = Place::of(3);
    place.backup();
    place.store.delete(&[0]).unwrap();
    place.store.compact().unwrap();
    place.interrupt_at(1);
    let old = DataStore::open_existing(&place.target()).unwrap();
    assert_eq!(
        old.len().unwrap(),
        3,
        "the old one stays until the new one is whole"
    );
    drop(old);
    let done = place.backup();
    assert_eq!(done.tail, place.store.tail());
    place.assert_same();
    // So are another store, and a backup that is ahead.
    fs::remove_file(place.target()).unwrap();
    let other = DataStore::open(&place.target()).unwrap();
    other.write(b"other", b"store").unwrap();
    drop(other);
    assert_eq!(place.backup(), report(done.tail, 0));
    DataStore::open(&place.target())
        .unwrap()
        .write(b"k", b"v")
        .unwrap();
    assert_eq!(place.backup().tail, done.tail);
    place.assert_same();
}

#[test]
fn what_is_no_store_is_refused_and_untouched() {
    let place = Place::of(1);
    let text = "a letter, and no store\n".repeat(300);
    for bytes in [text.as_bytes(), b"x", &[0xff; 4096]] {
        fs::write(place.target(), bytes).unwrap();
        let error = place
            .store
            .backup(place.target(), &mut |_, _| {})
            .unwrap_err();
        assert!(matches!(error, Error::NotAStore { .. }), "{error}");
        assert_eq!(fs::read(place.target()).unwrap(), bytes);
        assert!(place.partial().is_none());
    }
    let folder = place.path("folder");
    fs::create_dir(&folder).unwrap();
    let error = place.store.backup(&folder, &mut |_, _| {}).unwrap_err();
    assert!(
        matches!(&error, Error::NotAFile(path) if *path == folder),
        "{error}"
    );
    let error = place
        .store
        .backup(place.path("missing/copy.tsl"), &mut |_, _| {});
    assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    assert!(!place.path("missing").exists());
}

#[test]
fn a_damaged_store_is_replaced_only_where_it_was_a_backup() {
    let place = Place::new();
    for key in 0..9_u8 {
        place.store.write(&[key], &[key + 1; 100]).unwrap();
    }
    place.backup();
    let break_a_link = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        // The link of the fifth entry: 100 bytes of payload and 8 of hash behind its start.
        bytes[4 * 128 + 108] ^= 0x40;
        fs::write(path, &bytes).unwrap();
        assert!(matches!(DataStore::open(path), Err(Error::Corrupt { .. })));
        bytes
    };
    break_a_link(&place.target());
    place.backup();
    place.assert_same();

    let other = place.path("other.tsl");
    let store = DataStore::open(&other).unwrap();
    for key in 0..9_u8 {
        store.write(&[key], &[key + 100; 100]).unwrap();
    }
    store.close().unwrap();
    let bytes = break_a_link(&other);
    let error = place.store.backup(&other, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert_eq!(fs::read(&other).unwrap(), bytes);
}

#[cfg(unix)]
#[test]
fn the_store_itself_is_refused_by_every_name() {
    let place = Place::of(1);
    let (link, hard) = (place.path("link"), place.path("hard"));
    std::os::unix::fs::symlink(place.store.path(), &link).unwrap();
    fs::hard_link(place.store.path(), &hard).unwrap();
    let roundabout = place.folder.path().join(".").join("source.tsl");
    let before = place.bytes();
    for path in [&place.store.path(), &link, &hard, &roundabout] {
        let error = place.store.backup(path, &mut |_, _| {}).unwrap_err();
        assert!(
            matches!(error, Error::SameStore),
            "{}: {error}",
            path.display()
        );
    }
    assert!(place.bytes() == before);
    assert!(place.partial().is_none());
    // Behind a compaction the link by name is still the store, and the other one a file of its own.
    place.store.write(&[0], b"new").unwrap();
    place.store.compact().unwrap();
    let error = place.store.backup(&link, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, Error::SameStore), "{error}");
    place.store.backup(&hard, &mut |_, _| {}).unwrap();
    assert!(fs::read(&hard).unwrap() == place.bytes());
}

#[cfg(unix)]
#[test]
fn links_are_followed_to_a_file_and_refused_without_one() {
    let place = Place::of(1);
    let (link, elsewhere) = (place.path("link"), place.path("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    let real = elsewhere.join("real.tsl");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let error = place.store.backup(&link, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, Error::NotAFile(_)), "{error}");
    assert!(!real.exists());
    fs::write(&real, b"").unwrap();
    place.store.backup(&link, &mut |_, _| {}).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read(&real).unwrap() == place.bytes());
}

/// A link where the partial file goes would lead the backup's bytes into a file of somebody's choice.
#[cfg(unix)]
#[test]
fn a_link_in_the_partial_files_place_is_not_followed() {
    let place = Place::of(5);
    place.interrupt_at(1);
    let partial = place.partial().unwrap();
    let victim = place.path("victim");
    fs::write(&victim, b"somebody's").unwrap();
    fs::remove_file(&partial).unwrap();
    std::os::unix::fs::symlink(&victim, &partial).unwrap();
    assert!(place.store.backup(place.target(), &mut |_, _| {}).is_err());
    assert_eq!(fs::read(&victim).unwrap(), b"somebody's");
    assert!(!place.target().exists());
}

#[test]
fn a_target_in_use_is_locked() {
    let place = Place::of(1);
    place.backup();
    let other = DataStore::open(&place.target()).unwrap();
    let error = place
        .store
        .backup(place.target(), &mut |_, _| {})
        .unwrap_err();
    assert!(
        matches!(&error, Error::Locked(path) if *path == place.target()),
        "{error}"
    );
    drop(other);
    place.backup();
    // Two backups to one new place: the second is told so, the first comes to its end.
    let second = place.path("second.tsl");
    let mut calls = 0;
    let done = place.store.backup(&second, &mut |_, _| {
        let again = place.store.backup(&second, &mut |_, _| {});
        assert!(matches!(&again, Err(Error::Locked(path)) if *path == second));
        calls += 1;
    });
    assert_eq!(calls, 1);
    assert_eq!(done.unwrap(), report(place.store.tail(), 0));
}

/// What came to lie at the target's path while the bytes were copied is not the backup's to replace.
#[test]
fn a_file_that_comes_meanwhile_is_kept() {
    let place = Place::of(5);
    let error = place.store.backup(place.target(), &mut |_, _| {
        fs::write(place.target(), b"a letter").unwrap();
    });
    assert!(matches!(error, Err(Error::Locked(_))), "{error:?}");
    assert_eq!(fs::read(place.target()).unwrap(), b"a letter");
}
