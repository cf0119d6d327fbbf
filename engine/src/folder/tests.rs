//! Folders on the disk, plain ones and such as want to get out.

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

/// Keys that want out: put together from what has got others out. The folder lies deeper than any of them climbs, and what is
/// absolute names a folder of this test, so that a broken export is seen and still harms nobody.
#[test]
fn nothing_is_written_outside_whatever_the_keys_are() {
    let seed = 0x5afe_f01d_u64;
    println!("seed {seed:#x}");
    let parts: [&[u8]; 20] = [
        b"..",
        b".",
        b"",
        b"a",
        b"b",
        b"\0",
        b"..\\..",
        b"C:",
        b"\\\\host\\share",
        b"con",
        b"NUL",
        b"a:b",
        b"link",
        b"dangling",
        b"up",
        b"\xff\xfe",
        b"~",
        b"outside",
        b"a\nb",
        &[b'n'; 300],
    ];
    let mut state = seed;
    let mut next = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    let store = MemoryStore::new();
    let bucket = store.bucket("hostile").unwrap();
    for key in [
        "../x",
        "../../x",
        "a/../../x",
        "..",
        "/",
        "",
        "link/x",
        "up/x",
        "a//b",
    ] {
        bucket.set(key.as_bytes(), b"hostile").unwrap();
    }
    for _ in 0..600 {
        let key: Vec<&[u8]> = (0..=next(5)).map(|_| parts[next(parts.len())]).collect();
        let key = key.join(&b'/');
        if !key.starts_with(b"/") {
            bucket.set(&key, b"hostile").unwrap();
        }
    }
    for overwrites in [false, true] {
        let (folder, _) = scratch();
        let deep = Path::new("inner/1/2/3/4/5/6/7/8");
        let root = folder.path().join(deep);
        fs::create_dir_all(&root).unwrap();
        write(folder.path(), "outside/kept", b"kept");
        let absolute = folder.path().join("outside/x");
        let absolute = absolute.to_str().unwrap();
        bucket.set(absolute.as_bytes(), b"hostile").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(folder.path().join("outside"), root.join("link")).unwrap();
            symlink(folder.path().join("outside/made"), root.join("dangling")).unwrap();
            symlink("..", root.join("up")).unwrap();
            fs::create_dir(root.join("b")).unwrap();
            symlink(folder.path().join("outside"), root.join("b/link")).unwrap();
        }
        let outside = |(path, _): &(PathBuf, Vec<u8>)| !path.starts_with(deep);
        let before: Vec<_> = tree(folder.path()).into_iter().filter(outside).collect();
        let report = export(&bucket, &root, &ExportOptions::new().overwrite(overwrites));
        let after: Vec<_> = tree(folder.path()).into_iter().filter(outside).collect();
        assert_eq!(after, before);
        assert!(
            report.files > 20 && report.missing_count > 200,
            "{report:?}"
        );
        let skipped = reasons(&report);
        for key in ["../x", absolute, "a/../../x", "/", "", ".."] {
            assert_eq!(skipped[key], "Name", "{key}");
        }
        // What was written is what was counted, the links aside that were taken by a key's own file.
        let written = tree(&root)
            .into_values()
            .filter(|value| value == b"hostile");
        assert_eq!(u64::try_from(written.count()).unwrap(), report.files);
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

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
}
