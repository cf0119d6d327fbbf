//! Where this store differs from the reference on purpose: each test says what happens here instead.

use crate::scratch::{Scratch, bytes, new_store};
use std::io::{self, Read};
use tailstone::traits::{DataStoreReader, DataStoreWriter};
use tailstone::{DataStore, Error, compute_hash};

/// Yields a few bytes, then fails.
struct Failing(u8);

impl Read for Failing {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0 += 1;
        match self.0 {
            1 => {
                buf[..10].fill(7);
                Ok(10)
            }
            2 => Err(io::ErrorKind::Interrupted.into()),
            _ => Err(io::Error::other("the source broke")),
        }
    }
}

#[test]
fn a_second_handle_on_an_open_file_is_refused() {
    let (scratch, store) = new_store();
    store.write(b"key", b"value").unwrap();
    let refused = DataStore::open(&scratch.path("store.bin")).unwrap_err();
    assert!(matches!(refused, Error::Locked(_)));
    drop(store);
    let store = scratch.open("store.bin");
    assert_eq!(store.read(b"key").unwrap().unwrap(), b"value");
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    let path = scratch.path("letter.txt");
    let letter = "To whom it may concern.\n".repeat(800);
    std::fs::write(&path, &letter).unwrap();
    for refused in [DataStore::open(&path), DataStore::open_existing(&path)] {
        assert!(matches!(refused.unwrap_err(), Error::NotAStore { .. }));
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), letter);
}

#[test]
fn zeros_behind_the_last_entry_cost_no_entry() {
    let (scratch, store) = new_store();
    for n in 0..50_u8 {
        store.write(&[n], &[n + 1; 9]).unwrap();
    }
    store.close().unwrap();
    let path = scratch.path("store.bin");
    let mut file = std::fs::read(&path).unwrap();
    file.extend([0; 20]);
    std::fs::write(&path, &file).unwrap();
    let store = scratch.open("store.bin");
    assert_eq!(store.len().unwrap(), 50);
    assert!((0..50_u8).all(|n| store.read(&[n]).unwrap().unwrap() == [n + 1; 9]));
}

#[test]
fn a_failed_stream_leaves_nothing_behind() {
    let (scratch, store) = new_store();
    let tail = store.write(b"before", b"first").unwrap();
    assert!(store.write_stream(b"zeros", &mut &[0; 100][..]).is_err());
    assert!(store.write_stream(b"empty", &mut io::empty()).is_err());
    assert_eq!(store.tail(), tail);
    store.write(b"after", b"second").unwrap();
    assert_eq!(store.read(b"after").unwrap().unwrap(), b"second");
    drop(store);
    let store = scratch.open("store.bin");
    assert_eq!(store.len().unwrap(), 2);
    assert_eq!(store.read(b"after").unwrap().unwrap(), b"second");
}

#[test]
fn an_error_of_the_source_is_an_error_of_the_write() {
    let (_scratch, store) = new_store();
    let error = store.write_stream(b"key", &mut Failing(0)).unwrap_err();
    assert!(error.to_string().contains("the source broke"), "{error}");
    assert!(!store.exists(b"key").unwrap());
    assert_eq!(store.tail(), 0);
}

#[test]
fn deleted_keys_are_not_counted_after_reopening() {
    let (scratch, store) = new_store();
    let keys: [&[u8]; 3] = [b"a", b"b", b"c"];
    store.batch_write(&keys.map(|key| (key, key))).unwrap();
    let tail = store.batch_delete(&keys).unwrap();
    drop(store);
    let store = scratch.open("store.bin");
    assert_eq!(store.len().unwrap(), 0);
    assert!(store.is_empty().unwrap());
    assert_eq!(
        store.batch_delete(&keys).unwrap(),
        tail,
        "nothing to delete"
    );
}

#[test]
fn the_last_entry_is_never_a_deletion() {
    let (_scratch, store) = new_store();
    store.batch_write(&[(b"a", b"1"), (b"b", b"2")]).unwrap();
    store.delete(b"b").unwrap();
    assert_eq!(store.read_last_entry().unwrap().unwrap(), b"1");
    store.delete(b"a").unwrap();
    assert!(store.read_last_entry().unwrap().is_none());
}

