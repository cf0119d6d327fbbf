//! What a store takes of the system, and how it does with less: address space, descriptors, mappings, memory, room on the medium.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]
#![cfg(target_os = "linux")]

use std::path::Path;
use tailstone::{Batch, DataStore, DataStoreReader, DataStoreWriter, Error};
use tailstone_tests::Rng;
use tailstone_tests::allocations::{Counting, most_allocated};
use tailstone_tests::child::{command, playing};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a child prints when it came to its end.
const DONE: &str = "child: all of it held";
/// How the shell says that it could not do what the test needs.
const NOT_HERE: i32 = 97;

/// Runs a role below `wrapper` and says whether it could be run at all; fails if it did not come to its end.
fn in_child(role: &str, folder: &Path, wrapper: &str) -> bool {
    let mut command = command(role, folder, wrapper);
    let output = command
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    if output.status.code() == Some(NOT_HERE) {
        println!("skipped: this process may not do `{wrapper}`");
        return false;
    }
    let (seen, told) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(seen.contains(DONE), "{}\n{seen}\n{told}", output.status);
    true
}

#[test]
fn role_with_little_address_space() {
    let Some(folder) = playing("role_with_little_address_space") else {
        return;
    };
    let path = folder.join("store");
    let store = DataStore::open(&path).unwrap();
    let mut rng = Rng::new(7);
    let values: Vec<Vec<u8>> = (0..24).map(|_| rng.bytes(1 << 20)).collect();
    for (at, value) in (0_u8..).zip(&values) {
        store.write(&[at], value).unwrap();
    }
    let check = |store: &DataStore| {
        for (at, value) in (0_u8..).zip(&values) {
            assert!(store.read(&[at]).unwrap().unwrap().as_slice() == value);
        }
    };
    check(&store);
    store.close().unwrap();
    let store = DataStore::open(&path).unwrap();
    check(&store);
    store.compact().unwrap();
    check(&store);
    println!("{DONE}");
}

/// Far less than what is reserved where there is plenty, and enough for the file.
#[test]
fn a_limit_on_address_space_makes_the_reservation_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let role = "role_with_little_address_space";
    in_child(role, folder.path(), "ulimit -v 600000; exec \"$@\"");
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Mappings of files; those of memory are the allocator's business.
fn mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains("store")).count()
}

#[test]
fn role_of_many() {
    let Some(folder) = playing("role_of_many") else {
        return;
    };
    let path = folder.join("a-store");
    let before = (descriptors(), mappings());
    assert_eq!(before.1, 0);
    for round in 0..100_u64 {
        let store = DataStore::open(&path).unwrap();
        assert!(mappings() > 0, "mappings are not counted");
        store.write(&round.to_le_bytes(), &[1; 3000]).unwrap();
        let mut long = std::io::repeat(7);
        store
            .write_stream(b"long", &mut std::io::Read::take(&mut long, 3 << 20))
            .unwrap();
        if round % 10 == 0 {
            store.compact().unwrap();
            let backup = folder.join(format!("backup-store-{round}"));
            store.backup(&backup, &mut |_, _| ()).unwrap();
            assert!(
                DataStore::open(&backup)
                    .unwrap()
                    .verify(&mut |_, _| ())
                    .is_ok()
            );
        }
        let refused = DataStore::open(&path);
        assert!(matches!(refused, Err(Error::Locked(_))));
    }
    assert_eq!(
        (descriptors(), mappings()),
        before,
        "after a hundred stores"
    );

    // Thousands of values that are held through a compaction and the end of their store.
    let store = DataStore::open(&path).unwrap();
    for key in 0..4000_u64 {
        let value = [key.to_le_bytes(); 20].concat();
        store.write(&key.to_le_bytes(), &value).unwrap();
    }
    let read = |key: u64| store.read(&key.to_le_bytes()).unwrap().unwrap();
    let mut held: Vec<_> = (0..4000).map(read).collect();
    let views: Vec<_> = (0..200).map(|_| store.reader()).collect();
    let open = (descriptors(), mappings());
    store.compact().unwrap();
    held.extend((0..4000).map(read));
    let after = (descriptors(), mappings());
    assert!(
        after.0 <= open.0 + 2 && after.1 <= open.1 + 4,
        "{open:?}, then {after:?}"
    );
    drop(views);
    drop(store);
    assert!(mappings() > 0, "values without their bytes");
    for (key, value) in (0..4000_u64).cycle().zip(&held) {
        assert_eq!(value.as_slice(), [key.to_le_bytes(); 20].concat());
    }
    drop(held);
    assert_eq!((descriptors(), mappings()), before, "after all of it");
    println!("{DONE}");
}

#[test]
fn descriptors_and_mappings_go_with_what_holds_them() {
    let folder = tempfile::tempdir().unwrap();
    assert!(in_child("role_of_many", folder.path(), ""));
}

