//! Links, pipes, names without Unicode, and files that cannot be read.

use super::{export, import, reasons, scratch, tree, write};
use crate::MemoryStore;
use crate::folder::ExportOptions;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

#[test]
fn links_are_read_in_the_tree_and_skipped_beyond() {
    let (folder, root) = scratch();
    write(folder.path(), "secret", b"secret");
    write(&root, "a/file", b"inside");
    symlink("a/file", root.join("in")).unwrap();
    symlink(root.join("a/file"), root.join("a/absolute")).unwrap();
    symlink("../secret", root.join("out")).unwrap();
    symlink(folder.path().join("secret"), root.join("a/out")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("a", root.join("folder")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    let report = import(&bucket, &root);
    for key in ["a/file", "in", "a/absolute"] {
        let value = bucket.get(key.as_bytes()).unwrap().unwrap();
        assert_eq!(value.as_slice(), b"inside", "{key}");
    }
    assert_eq!((report.files, report.missing_count), (3, 0));
    let skipped = reasons(&report);
    for key in ["out", "a/out", "up", "folder", "dangling", "loop"] {
        assert_eq!(skipped[key], "Link", "{key}");
    }
    // A link to the folder itself is what the caller asked for.
    symlink(&root, folder.path().join("alias")).unwrap();
    assert_eq!(import(&bucket, &folder.path().join("alias")).files, 3);
}

#[test]
fn pipes_and_sockets_are_skipped_without_waiting() {
    let (_folder, root) = scratch();
    write(&root, "file", b"x");
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(root.join("pipe"))
        .status();
    let store = MemoryStore::new();
    let report = import(&store.bucket("b").unwrap(), &root);
    assert_eq!((report.files, report.is_complete()), (1, true));
    let skipped = reasons(&report);
    assert_eq!(skipped["socket"], "NotAFile");
    assert!(!made.is_ok_and(|status| status.success()) || skipped["pipe"] == "NotAFile");
}

#[test]
fn names_keep_their_bytes() {
    let (_folder, root) = scratch();
    let name = OsStr::from_bytes(b"\xff\\ \n.txt");
    if fs::write(root.join(name), b"x").is_err() {
        return; // A file system that takes Unicode alone.
    }
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    assert_eq!(import(&bucket, &root).files, 1);
    assert!(bucket.exists(b"\xff\\ \n.txt").unwrap());
    let (_other, copy) = scratch();
    export(&bucket, &copy, &ExportOptions::new());
    assert_eq!(tree(&copy), tree(&root));
}

#[test]
fn what_cannot_be_read_is_reported_and_the_rest_goes_on() {
    let (_folder, root) = scratch();
    write(&root, "closed", b"x");
    write(&root, "shut/file", b"x");
    write(&root, "z/open", b"x");
    let shut = |path: &str, mode| {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    shut("closed", 0);
    shut("shut", 0);
    let is_root = fs::read(root.join("closed")).is_ok();
    let store = MemoryStore::new();
    let report = import(&store.bucket("b").unwrap(), &root);
    shut("shut", 0o700);
    if is_root {
        return; // Nothing is closed to this user.
    }
    assert_eq!((report.files, report.missing_count), (1, 2));
    assert_eq!(reasons(&report)["closed"], "Failed");
    assert_eq!(reasons(&report)["shut"], "Failed");
}

/// Files of the kernel say that they are empty and are not.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_lies_about_its_length_is_reported() {
    let (folder, _) = scratch();
    let store = MemoryStore::new();
    let bucket = store.bucket("b").unwrap();
    let report = import(&bucket, Path::new("/proc/sys/kernel/random"));
    assert_eq!(report.files, 0);
    assert!(report.missing_count > 0, "{report:?}");
    assert_eq!(store.tail(), 0);
    drop(folder);
}
