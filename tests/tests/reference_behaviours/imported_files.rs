//! Folders that are imported into a store.

use crate::extensions::StorageFileImportExt;
use crate::scratch::{Scratch, bytes, new_store};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use tailstone::traits::DataStoreReader;
use tailstone::utils::NamespaceHasher;

/// A folder with files in folders, and what is in each.
fn folder(scratch: &Scratch) -> (PathBuf, Vec<(&'static str, Vec<u8>)>) {
    let root = scratch.path("folder");
    let files = vec![
        ("one.txt", b"first".to_vec()),
        ("two.bin", bytes(70_000)),
        ("sub/three", b"third".to_vec()),
        ("sub/deeper/four", bytes(1000)),
    ];
    for (name, content) in &files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    (root, files)
}

#[test]
fn each_key_is_a_path_and_has_the_files_bytes() {
    let (scratch, store) = new_store();
    let (root, files) = folder(&scratch);
    let imported = store.import_dir_recursively(&root, None).unwrap();
    assert_eq!(imported.len(), files.len());
    for (key, _) in imported {
        let name = String::from_utf8(key.clone()).unwrap();
        let path = root.join(name.replace('/', std::path::MAIN_SEPARATOR_STR));
        let stored = store.read(&key).unwrap().unwrap();
        assert_eq!(stored.as_slice(), fs::read(path).unwrap(), "{name}");
    }
    assert_eq!(store.len().unwrap(), files.len());
}

#[test]
fn a_namespace_makes_other_keys() {
    let (scratch, store) = new_store();
    let (root, files) = folder(&scratch);
    let imported = store.import_dir_recursively(&root, Some(b"space")).unwrap();
    let space = NamespaceHasher::new(b"space");
    for (name, content) in files {
        let key = space.namespace(name.as_bytes());
        assert!(imported.iter().any(|(imported, _)| *imported == key));
        assert_eq!(store.read(&key).unwrap().unwrap().as_slice(), content);
        assert!(store.read(name.as_bytes()).unwrap().is_none());
        let entry = store.read_file_entry(name, Some(b"space")).unwrap();
        assert_eq!(entry.unwrap().as_slice(), content);
    }
}

#[test]
fn a_file_is_read_by_its_path() {
    let (scratch, store) = new_store();
    let (root, files) = folder(&scratch);
    store.import_dir_recursively(root, None).unwrap();
    for (name, content) in files {
        let path = Path::new(name);
        let entry = store.read_file_entry(path, None).unwrap().unwrap();
        assert_eq!(entry.as_slice(), content);
    }
    assert!(store.read_file_entry("none", None).unwrap().is_none());
}

#[test]
fn a_file_is_streamed_by_its_path() {
    let (scratch, store) = new_store();
    let (root, files) = folder(&scratch);
    store.import_dir_recursively(root, None).unwrap();
    for (name, content) in files {
        let mut stream = store.open_file_stream(name, None).unwrap().unwrap();
        let mut streamed = Vec::new();
        stream.read_to_end(&mut streamed).unwrap();
        assert_eq!(streamed, content);
    }
    assert!(store.open_file_stream("none", None).unwrap().is_none());
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let (scratch, store) = new_store();
    let missing = scratch.path("missing");
    let error = store.import_dir_recursively(missing, None).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_file_instead_of_a_folder_is_an_error() {
    let (scratch, store) = new_store();
    let file = scratch.path("file");
    fs::write(&file, b"no folder").unwrap();
    assert!(store.import_dir_recursively(file, None).is_err());
    assert!(store.is_empty().unwrap());
}
