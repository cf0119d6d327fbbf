//! Files that go to and from the reference's extension crate: what one side writes, the other reads as the same value, or as an error
//! where the reference would lose it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use bitcode::{Decode, DecodeOwned, Encode};
use simd_r_drive_extensions as theirs;
use std::fmt::Debug;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use tailstone::extensions as ours;

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
enum Shape {
    Point,
    Circle { radius: f64, name: Option<String> },
    Path(Vec<(i32, i32)>),
}

fn write_theirs(path: &Path, write: impl FnOnce(&simd_r_drive::DataStore)) {
    write(&simd_r_drive::DataStore::open(path).unwrap());
}

fn write_ours(path: &Path, write: impl FnOnce(&tailstone::DataStore)) {
    let store = tailstone::DataStore::open(path).unwrap();
    write(&store);
    store.close().unwrap();
}

/// Written by either side and read by the other, as an option and as a value that expires.
#[track_caller]
fn exchange<T: Encode + DecodeOwned + PartialEq + Debug>(value: &T) {
    let scratch = tempfile::tempdir().unwrap();
    let (from_them, from_us) = (scratch.path().join("theirs"), scratch.path().join("ours"));
    write_theirs(&from_them, |store| {
        use theirs::{StorageCacheExt, StorageOptionExt};
        store.write_option(b"some", Some(value)).unwrap();
        store.write_option::<T>(b"none", None).unwrap();
        store.write_with_ttl(b"ttl", value, u64::MAX).unwrap();
        store.write_with_ttl(b"over", value, 0).unwrap();
    });
    write_ours(&from_us, |store| {
        use ours::{StorageCacheExt, StorageOptionExt};
        store.write_option(b"some", Some(value)).unwrap();
        store.write_option::<T>(b"none", None).unwrap();
        store.write_with_ttl(b"ttl", value, u64::MAX).unwrap();
        store.write_with_ttl(b"over", value, 0).unwrap();
    });
    write_ours(&from_them, |store| {
        use ours::{StorageCacheExt, StorageOptionExt};
        assert_eq!(store.read_option(b"some").unwrap().as_ref(), Some(value));
        assert_eq!(store.read_option::<T>(b"none").unwrap(), None);
        assert_eq!(store.read_with_ttl(b"ttl").unwrap().as_ref(), Some(value));
        assert_eq!(store.read_with_ttl::<T>(b"over").unwrap(), None);
    });
    write_theirs(&from_us, |store| {
        use theirs::{StorageCacheExt, StorageOptionExt};
        assert_eq!(store.read_option(b"some").unwrap().as_ref(), Some(value));
        assert_eq!(store.read_option::<T>(b"none").unwrap(), None);
        assert_eq!(store.read_with_ttl(b"ttl").unwrap().as_ref(), Some(value));
        assert_eq!(store.read_with_ttl::<T>(b"over").unwrap(), None);
    });
}

#[test]
fn what_one_side_writes_the_other_reads() {
    exchange(&1_u8);
    exchange(&0_u16);
    exchange(&true);
    exchange(&0xfe_ff00_u64);
    exchange(&-1_i128);
    exchange(&"text".to_owned());
    exchange(&vec![0_u8; 3]);
    exchange(&vec![
        Shape::Point,
        Shape::Circle {
            radius: 0.25,
            name: Some("small".to_owned()),
        },
        Shape::Path(vec![(1, -1), (i32::MAX, i32::MIN)]),
    ]);
}

/// What the reference refuses to write, or reads as `None`, is at most undecodable to it.
#[test]
fn what_the_reference_would_lose_is_an_error_there() {
    #[track_caller]
    fn check<T: Encode + DecodeOwned + PartialEq + Debug>(value: &T) {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("ours");
        write_ours(&path, |store| {
            use ours::StorageOptionExt;
            store.write_option(b"key", Some(value)).unwrap();
        });
        write_theirs(&path, |store| {
            use theirs::StorageOptionExt;
            let error = store.read_option::<T>(b"key").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
        });
        write_ours(&path, |store| {
            use ours::StorageOptionExt;
            assert_eq!(store.read_option(b"key").unwrap().as_ref(), Some(value));
        });
    }
    check(&0_u8);
    check(&false);
    check(&());
    check(&Vec::<Shape>::new());
    check(&0xfeff_u16);
    check(&[0xff_u8, 0xfe]);
}

#[test]
fn imported_files_are_found_by_the_other_side() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("folder");
    fs::create_dir_all(folder.join("a/b")).unwrap();
    let files = [
        ("top", &b"one"[..]),
        ("a/ü.txt", b"two"),
        ("a/b/c", &vec![7; 99_999]),
    ];
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    for space in [None, Some(&b"space"[..])] {
        let paths = ["theirs", "ours"].map(|name| scratch.path().join(format!("{name}{space:?}")));
        let (mut by_them, mut by_us) = (Vec::new(), Vec::new());
        write_theirs(&paths[0], |store| {
            by_them = theirs::StorageFileImportExt::import_dir_recursively(store, &folder, space)
                .unwrap();
        });
        write_ours(&paths[1], |store| {
            by_us =
                ours::StorageFileImportExt::import_dir_recursively(store, &folder, space).unwrap();
        });
        let keys = |imported: Vec<(Vec<u8>, u64)>| {
            let mut keys: Vec<_> = imported.into_iter().map(|(key, _)| key).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(by_us), keys(by_them));
        for (name, content) in files {
            write_ours(&paths[0], |store| {
                let entry =
                    ours::StorageFileImportExt::read_file_entry(store, name, space).unwrap();
                assert_eq!(entry.unwrap().as_slice(), content);
            });
            write_theirs(&paths[1], |store| {
                let entry =
                    theirs::StorageFileImportExt::read_file_entry(store, name, space).unwrap();
                assert_eq!(entry.unwrap().as_slice(), content);
            });
        }
    }
}
