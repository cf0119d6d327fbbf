//! The same operations here and in the reference make the same bytes, and each opens the other's files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::collections::BTreeMap;
use std::path::Path;
use tailstone::{DataStoreReader as _, DataStoreWriter as _};
use tailstone_tests::{Operation, Rng, script};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Applies `operation` to a store of either crate: their methods have the same names.
macro_rules! apply {
    ($store:expr, $operation:expr, $model:expr) => {
        match $operation {
            Operation::Write(key, value) => $store.write(key, value).map(drop).unwrap(),
            Operation::Batch(entries) => {
                let entries: Vec<(&[u8], &[u8])> = entries.iter().map(|(k, v)| (&k[..], &v[..])).collect();
                if !entries.is_empty() {
                    $store.batch_write(&entries).map(drop).unwrap();
                }
            }
            Operation::Stream(key, value) => $store.write_stream(key, &mut &value[..]).map(drop).unwrap(),
            Operation::Delete(key) => $store.delete(key).map(drop).unwrap(),
            Operation::BatchDelete(keys) => {
                let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
                $store.batch_delete(&keys).map(drop).unwrap();
            }
            // The reference refuses to move a value of zeros, which is one of the faults not repeated here.
            Operation::Rename(from, to) => {
                if $model.get(from).is_some_and(|value| value.iter().any(|byte| *byte != 0)) {
                    $store.rename(from, to).map(drop).unwrap();
                }
            }
        }
    };
}

fn apply_to_model(model: &mut Model, operation: &Operation) {
    match operation {
        Operation::Write(key, value) | Operation::Stream(key, value) => {
            model.insert(key.clone(), value.clone());
        }
        Operation::Batch(entries) => model.extend(entries.iter().cloned()),
        Operation::Delete(key) => drop(model.remove(key)),
        Operation::BatchDelete(keys) => keys.iter().for_each(|key| drop(model.remove(key))),
        Operation::Rename(from, to) => {
            if model
                .get(from)
                .is_some_and(|value| value.iter().any(|byte| *byte != 0))
            {
                let value = model.remove(from).unwrap();
                model.insert(to.clone(), value);
            }
        }
    }
}

fn check_here(path: &Path, model: &Model) {
    let store = tailstone::DataStore::open_existing(path).unwrap();
    assert_eq!(store.len().unwrap(), model.len());
    for (key, value) in model {
        let read = store.read(key).unwrap().unwrap();
        assert_eq!(read.as_slice(), value);
        assert!(read.is_valid_checksum());
        assert_eq!(read.as_slice().as_ptr().addr() % 64, 0);
    }
}

fn check_there(path: &Path, model: &Model) {
    use simd_r_drive::traits::DataStoreReader as _;
    let store = simd_r_drive::DataStore::open_existing(path).unwrap();
    for (key, value) in model {
        assert_eq!(store.read(key).unwrap().unwrap().as_slice(), value);
    }
    assert_eq!(store.iter_entries().count(), model.len());
}

#[test]
fn the_same_operations_make_the_same_bytes() {
    let mut rng = Rng::from_environment("the_same_operations_make_the_same_bytes", 1);
    for round in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (
            folder.path().join("ours.tsl"),
            folder.path().join("theirs.bin"),
        );
        let operations = script(&mut rng, 60);
        let mut model = Model::new();
        {
            use simd_r_drive::traits::DataStoreWriter as _;
            let store = simd_r_drive::DataStore::open(&theirs).unwrap();
            for operation in &operations {
                apply!(store, operation, model);
                apply_to_model(&mut model, operation);
            }
        }
        model.clear();
        let store = tailstone::DataStore::open(&ours).unwrap();
        for operation in &operations {
            apply!(store, operation, model);
            apply_to_model(&mut model, operation);
        }
        store.close().unwrap();
        let (our_bytes, their_bytes) = (
            std::fs::read(&ours).unwrap(),
            std::fs::read(&theirs).unwrap(),
        );
        assert!(
            our_bytes == their_bytes,
            "round {round}: {} against {} bytes",
            our_bytes.len(),
            their_bytes.len()
        );
        check_there(&ours, &model);
        check_here(&theirs, &model);
        assert_eq!(
            std::fs::read(&theirs).unwrap(),
            their_bytes,
            "opening changed the file"
        );
    }
}

#[test]
fn each_goes_on_where_the_other_stopped() {
    let mut rng = Rng::from_environment("each_goes_on_where_the_other_stopped", 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.tsl");
    let mut model = Model::new();
    for turn in 0..12 {
        let operations = script(&mut rng, 15);
        if turn % 2 == 0 {
            let store = tailstone::DataStore::open(&path).unwrap();
            for operation in &operations {
                apply!(store, operation, model);
                apply_to_model(&mut model, operation);
            }
        } else {
            use simd_r_drive::traits::DataStoreWriter as _;
            let store = simd_r_drive::DataStore::open(&path).unwrap();
            for operation in &operations {
                apply!(store, operation, model);
                apply_to_model(&mut model, operation);
            }
        }
        check_here(&path, &model);
        check_there(&path, &model);
    }
}

#[test]
fn a_compacted_store_opens_there() {
    let mut rng = Rng::from_environment("a_compacted_store_opens_there", 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compacted.tsl");
    let mut model = Model::new();
    let store = tailstone::DataStore::open(&path).unwrap();
    for operation in &script(&mut rng, 300) {
        apply!(store, operation, model);
        apply_to_model(&mut model, operation);
    }
    let predicted = store.file_size().unwrap() - store.estimate_compaction_savings();
    store.compact().unwrap();
    assert_eq!(store.file_size().unwrap(), predicted);
    store.write(b"after", b"compaction").unwrap();
    model.insert(b"after".to_vec(), b"compaction".to_vec());
    store.close().unwrap();
    check_here(&path, &model);
    check_there(&path, &model);
}