/// Going through all values takes 8 bytes for each; history and reading take none to speak of.
#[test]
fn memory_of_reading_is_bounded() {
    const KEYS: usize = 50_000;
    let folder = tempfile::tempdir().unwrap();
    let store = DataStore::open(&folder.path().join("store")).unwrap();
    let names: Vec<[u8; 8]> = (0..KEYS as u64).map(u64::to_le_bytes).collect();
    let all: Vec<(&[u8], &[u8])> = names
        .iter()
        .map(|name| (&name[..], &[7; 100][..]))
        .collect();
    store.batch_write(&all).unwrap();
    let (bytes, count) = most_allocated(|| store.iter_entries().count());
    assert_eq!(count, KEYS);
    assert!(
        (KEYS..KEYS * 8 + (64 << 10)).contains(&bytes),
        "{bytes} bytes for a list"
    );
    let (bytes, count) = most_allocated(|| store.history(&names[0]).count());
    assert_eq!(count, 1);
    assert!(bytes < 4096, "{bytes} bytes for a history");
    let (bytes, ()) = most_allocated(|| {
        for name in &names {
            assert!(store.exists(name).unwrap());
            assert_eq!(store.read(name).unwrap().unwrap().len(), 100);
        }
    });
    assert!(bytes < 4096, "{bytes} bytes for reading one at a time");
    let path = store.path();
    store.close().unwrap();
    let (bytes, _) = most_allocated(|| DataStore::open(&path).unwrap());
    assert!(bytes < KEYS * 50 + (64 << 10), "{bytes} bytes for opening");
}

/// Fills the medium through a store, in all the ways there are to write to it.
#[test]
fn role_without_room() {
    let Some(folder) = playing("role_without_room") else {
        return;
    };
    let path = folder.join("store");
    let store = DataStore::open(&path).unwrap();
    let bucket = store.bucket("bucket").unwrap();
    let mut kept = 0_u64;
    let failed = loop {
        match store.write(&kept.to_le_bytes(), &[9; 5000]) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100_000, "nothing stopped it");
    };
    assert!(matches!(failed, Error::Io { .. }), "{failed}");
    assert!(kept > 100, "{failed} after {kept}");
    let (tail, len) = (store.tail(), store.len().unwrap());
    let long = vec![3; 4 << 20];
    let mut batch = Batch::new();
    batch.put(b"short", &b"1"[..]).put(b"long", &long[..]);
    assert!(matches!(store.commit(&batch), Err(Error::Io { .. })));
    assert!(matches!(bucket.set(b"long", &long), Err(Error::Io { .. })));
    let pairs: [(&[u8], &[u8]); 2] = [(b"short", b"1"), (b"long", &long)];
    assert!(matches!(bucket.set_many(&pairs), Err(Error::Io { .. })));
    assert!(matches!(store.batch_write(&pairs), Err(Error::Io { .. })));
    assert!(store.write_stream(b"long", &mut &long[..]).is_err());
    assert_eq!(
        (store.tail(), store.len().unwrap()),
        (tail, len),
        "something shows"
    );
    assert!(std::fs::metadata(&path).unwrap().len() >= tail, "shortened");
    // There may be room for something smaller, and for a deletion.
    let small = store.write(b"small", &[1; 30]).is_ok();
    for key in 0..kept {
        assert_eq!(
            store.read(&key.to_le_bytes()).unwrap().unwrap().as_slice(),
            [9; 5000]
        );
    }
    assert!(!store.exists(b"short").unwrap() && !bucket.exists(b"short").unwrap());
    // Room again, where something else took it.
    if std::fs::remove_file(folder.join("ballast")).is_ok() {
        store.commit(&batch).unwrap();
        bucket.set_many(&pairs).unwrap();
        assert!(store.read(b"long").unwrap().unwrap().as_slice() == long);
    }
    let _ = store.close();
    let store = DataStore::open(&path).unwrap();
    assert_eq!(store.exists(b"small").unwrap(), small);
    for key in 0..kept {
        assert_eq!(
            store.read(&key.to_le_bytes()).unwrap().unwrap().as_slice(),
            [9; 5000]
        );
    }
    println!("{DONE}");
}

#[test]
fn a_limit_on_the_size_of_files_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let wrapper = "trap '' XFSZ; ulimit -f 6000; exec \"$@\"";
    in_child("role_without_room", folder.path(), wrapper);
    // Without the limit it goes on.
    let store = DataStore::open(&folder.path().join("store")).unwrap();
    store.write(b"more", &vec![1; 8 << 20]).unwrap();
    assert!(store.verify(&mut |_, _| ()).unwrap().is_sound());
}

#[test]
fn a_full_file_system_loses_nothing_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    // Mounted for the child alone, and gone with it; a ballast of 12 MB makes it full.
    let make = "mount -t tmpfs -o size=16m none \"$TAILSTONE_TEST_PATH\" && head -c 12000000 /dev/zero >\"$TAILSTONE_TEST_PATH/ballast\"";
    let wrapper = format!(
        "unshare -m true 2>/dev/null || exit {NOT_HERE}; \
         exec unshare -m sh -c '{{ {make}; }} >/dev/null 2>&1 || exit {NOT_HERE}; exec \"$@\"' sh \"$@\""
    );
    in_child("role_without_room", folder.path(), &wrapper);
}
