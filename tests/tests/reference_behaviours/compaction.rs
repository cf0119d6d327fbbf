//! Compaction gives the space of old versions back and keeps every live value.

use crate::scratch::{bytes, new_store};
use tailstone::traits::{DataStoreReader, DataStoreWriter};

#[test]
fn old_versions_and_deletions_are_dropped() {
    #[allow(unused_mut, reason = "the reference compacts by `&mut self`")]
    let (scratch, mut store) = new_store();
    let key = |n: u8| format!("key {n}").into_bytes();
    for version in 0..6_u8 {
        for n in 0..7 {
            store
                .write(&key(n), &[vec![version + 1], bytes(500)].concat())
                .unwrap();
        }
    }
    store.write(b"going", b"soon deleted").unwrap();
    store.delete(b"going").unwrap();
    let before = store.file_size().unwrap();
    assert!(store.estimate_compaction_savings() > 0);
    store.compact().unwrap();
    drop(store);

    let on_disk = std::fs::metadata(scratch.path("store.bin")).unwrap().len();
    assert!(on_disk * 5 < before, "{on_disk} of {before} bytes are left");
    let store = scratch.open("store.bin");
    assert_eq!(store.len().unwrap(), 7);
    assert!(!store.exists(b"going").unwrap());
    for n in 0..7 {
        let value = store.read(&key(n)).unwrap().unwrap();
        assert_eq!(value[0], 6);
        assert_eq!(value[1..], bytes(500));
        assert!(value.is_valid_checksum());
    }
    assert_eq!(store.iter_entries().count(), 7);
}
