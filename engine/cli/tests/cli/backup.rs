//! `backup`: first ones, later ones, and targets that are refused.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tailstone::DataStore;

use crate::program::{Bench, finish};

fn report(bench: &Bench, target: &str) -> Value {
    let run = bench.run(&["backup", target, "--json"]).expect_status(0);
    assert_eq!(run.stderr, "");
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn a_backup_is_brought_up_to_date() {
    let bench = Bench::with(&[("a", "1"), ("b", "2"), ("a", "3")]);
    let first = bench.bytes();
    let done = report(&bench, "backup.tsl");
    assert_eq!(done["copied_bytes"], first.len());
    assert_eq!(done["present_bytes"], 0);
    assert_eq!(fs::read(bench.path("backup.tsl")).unwrap(), first);

    bench.run(&["write", "c", "4"]).expect_status(0);
    let done = report(&bench, "backup.tsl");
    assert_eq!(done["present_bytes"], first.len());
    assert_eq!(done["tail"], bench.bytes().len());
    let backup = bench.path("backup.tsl");
    for (key, value) in [("a", "3"), ("b", "2"), ("c", "4")] {
        let run = bench.run_on(&backup, &["read", key]).expect_status(0);
        assert_eq!(run.text(), value);
    }

    bench.run(&["compact"]).expect_status(0);
    let run = bench.run(&["backup", "backup.tsl"]).expect_status(0);
    assert!(run.stdout.is_empty(), "{run:?}");
    assert!(run.stderr.contains("backup.tsl"), "{run:?}");
    assert_eq!(fs::read(&backup).unwrap(), bench.bytes());
}

#[test]
fn targets_that_are_no_backup_are_refused_and_kept() {
    let bench = Bench::with(&[("a", "1")]);
    let before = bench.bytes();
    fs::write(bench.path("letter.txt"), "a letter").unwrap();
    let run = bench.run(&["backup", "letter.txt"]).expect_status(3);
    assert!(run.stderr.contains("letter.txt"), "{run:?}");
    assert_eq!(fs::read(bench.path("letter.txt")).unwrap(), b"a letter");
    fs::create_dir(bench.path("folder")).unwrap();
    bench.run(&["backup", "folder"]).expect_status(2);
    let run = bench.run(&["backup", "store.tsl"]).expect_status(2);
    assert!(run.stderr.contains("itself"), "{run:?}");
    bench
        .run(&["backup", "missing/backup.tsl"])
        .expect_status(5);
    bench.run(&["backup"]).expect_status(2);
    assert_eq!(bench.bytes(), before);
    let names = fs::read_dir(bench.path("")).unwrap().count();
    assert_eq!(names, 3, "something was left behind");
}

#[test]
fn stores_in_use_are_locked() {
    let bench = Bench::with(&[("a", "1")]);
    bench.run(&["backup", "backup.tsl"]).expect_status(0);
    for path in ["store.tsl", "backup.tsl"] {
        let other = DataStore::open(&bench.path(path)).unwrap();
        let run = bench.run(&["backup", "backup.tsl"]).expect_status(4);
        assert!(run.stderr.contains(path), "{run:?}");
        drop(other);
    }
    bench
        .run_on(&bench.path("none.tsl"), &["backup", "b.tsl"])
        .expect_status(1);
}

/// Runs `backup` where no file may be longer than `blocks` of 512 bytes.
#[cfg(unix)]
fn in_little_room(bench: &Bench, blocks: u32) -> Command {
    let inner = bench.command(&["backup", "backup.tsl"]);
    let mut command = Command::new("sh");
    command
        .current_dir(bench.path(""))
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""))
        .arg("sh")
        .arg(inner.get_program())
        .args(inner.get_args());
    command
}

/// The limit stands for a full disk: a backup that does not fit is an error, and what was there stays as it was.
#[cfg(unix)]
#[test]
fn a_full_disk_takes_nothing_away() {
    const MEBIBYTE: usize = 1 << 20;
    let bench = Bench::new();
    let write = |key, length: usize| {
        let bytes: Vec<u8> = (0..length)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        bench.run_with(&["write", key], &bytes).expect_status(0);
    };
    write("long", 6 * MEBIBYTE);
    finish(&mut in_little_room(&bench, 10_000)).expect_status(5);
    assert!(!bench.path("backup.tsl").exists());
    // With room again, it goes on with what had been copied.
    let done = report(&bench, "backup.tsl");
    assert!(done["present_bytes"].as_u64().unwrap() >= 4 << 20, "{done}");
    let first = bench.bytes();
    assert!(fs::read(bench.path("backup.tsl")).unwrap() == first);

    write("more", 8 * MEBIBYTE);
    finish(&mut in_little_room(&bench, 20_000)).expect_status(5);
    let kept = fs::read(bench.path("backup.tsl")).unwrap();
    assert!(kept == first, "{} bytes of {}", kept.len(), first.len());
    let done = report(&bench, "backup.tsl");
    assert_eq!(done["present_bytes"], first.len());
    assert!(fs::read(bench.path("backup.tsl")).unwrap() == bench.bytes());
}
