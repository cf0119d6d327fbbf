//! Bytes of the file for what is stored, against what FORMAT.md says they must be.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tailstone::{DataStore, DataStoreWriter, Durability};

use super::{fill, folder, key, without_snapshots};

const METADATA: u64 = 20;
/// A marker's entry: its payload and the metadata.
const MARKER: u64 = 32 + METADATA;

fn len(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

/// What the file system gave away for it.
fn allocated(path: &Path) -> u64 {
    fs::metadata(path).unwrap().blocks() * 512
}

/// The tail behind payloads of these lengths, one after another.
fn tail_behind(lengths: impl IntoIterator<Item = u64>) -> u64 {
    lengths.into_iter().fold(0, |tail: u64, len| {
        tail.next_multiple_of(64) + len + METADATA
    })
}

#[test]
fn a_file_is_as_long_as_the_format_says() {
    let folder = folder();
    // Each as long as 3 MB or 100 values need.
    for payload in [1_u64, 24, 44, 45, 150, 1000, 4096, 1 << 20] {
        let path = folder.path().join(payload.to_string());
        let count = (3_000_000 / payload).clamp(20, 20_000);
        let value = vec![7; usize::try_from(payload).unwrap()];
        let expected = tail_behind((0..count).map(|_| payload));
        let store = without_snapshots().open(&path).unwrap();
        for number in 0..count {
            store.write(&key(number), &value).unwrap();
        }
        assert_eq!(store.tail(), expected, "{count} of {payload}");
        // Space is set aside in steps that at most double a file.
        let most = (expected * 2)
            .max(expected + (64 << 10))
            .next_multiple_of(64 << 10);
        assert!(
            len(&path) <= most,
            "{count} of {payload}: {} set aside",
            len(&path)
        );
        store.close().unwrap();
        assert_eq!(len(&path), expected, "{count} of {payload}, closed");
        // Blocks are whole, and the system may have made pages beyond the end; measured: 4 KiB at most.
        let allocated = allocated(&path);
        assert!(
            allocated <= expected + (64 << 10),
            "{count} of {payload}: {allocated} allocated"
        );
    }
}

#[test]
fn batches_streams_and_deletions_take_what_they_must() {
    let folder = folder();
    let path = folder.path().join("store");
    let store = without_snapshots().open(&path).unwrap();
    fill(&store, 20_000);
    let mut expected = tail_behind((0..20_000).map(|_| 150));
    assert_eq!(store.tail(), expected, "batches");
    for number in 0..1000 {
        store.delete(&key(number)).unwrap();
        expected += 1 + METADATA;
    }
    assert_eq!(store.tail(), expected, "deletions");
    store.write_stream(b"stream", &mut &[7; 5000][..]).unwrap();
    expected = expected.next_multiple_of(64) + 5000 + METADATA;
    assert_eq!(store.tail(), expected, "a stream");
    let bucket = store.bucket("bucket").unwrap();
    for number in 0..1000 {
        bucket.set(&key(number), &[7; 150]).unwrap();
        // Value, length of the name, name, key, and the rest of what is behind a value.
        expected = expected.next_multiple_of(64) + 150 + 2 + 6 + 24 + 24 + METADATA;
    }
    assert_eq!(store.tail(), expected, "a bucket");
    store.close().unwrap();
    assert_eq!(len(&path), expected);
}

#[test]
fn durable_writes_alone_take_no_more_and_batches_a_marker() {
    let folder = folder();
    let durable = without_snapshots().durability(Durability::Sync);
    let store = durable.open(folder.path().join("store")).unwrap();
    for number in 0..50 {
        store.write(&key(number), &[7; 150]).unwrap();
    }
    let mut expected = tail_behind((0..50).map(|_| 150));
    assert_eq!(store.tail(), expected, "one at a time");
    let keys: Vec<_> = (0..100).map(key).collect();
    let entries: Vec<(&[u8], &[u8])> = keys.iter().map(|key| (&key[..], &[7; 150][..])).collect();
    store.batch_write(&entries).unwrap();
    expected = expected.next_multiple_of(64) + MARKER;
    for _ in 0..100 {
        expected = expected.next_multiple_of(64) + 150 + METADATA;
    }
    assert_eq!(store.tail(), expected, "a batch");
}

/// The index behind the entries, which `close` writes: `bytes` a key, at most a fifth of the file.
#[test]
fn a_snapshot_is_as_long_as_the_index() {
    const KEYS: u64 = 100_000;
    let folder = folder();
    let path = folder.path().join("store");
    let store = DataStore::open(&path).unwrap();
    fill(&store, KEYS);
    let entries = store.tail();
    store.close().unwrap();
    let snapshot = len(&path) - entries;
    assert!((KEYS * 10..=KEYS * 16).contains(&snapshot), "{snapshot}");
    assert!(snapshot * 5 <= len(&path), "{snapshot} of {}", len(&path));
    // Nothing was written, so nothing is due.
    let before = len(&path);
    DataStore::open(&path).unwrap().close().unwrap();
    assert_eq!(len(&path), before);
}
