//! Where the extensions differ from the reference's on purpose.

use crate::extensions::{StorageCacheExt, StorageFileImportExt, StorageOptionExt};
use crate::scratch::new_store;
use bitcode::{DecodeOwned, Encode};
use std::fmt::Debug;
use std::fs;
use tailstone::DataStore;
use tailstone::traits::DataStoreReader;

#[test]
fn values_that_encode_as_nothing_or_as_none_come_back() {
    fn check<T: Encode + DecodeOwned + PartialEq + Debug>(store: &DataStore, value: &T) {
        store.write_option(b"key", Some(value)).unwrap();
        assert_eq!(store.read_option(b"key").unwrap().as_ref(), Some(value));
    }
    let (_scratch, store) = new_store();
    check(&store, &0_u8);
    check(&store, &false);
    check(&store, &());
    check(&store, &Vec::<u8>::new());
    check(&store, &0xfeff_u16);
    check(&store, &[0xff_u8, 0xfe]);
}

#[test]
fn a_read_of_a_read_only_store_deletes_nothing() {
    let (scratch, store) = new_store();
    store.write_with_ttl(b"key", &1_u32, 0).unwrap();
    store.close().unwrap();
    let path = scratch.path("store.bin");
    let before = fs::read(&path).unwrap();
    let store = DataStore::options().read_only(true).open(&path).unwrap();
    assert_eq!(store.read_with_ttl::<u32>(b"key").unwrap(), None);
    assert_eq!(store.read_with_ttl::<u32>(b"key").unwrap(), None);
    drop(store);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn an_empty_file_does_not_end_an_import() {
    let (scratch, store) = new_store();
    let root = scratch.path("folder");
    fs::create_dir(&root).unwrap();
    for (name, content) in [
        ("a", &b"first"[..]),
        ("b", b""),
        ("c", b"\0"),
        ("d", &[0; 9]),
    ] {
        fs::write(root.join(name), content).unwrap();
    }
    let imported = store.import_dir_recursively(&root, None).unwrap();
    let keys: Vec<_> = imported.into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [b"a", b"d"]);
    assert_eq!(store.len().unwrap(), 2);
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_not_followed() {
    let (scratch, store) = new_store();
    let root = scratch.path("folder");
    fs::create_dir(&root).unwrap();
    fs::write(scratch.path("secret"), b"secret").unwrap();
    fs::write(root.join("file"), b"file").unwrap();
    std::os::unix::fs::symlink("../secret", root.join("out")).unwrap();
    std::os::unix::fs::symlink("file", root.join("in")).unwrap();
    store.import_dir_recursively(&root, None).unwrap();
    assert!(store.read_file_entry("out", None).unwrap().is_none());
    assert_eq!(store.read_file_entry("in", None).unwrap().unwrap(), b"file");
}
