//! Folders on the disk, plain ones and such as want to get out.

mod hostile;
#[cfg(unix)]
mod unix;

use super::{ExportOptions, FolderReport, ImportOptions, SkipReason};
use crate::{Bucket, DataStoreReader, MemoryStore};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

type Bytes = crate::backing::MemoryBacking;

fn scratch() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    // A folder in a folder: what gets out of the inner one is still seen.
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    (folder, inner)
}

fn write(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Every file below `root` with its bytes, every link with where it leads.
fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            let name = path.strip_prefix(root).unwrap().to_path_buf();
            if kind.is_symlink() {
                let to = fs::read_link(&path).unwrap();
                found.insert(name, to.as_os_str().as_encoded_bytes().to_vec());
            } else if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn import(bucket: &Bucket<'_, Bytes>, path: &Path) -> FolderReport {
    let report = bucket.import_folder(path, &ImportOptions::new(), &mut |_, _| {});
    report.unwrap()
}

fn export(bucket: &Bucket<'_, Bytes>, path: &Path, options: &ExportOptions) -> FolderReport {
    bucket.export_folder(path, options, &mut |_, _| {}).unwrap()
}

fn reasons(report: &FolderReport) -> BTreeMap<String, String> {
    let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let skipped = report.skipped.iter();
    skipped
        .map(|skipped| {
            let reason = format!("{:?}", skipped.reason);
            let word = reason.split(['(', ' ']).next().unwrap().to_owned();
            (name(&skipped.name), word)
        })
        .collect()
}

#[test]
fn a_folder_goes_in_and_comes_out_the_same() {
    let (_folder, root) = scratch();
    write(&root, "empty", b"");
    write(&root, "zero", b"\0");
    write(&root, "zeros", &vec![0; 3 << 20]);
    write(&root, "a/b/c.txt", b"deep");
    write(&root, "a/ü", b"umlaut");
    write(&root, "long", &vec![7; (1 << 20) + 1]);
    let store = MemoryStore::new();
    let bucket = store.bucket("files").unwrap();
    let mut told = Vec::new();
    let options = ImportOptions::new().prefix("in/");
    let report = bucket
        .import_folder(&root, &options, &mut |files, bytes| {
            told.push((files, bytes));
        })
        .unwrap();
    assert_eq!((report.files, report.skipped_count), (6, 0));
    assert_eq!(told.last(), Some(&(report.files, report.bytes)));
    assert!(told.is_sorted());
    assert_eq!(
        bucket.get(b"in/a/b/c.txt").unwrap().unwrap().as_slice(),
        b"deep"
    );
    let (_other, copy) = scratch();
    let copied = export(
        &bucket,
        &copy.join("new/folder"),
        &ExportOptions::new().prefix("in/"),
    );
    assert_eq!((copied.files, copied.bytes), (report.files, report.bytes));
    assert!(copied.is_complete());
    assert_eq!(tree(&copy.join("new/folder")), tree(&root));
}

#[test]
fn a_plain_store_takes_all_that_a_plain_entry_holds() {
    let (_folder, root) = scratch();
    write(&root, "empty", b"");
    write(&root, "zero", b"\0");
    write(&root, "zeros", &[0; 2]);
    write(&root, "more zeros", &vec![0; 2 << 20]);
    write(&root, "text", b"text");
    let store = MemoryStore::new();
    let report = store
        .import_folder(&root, &ImportOptions::new(), &mut |_, _| {})
        .unwrap();
    assert_eq!((report.files, report.missing_count), (3, 2));
    assert!(!report.is_complete());
    let skipped = reasons(&report);
    assert_eq!(skipped["empty"], "NotAPlainValue");
    assert_eq!(skipped["zero"], "NotAPlainValue");
    assert_eq!(
        store.read(b"more zeros").unwrap().unwrap(),
        vec![0; 2 << 20]
    );
}

#[test]
fn the_file_left_out_is_left_out() {
    let (_folder, root) = scratch();
    write(&root, "store.tsl", b"itself");
    write(&root, "text", b"text");
    let store = MemoryStore::new();
    let options = ImportOptions::new().leave_out(root.join("store.tsl"));
    let report = store
        .import_folder(&root, &options, &mut |_, _| {})
        .unwrap();
    assert_eq!((report.files, report.skipped_count), (1, 0));
}

#[test]
fn what_is_no_folder_is_an_error() {
    let (_folder, root) = scratch();
    write(&root, "file", b"x");
    let store = MemoryStore::new();
    for path in ["none", "file"] {
        let options = ImportOptions::new();
        let refused = store.import_folder(root.join(path), &options, &mut |_, _| {});
        assert!(refused.is_err(), "{path}");
    }
    let bucket = store.bucket("b").unwrap();
    let options = ExportOptions::new();
    assert!(
        bucket
            .export_folder(root.join("file"), &options, &mut |_, _| {})
            .is_err()
    );
}

#[test]
fn keys_in_each_others_way_and_files_that_exist_are_reported() {
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    for key in ["a", "a/b", "there", "folder", "x/y"] {
        bucket.set(key.as_bytes(), b"new").unwrap();
    }
    for overwrites in [false, true] {
        let (_folder, root) = scratch();
        write(&root, "there", b"old");
        write(&root, "folder/inner", b"old");
        write(&root, "x", b"old");
        let report = export(&bucket, &root, &ExportOptions::new().overwrite(overwrites));
        let skipped = reasons(&report);
        assert_eq!(skipped["folder"], "Conflict");
        assert_eq!(skipped["x/y"], "Conflict");
        assert!(skipped.contains_key("a") != skipped.contains_key("a/b"));
        assert_eq!(skipped.contains_key("there"), !overwrites);
        let there = fs::read(root.join("there")).unwrap();
        assert_eq!(there, if overwrites { b"new" } else { b"old" });
        assert_eq!(tree(&root).len(), 4, "and nothing left beside");
    }
}

#[test]
fn the_first_failure_can_end_it() {
    let store = MemoryStore::new();
    let (_folder, root) = scratch();
    // A key that is too long, by its prefix.
    write(&root, "file", b"x");
    let bucket = store.bucket("b").unwrap();
    let options = ImportOptions::new().prefix(vec![b'p'; 1 << 16]);
    let report = bucket
        .import_folder(&root, &options, &mut |_, _| {})
        .unwrap();
    assert!(matches!(report.skipped[0].reason, SkipReason::Failed(_)));
    let options = options.stop_at_failure(true);
    assert!(
        bucket
            .import_folder(&root, &options, &mut |_, _| {})
            .is_err()
    );
}
