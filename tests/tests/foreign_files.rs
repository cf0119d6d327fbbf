//! What is no store is refused in words and left as it was.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::path::Path;
use tailstone::{DataStore, Error, Options};
use tailstone_tests::Rng;

fn refused(path: &Path) -> Error {
    let first = DataStore::open(path).unwrap_err();
    let again = DataStore::open_existing(path).unwrap_err();
    assert_eq!(first.to_string(), again.to_string());
    let read_only = Options::new()
        .create(false)
        .read_only(true)
        .open(path)
        .unwrap_err();
    assert_eq!(first.to_string(), read_only.to_string());
    first
}

fn sqlite_header() -> Vec<u8> {
    let mut bytes = b"SQLite format 3\0".to_vec();
    bytes.resize(4096, 0);
    bytes[16..24].copy_from_slice(&[0x10, 0, 1, 1, 0, 0x40, 0x20, 0x20]);
    bytes[4000..4012].copy_from_slice(b"CREATE TABLE");
    bytes
}

fn png() -> Vec<u8> {
    let mut bytes =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89".to_vec();
    bytes.extend_from_slice(
        b"\0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82",
    );
    bytes
}

#[test]
fn other_peoples_files_are_refused_and_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Rng::from_environment("other_peoples_files", 31);
    let own_binary = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let text = "To whom it may concern: this is a letter.\n"
        .repeat(450)
        .into_bytes();
    for (name, bytes) in [
        ("text", text),
        ("one byte", b"x".to_vec()),
        ("twenty bytes", vec![7; 20]),
        (
            "executable",
            own_binary[..own_binary.len().min(3 << 20)].to_vec(),
        ),
        ("picture", png()),
        ("database", sqlite_header()),
        ("random", rng.bytes(100_000)),
        (
            "nearly zeros",
            [vec![0; 5000], vec![1], vec![0; 5000]].concat(),
        ),
        ("all ones", vec![0xff; 300]),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let before = std::fs::metadata(&path).unwrap().modified().unwrap();
        let error = refused(&path);
        assert!(matches!(error, Error::NotAStore { .. }), "{name}: {error}");
        assert!(std::fs::read(&path).unwrap() == bytes, "{name} was changed");
        assert_eq!(
            std::fs::metadata(&path).unwrap().modified().unwrap(),
            before,
            "{name} was written to"
        );
    }
}

#[test]
fn empty_files_and_zeros_are_empty_stores() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("empty", vec![]), ("zeros", vec![0; 70_000])] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let store = DataStore::open(&path).unwrap();
        assert_eq!(store.tail(), 0, "{name}");
    }
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(refused(folder.path()), Error::NotAFile(_)));
    let missing = folder.path().join("missing");
    assert!(matches!(
        DataStore::open_existing(&missing).unwrap_err(),
        Error::NoSuchFile(_)
    ));
    assert!(!missing.exists());
    #[cfg(unix)]
    {
        assert!(matches!(
            refused(Path::new("/dev/null")),
            Error::NotAFile(_)
        ));
        let pipe = folder.path().join("pipe");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        assert!(matches!(refused(&pipe), Error::NotAFile(_)));
    }
}

/// As somebody who owns neither the files nor their folder.
#[cfg(unix)]
#[test]
fn role_without_permission() {
    let Some(folder) = tailstone_tests::child::playing("role_without_permission") else {
        return;
    };
    let denied = |error: &Error| error.kind() == std::io::ErrorKind::PermissionDenied;
    let error = refused(&folder.join("closed"));
    assert!(denied(&error), "{error}");
    assert!(error.to_string().len() > 20, "{error}");
    let readable = folder.join("readable");
    for error in [
        DataStore::open(&readable).unwrap_err(),
        DataStore::open_existing(&readable).unwrap_err(),
        DataStore::open(&folder.join("new")).unwrap_err(),
    ] {
        assert!(denied(&error), "{error}");
    }
    let read_only = Options::new().create(false).read_only(true);
    let store = read_only.open(&readable).unwrap();
    let value = tailstone::DataStoreReader::read(&store, b"key").unwrap();
    assert_eq!(value.unwrap().as_slice(), b"value");
    println!("child: all of it held");
}

#[cfg(unix)]
#[test]
fn files_that_may_not_be_opened_are_refused_and_untouched() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, access) in [("closed", 0o000), ("readable", 0o444)] {
        let path = folder.path().join(name);
        let store = DataStore::open(&path).unwrap();
        tailstone::DataStoreWriter::write(&store, b"key", b"value").unwrap();
        store.close().unwrap();
        mode(&path, access);
    }
    mode(folder.path(), 0o555);
    let closed = folder.path().join("closed");
    // Nobody may refuse root a file, so then another user has to try.
    let wrapper = if std::fs::File::open(&closed).is_ok() {
        "exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\""
    } else {
        ""
    };
    let role = "role_without_permission";
    let mut command = tailstone_tests::child::command(role, folder.path(), wrapper);
    let output = command
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    let seen = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    mode(folder.path(), 0o755);
    // No such program, or one that may not start this one.
    if matches!(output.status.code(), Some(126 | 127)) || told.contains("setpriv:") {
        println!("skipped: {told}");
        return;
    }
    assert!(seen.contains("all of it held"), "{seen}\n{told}");
    mode(&closed, 0o600);
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "something was made");
    let (one, two) = (closed, folder.path().join("readable"));
    assert_eq!(std::fs::read(one).unwrap(), std::fs::read(two).unwrap());
}
