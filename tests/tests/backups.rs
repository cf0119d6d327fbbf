//! Backups whose process is killed: the target's path names no file or a whole store, and the next backup makes it complete.
//!
//! The other process is this test program again, told by the environment what to be.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]
#![cfg(unix)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tailstone::{DataStore, DataStoreReader, DataStoreWriter, Error};
use tailstone_tests::Rng;

const FOLDER: &str = "TAILSTONE_BACKUP_TEST_FOLDER";
const ROUNDS: usize = 12;

fn source(folder: &Path) -> PathBuf {
    folder.join("source.tsl")
}

fn target(folder: &Path) -> PathBuf {
    folder.join("backup.tsl")
}

/// About a mebibyte that follows from the number.
fn value(number: u64) -> Vec<u8> {
    let words = (1 << 17) + usize::try_from(number % 97).unwrap();
    (number ^ 0x5bd1_e995_7f4a_7c15).to_le_bytes().repeat(words)
}

#[test]
fn role_of_the_one_who_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let store = DataStore::open(&source(&folder)).unwrap();
    println!("\nready");
    for round in 1..1000 {
        let count = u64::try_from(store.len().unwrap()).unwrap();
        for number in count..count + 6 {
            store.write(&number.to_le_bytes(), &value(number)).unwrap();
        }
        if round % 3 == 0 {
            // What was backed up is the beginning of the store no more.
            store.write(&0_u64.to_le_bytes(), &value(0)).unwrap();
            store.compact().unwrap();
        }
        store.backup(target(&folder), &mut |_, _| {}).unwrap();
        println!("complete {}", count + 6);
        std::io::stdout().flush().unwrap();
    }
}

/// How many of the numbered values the backup holds; fails where it holds anything else.
fn values_in(backup: &DataStore) -> u64 {
    let count = u64::try_from(backup.len().unwrap()).unwrap();
    for number in 0..count {
        let held = backup.read(&number.to_le_bytes()).unwrap();
        assert!(held.expect("a value is missing").as_slice() == value(number));
    }
    count
}

#[test]
fn a_killed_backup_leaves_a_whole_store_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut rng = Rng::from_environment("a_killed_backup", 57);
    let (mut complete, mut torn) = (0_u64, 0);
    for round in 0..ROUNDS {
        if round % 6 == 5 {
            // A first backup, of a store that is not small any more.
            std::fs::remove_file(target(folder)).unwrap();
            complete = 0;
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["role_of_the_one_who_is_killed", "--exact", "--nocapture"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while lines.next().expect("ended before it was ready").unwrap() != "ready" {}
        std::thread::sleep(Duration::from_millis(rng.next_u64() % 500));
        child.kill().unwrap();
        child.wait().unwrap();
        let told = lines.filter_map(|line| line.unwrap().strip_prefix("complete ")?.parse().ok());
        complete = told.last().unwrap_or(complete);

        match DataStore::options().read_only(true).open(target(folder)) {
            Ok(backup) => {
                torn += u64::from(!backup.recovery_report().is_clean());
                let held = values_in(&backup);
                assert!(
                    held >= complete,
                    "{held} of {complete} values in round {round}"
                );
            }
            Err(Error::NoSuchFile(_)) => assert_eq!(complete, 0, "round {round}"),
            Err(error) => panic!("round {round}: {error}"),
        }
        let store = DataStore::open(&source(folder)).unwrap();
        if round % 2 == 1 {
            let done = store.backup(target(folder), &mut |_, _| {}).unwrap();
            store.close().unwrap();
            let (copied, bytes) = (std::fs::read(target(folder)), std::fs::read(source(folder)));
            let bytes = bytes.unwrap();
            assert_eq!(done.tail, u64::try_from(bytes.len()).unwrap());
            assert!(copied.unwrap() == bytes, "round {round}");
            complete = values_in(&DataStore::open(&target(folder)).unwrap());
        }
    }
    println!("{ROUNDS} rounds, {torn} of them with a torn append, {complete} values");
    assert!(complete > 12, "hardly anything was written: {complete}");
}
