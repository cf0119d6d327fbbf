//! Who may open what, and who is refused at once.

use std::fs;

use super::{Folder, MmapBacking, OpenMode, child_folder, in_child};
use crate::backing::{Backing, Resident, Rewrite};
use crate::error::Error;

#[test]
fn a_writer_excludes_everyone_and_readers_share() {
    let folder = Folder::new();
    let locked = |mode: OpenMode| {
        matches!(
            MmapBacking::open(folder.file(), mode),
            Err(Error::Locked(_))
        )
    };
    let writer = folder.create();
    assert!(locked(OpenMode::Create) && locked(OpenMode::ReadOnly));
    drop(writer);
    let readers = [(), ()].map(|()| MmapBacking::open(folder.file(), OpenMode::ReadOnly).unwrap());
    assert!(locked(OpenMode::Create));
    drop(readers);
    assert!(!locked(OpenMode::Create));
}

#[cfg(unix)]
#[test]
fn a_writer_excludes_other_processes() {
    const NAME: &str = "opening::a_writer_excludes_other_processes";
    if let Some(folder) = child_folder() {
        let outcome = MmapBacking::open(folder.join("store"), OpenMode::Create);
        println!("child: locked={}", matches!(outcome, Err(Error::Locked(_))));
        return;
    }
    let folder = Folder::new();
    let ask = || String::from_utf8(in_child(NAME, folder.0.path(), "exec \"$@\"").stdout).unwrap();
    let writer = folder.create();
    let seen = ask();
    assert!(seen.contains("child: locked=true"), "{seen}");
    drop(writer);
    let seen = ask();
    assert!(seen.contains("child: locked=false"), "{seen}");
}

#[cfg(unix)]
/// As between the making of a process and the start of its program, which has all files of its parent open.
#[test]
fn a_dropped_file_is_free_whoever_has_it_open_still() {
    let folder = Folder::new();
    let backing = folder.create();
    let inherited = backing.file.try_clone().unwrap();
    drop(backing);
    drop(folder.create());
    drop(inherited);
}

#[test]
fn what_is_no_file_is_refused_without_waiting() {
    let folder = Folder::new();
    let pipe = folder.0.path().join("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .is_ok_and(|status| status.success());
    let mut paths = vec![
        folder.0.path().to_path_buf(),
        "/dev/null".into(),
        "/dev/tty".into(),
    ];
    if made {
        paths.push(pipe);
    } else {
        eprintln!("pipe skipped: there is no mkfifo");
    }
    for path in paths.iter().filter(|path| path.exists()) {
        for mode in [OpenMode::Create, OpenMode::ReadOnly, OpenMode::Existing] {
            let outcome = MmapBacking::open(path, mode);
            assert!(
                matches!(outcome, Err(Error::NotAFile(_))),
                "{}: {outcome:?}",
                path.display()
            );
        }
    }
}

#[test]
fn files_are_made_only_when_asked_for() {
    let folder = Folder::new();
    for mode in [OpenMode::ReadOnly, OpenMode::Existing] {
        assert!(matches!(
            MmapBacking::open(folder.file(), mode),
            Err(Error::NoSuchFile(_))
        ));
    }
    assert!(folder.names().is_empty());
    drop(MmapBacking::open(folder.file(), OpenMode::CreateNew).unwrap());
    let again = MmapBacking::open(folder.file(), OpenMode::CreateNew).unwrap_err();
    assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
    MmapBacking::open(folder.file(), OpenMode::Existing).unwrap();
}

#[test]
fn reading_changes_nothing() {
    let folder = Folder::new();
    fs::write(folder.file(), b"bytes of a store").unwrap();
    let mut permissions = fs::metadata(folder.file()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(folder.file(), permissions).unwrap();
    let before = fs::metadata(folder.file()).unwrap().modified().unwrap();
    let backing = MmapBacking::open(folder.file(), OpenMode::ReadOnly).unwrap();
    assert!(backing.is_read_only());
    assert_eq!(backing.bytes(0..16), Some(&b"bytes of a store"[..]));
    assert_eq!(backing.bytes(0..17), None);
    assert_eq!(backing.view(9..16).unwrap().as_ref(), b"a store");
    assert!(backing.write(16, &[b"!"]).is_err());
    assert!(backing.truncate(3).is_err());
    assert!(backing.create_replacement().is_err());
    backing.sync().unwrap();
    drop(backing);
    assert_eq!(fs::read(folder.file()).unwrap(), b"bytes of a store");
    assert_eq!(
        fs::metadata(folder.file()).unwrap().modified().unwrap(),
        before
    );
    assert_eq!(folder.names(), ["store"]);
}

#[test]
fn an_empty_file_can_be_read() {
    let folder = Folder::new();
    fs::write(folder.file(), b"").unwrap();
    let backing = MmapBacking::open(folder.file(), OpenMode::ReadOnly).unwrap();
    assert_eq!(backing.bytes(0..0), Some(&b""[..]));
    assert_eq!(backing.view(0..0).unwrap().as_ref(), b"");
    assert_eq!((backing.bytes(0..1), backing.bytes(1..1)), (None, None));
}
