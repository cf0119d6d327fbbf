//! Attempts that end half-way, and files that others put in the way of one.

use super::{Place, length_of, report, value};
use crate::{DataStore, DataStoreReader, DataStoreWriter, Error};
use std::fs;

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

/// What is appended to an empty file has no sound entry at first, and is no store until it has one.
#[test]
fn an_empty_target_is_not_appended_to() {
    let place = Place::of(5);
    for bytes in [&[][..], &[0; 3000]] {
        fs::write(place.target(), bytes).unwrap();
        place.interrupt_at(1);
        assert_eq!(fs::read(place.target()).unwrap(), bytes);
    }
    let tail = place.store.tail();
    assert_eq!(place.backup(), report(tail - (4 << 20), 4 << 20));
    place.assert_same();
}
