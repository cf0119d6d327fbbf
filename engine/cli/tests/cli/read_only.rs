//! A command that only reads leaves bytes and time of change alone, whatever state the file is in.

use std::fs::{self, File, Permissions};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::program::Bench;

const READING: [&[&str]; 11] = [
    &["read", "a"],
    &["info"],
    &["metadata", "a"],
    &["history", "a"],
    &["verify"],
    &["copy", "a", "copied.tsl"],
    &["backup", "backup.tsl"],
    &["keys"],
    &["keys", "--bucket", "b"],
    &["buckets"],
    &["export", "exported", "--bucket", "b"],
];

/// Bytes and time of change of the file, which was last changed an hour ago.
fn age(path: &Path) -> (Vec<u8>, SystemTime) {
    let long_ago = SystemTime::now() - Duration::from_hours(1);
    File::options()
        .append(true)
        .open(path)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    state(path)
}

fn state(path: &Path) -> (Vec<u8>, SystemTime) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    (fs::read(path).unwrap(), modified)
}

#[test]
fn a_sound_store_is_not_touched() {
    let bench = Bench::with(&[("a", "1"), ("b", "2")]);
    let before = age(&bench.store());
    for args in READING {
        bench.run(args).expect_status(0);
        assert!(state(&bench.store()) == before, "{args:?}");
    }
}

#[test]
fn a_torn_tail_is_not_cut() {
    for rubbish in [&[0_u8; 4096][..], b"CORRUPT", &[0xff; 40]] {
        let bench = Bench::with(&[("a", "1"), ("b", "2")]);
        let mut bytes = bench.bytes();
        bytes.extend_from_slice(rubbish);
        fs::write(bench.store(), bytes).unwrap();
        let before = age(&bench.store());
        let run = bench.run(&["read", "a"]).expect_status(0);
        assert_eq!(
            run.text(),
            "1",
            "what recovery has to say stays out of the payload"
        );
        for args in READING {
            let run = bench.run(args);
            assert!(matches!(run.status, 0 | 3), "{run:?}");
            assert!(state(&bench.store()) == before, "{args:?}");
        }
    }
}

#[test]
fn no_right_to_write_is_needed() {
    let bench = Bench::with(&[("a", "1")]);
    let before = age(&bench.store());
    // Whoever runs the tests as root is not stopped by this; the bytes and the time are compared all the same.
    let mut permissions: Permissions = fs::metadata(bench.store()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(bench.store(), permissions).unwrap();
    for args in READING {
        bench.run(args).expect_status(0);
        assert!(state(&bench.store()) == before, "{args:?}");
    }
}
