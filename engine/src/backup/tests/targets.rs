//! What may lie at the target's path: replaced, refused or in use.

use super::{Place, report};
use crate::{DataStore, DataStoreReader, DataStoreWriter, Error};
use std::fs;
use std::path::Path;

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
