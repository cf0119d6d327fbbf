//! Files of released versions: they open as they did, the same operations still make the same bytes, and the reference finds in
//! them what it knows of.
//!
//! The files were made once and are never made again. Their content is listed here by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::path::{Path, PathBuf};
use tailstone::{Batch, DataStore, DataStoreReader, DataStoreWriter, Options};

/// Name, what writes it, what is to be found in it.
type Frozen = (&'static str, fn(&DataStore), fn(&DataStore));

const FILES: [Frozen; 3] = [
    ("plain", write_plain, check_plain),
    ("buckets", write_buckets, check_buckets),
    ("batches", write_batches, check_batches),
];

/// When some value of the buckets expires, in milliseconds since the Unix epoch.
const EXPIRY: u64 = 1_800_000_000_000;

fn frozen(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/0.1.0/{name}.store"))
}

/// A copy of the file that may be opened for writing.
fn copy(name: &str, folder: &Path) -> PathBuf {
    let path = folder.join(name);
    std::fs::copy(frozen(name), &path).unwrap();
    path
}

fn bytes(from: u8, len: usize) -> Vec<u8> {
    (from..=u8::MAX).cycle().take(len).collect()
}

fn write_plain(store: &DataStore) {
    store.write(b"first", b"a value").unwrap();
    store.write(b"long", &bytes(3, 5000)).unwrap();
    store.write(b"zeros", &[0; 90]).unwrap();
    store
        .batch_write(&[(b"a", b"A1"), (b"b", &bytes(7, 64)), (b"c", b"C1")])
        .unwrap();
    store
        .write_stream(b"stream", &mut &bytes(9, 300)[..])
        .unwrap();
    store.delete(b"a").unwrap();
    store.write(b"b", b"B2").unwrap();
    store.rename(b"c", b"d").unwrap();
    store.write(b"", b"under the empty key").unwrap();
    let so_far = std::fs::read(store.path()).unwrap();
    let so_far = &so_far[..usize::try_from(store.tail()).unwrap()];
    store.write(b"nested", so_far).unwrap();
    store.delete(b"first").unwrap();
}

fn check_plain(store: &DataStore) {
    assert_eq!(store.len().unwrap(), 7);
    for (key, value) in [
        (&b"long"[..], bytes(3, 5000)),
        (b"zeros", vec![0; 90]),
        (b"b", b"B2".to_vec()),
        (b"stream", bytes(9, 300)),
        (b"d", b"C1".to_vec()),
        (b"", b"under the empty key".to_vec()),
    ] {
        assert_eq!(store.read(key).unwrap().unwrap().as_slice(), value);
    }
    for gone in [&b"first"[..], b"a", b"c"] {
        assert!(!store.exists(gone).unwrap());
    }
    assert_eq!(store.history(b"b").count(), 2);
    let nested = store.read(b"nested").unwrap().unwrap();
    let whole = std::fs::read(store.path()).unwrap();
    assert_eq!(nested.as_slice(), &whole[..nested.len()]);
}

fn write_buckets(store: &DataStore) {
    store.write(b"plain", b"beside them").unwrap();
    let users = store.bucket("users").unwrap();
    users.set(b"ada", b"1815").unwrap();
    users.set(b"empty", b"").unwrap();
    users.set(b"zero", &[0]).unwrap();
    users.set(b"", b"under the empty key").unwrap();
    users.set_until(b"later", b"gone by then", EXPIRY).unwrap();
    users.set(b"former", b"for a moment").unwrap();
    users.delete(b"former").unwrap();
    let unnamed = store.bucket("").unwrap();
    unnamed.increment(b"count", 40).unwrap();
    unnamed.increment(b"count", 2).unwrap();
    users
        .set_many(&[(b"ada", b"countess"), (b"long", &bytes(1, 3000))])
        .unwrap();
    users.set(b"ada", b"1852").unwrap();
}

fn check_buckets(store: &DataStore) {
    assert_eq!(store.read(b"plain").unwrap().unwrap(), b"beside them");
    let users = store.bucket("users").unwrap();
    for (key, value) in [
        (&b"ada"[..], b"1852".to_vec()),
        (b"empty", vec![]),
        (b"zero", vec![0]),
        (b"", b"under the empty key".to_vec()),
        (b"later", b"gone by then".to_vec()),
        (b"long", bytes(1, 3000)),
    ] {
        assert_eq!(users.get(key).unwrap().unwrap().as_slice(), value);
    }
    assert!(!users.exists(b"former").unwrap());
    assert!(!store.bucket("other").unwrap().exists(b"ada").unwrap());
    let unnamed = store.bucket("").unwrap();
    assert_eq!(
        unnamed.get(b"count").unwrap().unwrap().as_slice(),
        42_i64.to_le_bytes()
    );
}

fn write_batches(store: &DataStore) {
    let mut first = Batch::new();
    first
        .put(b"a", &b"A1"[..])
        .put(b"b", bytes(5, 700))
        .put(b"c", &b"C1"[..]);
    store.commit(&first).unwrap();
    store.write(b"between", b"two batches").unwrap();
    let mut last = Batch::new();
    last.put(b"a", &b"A2"[..])
        .delete(b"c")
        .put(b"d", &b"D1"[..]);
    store.commit(&last).unwrap();
}

fn check_batches(store: &DataStore) {
    for (key, value) in [
        (&b"a"[..], b"A2".to_vec()),
        (b"b", bytes(5, 700)),
        (b"between", b"two batches".to_vec()),
        (b"d", b"D1".to_vec()),
    ] {
        assert_eq!(store.read(key).unwrap().unwrap().as_slice(), value);
    }
    assert!(!store.exists(b"c").unwrap());
    assert_eq!(store.len().unwrap(), 4);
}

/// A clock before everything expires.
fn options() -> Options {
    Options::new().clock(|| EXPIRY - 1)
}

/// Files of the version that is being made, before its release; later a version's are left as they are.
#[test]
fn the_same_operations_make_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for (name, write, _) in FILES {
        let path = folder.path().join(name);
        let store = options().open(&path).unwrap();
        write(&store);
        store.close().unwrap();
        let made = std::fs::read(&path).unwrap();
        assert!(
            std::fs::read(frozen(name)).is_ok_and(|frozen| frozen == made),
            "{name}: other bytes than were frozen"
        );
    }
}

