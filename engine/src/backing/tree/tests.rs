//! Folders on the disk, with links in the way.

use super::{Folder, Identity, Kind, name_of};
use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Write};

fn name(text: &str) -> &OsStr {
    OsStr::new(text)
}

#[test]
fn files_and_folders_are_made_listed_and_replaced() {
    let scratch = tempfile::tempdir().unwrap();
    let root = Folder::open(scratch.path()).unwrap();
    let inner = root.make_folder(name("inner")).unwrap();
    root.make_folder(name("inner")).unwrap();
    inner
        .make_file(name("b"))
        .unwrap()
        .write_all(b"new")
        .unwrap();
    inner.make_file(name("a")).unwrap();
    assert_eq!(
        inner.make_file(name("a")).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(root.list().unwrap(), [("inner".into(), Kind::Folder)]);
    inner.replace(name("b"), name("a")).unwrap();
    assert_eq!(inner.list().unwrap(), [("a".into(), Kind::File)]);
    let path = scratch.path().join("inner/a");
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(
        inner.identity(name("a")).unwrap(),
        Identity::of(&path).unwrap()
    );
    assert!(root.file(name("inner")).is_err());
    inner.remove(name("a")).unwrap();
    assert!(inner.list().unwrap().is_empty());
    assert_eq!(
        root.folder(name("none")).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert!(Folder::open(&path).is_err());
}

#[test]
fn a_name_is_one_step_down() {
    for bytes in [&b""[..], b".", b"..", b"a/b", b"\0"] {
        assert!(name_of(bytes).is_none());
    }
    assert_eq!(name_of(b"a").unwrap(), name("a"));
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_not_opened() {
    let scratch = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), "outside").unwrap();
    let link = |to, at| std::os::unix::fs::symlink(to, scratch.path().join(at)).unwrap();
    link(outside.path().to_path_buf(), "folder");
    link(outside.path().join("file"), "file");
    link(outside.path().join("new"), "dangling");
    let root = Folder::open(scratch.path()).unwrap();
    for (name, kind) in root.list().unwrap() {
        assert_eq!(kind, Kind::Link);
        assert!(root.file(&name).is_err());
        assert_eq!(
            root.folder(&name).unwrap_err().kind(),
            ErrorKind::NotADirectory
        );
        assert!(root.make_folder(&name).is_err());
        assert_eq!(
            root.make_file(&name).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    // What replaces a link takes the link's place.
    root.make_file(name("other")).unwrap();
    root.replace(name("other"), name("file")).unwrap();
    assert_eq!(fs::read(outside.path().join("file")).unwrap(), b"outside");
    let pipe = scratch.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if made.is_ok_and(|status| status.success()) {
        assert_eq!(root.kind(name("pipe")).unwrap(), Kind::Other);
        assert!(root.file(name("pipe")).is_err());
    }
}