#[test]
fn values_of_zeros_can_be_moved_and_compacted() {
    let (scratch, store) = new_store();
    let target = scratch.open("target.bin");
    store.write(b"zeros", &[0; 8]).unwrap();
    store.rename(b"zeros", b"renamed").unwrap();
    store.copy(b"renamed", &target).unwrap();
    store.compact().unwrap();
    for value in [store.read(b"renamed"), target.read(b"renamed")] {
        assert_eq!(value.unwrap().unwrap(), &[0; 8]);
    }
}

#[test]
fn the_last_operation_of_a_batch_wins_here_and_after_reopening() {
    let (scratch, store) = new_store();
    let (kept, gone) = (compute_hash(b"kept"), compute_hash(b"gone"));
    let batch: Vec<(u64, &[u8])> = vec![
        (kept, b"\0"),
        (kept, b"value"),
        (gone, b"value"),
        (gone, b"\0"),
    ];
    store.batch_write_with_key_hashes(batch, true).unwrap();
    assert_eq!(store.read(b"kept").unwrap().unwrap(), b"value");
    assert!(!store.exists(b"gone").unwrap());
    drop(store);
    let store = scratch.open("store.bin");
    assert_eq!(store.read(b"kept").unwrap().unwrap(), b"value");
    assert!(!store.exists(b"gone").unwrap());
}

#[test]
fn the_estimate_of_a_compaction_is_exact() {
    let (_scratch, store) = new_store();
    for n in 0..100_u8 {
        store.write(&[n % 20], &bytes(1 + usize::from(n))).unwrap();
    }
    let before = store.file_size().unwrap();
    let savings = store.estimate_compaction_savings();
    store.compact().unwrap();
    assert_eq!(store.file_size().unwrap(), before - savings);
    assert_eq!(store.estimate_compaction_savings(), 0);
}

#[test]
fn a_handle_goes_on_after_its_compaction() {
    let (scratch, store) = new_store();
    for _ in 0..5 {
        store.write(b"key", &bytes(1000)).unwrap();
    }
    store.compact().unwrap();
    store.write(b"later", b"value").unwrap();
    let size = store.file_size().unwrap();
    store.close().unwrap();
    let path = scratch.path("store.bin");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), size);
    let store = scratch.open("store.bin");
    assert_eq!(store.read(b"key").unwrap().unwrap(), bytes(1000));
    assert_eq!(store.read(b"later").unwrap().unwrap(), b"value");
}

#[test]
fn a_file_beside_the_store_is_not_taken_for_a_compaction() {
    let (scratch, store) = new_store();
    store.batch_write(&[(b"a", b"1"), (b"b", b"2")]).unwrap();
    let path = scratch.path("store.bin");
    let backup = tailstone::utils::append_extension(&path, "bk");
    let bytes = [b"1".to_vec(), vec![9; 300]].concat();
    std::fs::write(&backup, &bytes).unwrap();
    store.delete(b"b").unwrap();
    store.compact().unwrap();
    assert_eq!(std::fs::read(&backup).unwrap(), bytes);
    assert_eq!(store.len().unwrap(), 1);
}

#[test]
fn a_rotten_value_is_not_given_a_new_checksum() {
    let (scratch, store) = new_store();
    store.write(b"rotten", b"a value to damage").unwrap();
    store.write(b"sound", b"another value").unwrap();
    store.close().unwrap();
    let path = scratch.path("store.bin");
    let mut file = std::fs::read(&path).unwrap();
    file[0] ^= 0xff;
    std::fs::write(&path, &file).unwrap();

    let store = scratch.open("store.bin");
    let target = scratch.open("target.bin");
    assert!(matches!(
        store.copy(b"rotten", &target),
        Err(Error::Corrupt { .. })
    ));
    assert!(matches!(
        store.rename(b"rotten", b"new"),
        Err(Error::Corrupt { .. })
    ));
    store.compact().unwrap();
    assert!(!store.read(b"rotten").unwrap().unwrap().is_valid_checksum());
    store.close().unwrap();
    let strict = DataStore::options().verify_reads(true).open(&path).unwrap();
    assert!(matches!(strict.read(b"rotten"), Err(Error::Corrupt { .. })));
    assert!(strict.read(b"sound").unwrap().is_some());
}