#[test]
fn they_open_and_hold_what_they_held() {
    let folder = tempfile::tempdir().unwrap();
    for (name, _, check) in FILES {
        let path = copy(name, folder.path());
        let read_only = Options::new()
            .read_only(true)
            .clock(|| EXPIRY - 1)
            .open(&path)
            .unwrap();
        assert!(read_only.recovery_report().is_clean(), "{name}");
        check(&read_only);
        drop(read_only);
        let store = options().open(&path).unwrap();
        check(&store);
        assert!(store.verify(&mut |_, _| ()).unwrap().is_sound(), "{name}");
        store.close().unwrap();
        assert!(
            std::fs::read(&path).unwrap() == std::fs::read(frozen(name)).unwrap(),
            "{name}: changed by being opened"
        );
    }
}

#[test]
fn the_list_is_of_all_files() {
    let folder = frozen("any");
    let there: std::collections::BTreeSet<_> = std::fs::read_dir(folder.parent().unwrap())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    let listed = FILES.iter().map(|(name, ..)| frozen(name)).collect();
    assert_eq!(there, listed);
}

/// The reference knows nothing of buckets and markers, and finds the plain entries, as they are and after it wrote one more.
#[test]
fn the_reference_finds_the_plain_entries() {
    use simd_r_drive::traits::{DataStoreReader as _, DataStoreWriter as _};
    let folder = tempfile::tempdir().unwrap();
    let plain: [(&str, &[&[u8]]); 3] = [
        (
            "plain",
            &[b"long", b"zeros", b"b", b"stream", b"d", b"", b"nested"],
        ),
        ("buckets", &[b"plain"]),
        ("batches", &[b"a", b"b", b"between", b"d"]),
    ];
    for (name, keys) in plain {
        let path = copy(name, folder.path());
        let ours = options().read_only(true).open(&path).unwrap();
        let values: Vec<Vec<u8>> = keys
            .iter()
            .map(|key| ours.read(key).unwrap().unwrap().as_slice().to_vec())
            .collect();
        drop(ours);
        let theirs = simd_r_drive::DataStore::open_existing(&path).unwrap();
        for (key, value) in keys.iter().zip(&values) {
            let read = theirs.read(key).unwrap().unwrap();
            assert_eq!(read.as_slice(), value, "{name}");
        }
        for gone in [&b"first"[..], b"c"] {
            assert!(theirs.read(gone).unwrap().is_none(), "{name}");
        }
        theirs.write(b"theirs", b"one more").unwrap();
        drop(theirs);
        let store = options().open(&path).unwrap();
        assert_eq!(store.read(b"theirs").unwrap().unwrap(), b"one more");
        let check = FILES.iter().find(|(other, ..)| *other == name).unwrap().2;
        if name == "buckets" {
            check(&store);
        }
    }
}
