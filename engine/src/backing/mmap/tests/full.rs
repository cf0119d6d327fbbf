//! Writing where there is no room: an error, never a signal, and nothing lost. In processes of their own, because what they
//! guard against kills.

#![cfg(unix)]

use std::io::ErrorKind;
use std::path::Path;

use super::{Folder, MmapBacking, OpenMode, child_folder, in_child};
use crate::backing::{Backing, Resident, Rewrite};

/// What a child prints when it came to its end.
const DONE: &str = "child: all of it held";
/// How the shell says that it could not make a small file system.
const NO_FILE_SYSTEM: i32 = 97;

/// Writes records until that fails, three times over, and looks at everything that was there before.
fn fill(folder: &Path, expected: &[ErrorKind]) {
    for (round, record) in [24, 1000, 40_000].into_iter().enumerate() {
        let path = folder.join("store");
        let backing = MmapBacking::open(&path, OpenMode::Create).unwrap();
        let (pad, payload, metadata) = (
            [0; 20],
            vec![u8::try_from(round + 1).unwrap(); record],
            [9; 20],
        );
        let entry = [&pad[..], &payload, &metadata].concat();
        let (mut at, mut model) = (0, Vec::new());
        let error = loop {
            match backing.write(at, &[&pad, &payload, &metadata]) {
                Ok(()) => model.extend_from_slice(&entry),
                Err(error) => break error,
            }
            at = u64::try_from(model.len()).unwrap();
            assert!(at < 64 << 20, "nothing stopped it");
        };
        assert!(expected.contains(&error.kind()), "{error:?}");
        assert!(at > 200_000, "{error} after {at} bytes");
        assert!(
            backing.bytes(0..at).unwrap() == model,
            "{record}: bytes before the failure"
        );
        assert!(backing.bytes(0..at + 1).is_none());
        // Smaller ones go in for as long as they fit, and then fail in the same way.
        while backing.write(at, &[&[7; 100]]).is_ok() {
            model.extend_from_slice(&[7; 100]);
            at += 100;
        }
        assert!(backing.write(at, &[payload.as_slice(); 300]).is_err());
        let replacement = backing.create_replacement().unwrap();
        let _ = replacement.write(0, &[&entry]);
        drop(replacement);
        backing.truncate(at).unwrap();
        assert!(backing.bytes(0..at).unwrap() == model);
        drop(backing);
        assert!(std::fs::read(&path).unwrap() == model, "{record}: the file");
        std::fs::remove_file(&path).unwrap();
    }
    println!("{DONE}");
}

#[test]
fn a_limit_on_file_sizes_is_an_error() {
    const NAME: &str = "full::a_limit_on_file_sizes_is_an_error";
    if let Some(folder) = child_folder() {
        return fill(&folder, &[ErrorKind::FileTooLarge]);
    }
    let folder = Folder::new();
    let output = in_child(
        NAME,
        folder.0.path(),
        "trap '' XFSZ; ulimit -f 2100; exec \"$@\"",
    );
    let seen = String::from_utf8_lossy(&output.stdout);
    assert!(
        seen.contains(DONE),
        "{} {seen} {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_full_file_system_is_an_error() {
    const NAME: &str = "full::a_full_file_system_is_an_error";
    if let Some(folder) = child_folder() {
        return fill(&folder, &[ErrorKind::StorageFull]);
    }
    let small = |make: &str| {
        let folder = Folder::new();
        // The file system is mounted for the child alone, and gone with it.
        let wrapper = format!(
            "unshare -m true 2>/dev/null || exit {NO_FILE_SYSTEM}; export AT=\"$TAILSTONE_MMAP_TEST_CHILD\"; \
             exec unshare -m sh -c '{{ {make}; }} >/dev/null 2>&1 || exit {NO_FILE_SYSTEM}; exec \"$@\"' sh \"$@\""
        );
        let output = in_child(NAME, folder.0.path(), &wrapper);
        let _ = std::fs::remove_file(folder.0.path().with_extension("ext4"));
        if output.status.code() == Some(NO_FILE_SYSTEM) {
            eprintln!("skipped: this process may not do `{make}`");
            return;
        }
        let seen = String::from_utf8_lossy(&output.stdout);
        assert!(
            seen.contains(DONE),
            "{make}: {} {seen} {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    };
    small("mount -t tmpfs -o size=2m none \"$AT\"");
    small(
        "truncate -s 6M \"$AT.ext4\" && mkfs.ext4 -q -F \"$AT.ext4\" && mount -o loop \"$AT.ext4\" \"$AT\" && rm \"$AT.ext4\"",
    );
}
