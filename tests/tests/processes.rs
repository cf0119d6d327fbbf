//! Two processes on one file, and processes that are killed while they write.
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
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tailstone::{DataStore, DataStoreReader, DataStoreWriter, Error, Options};
use tailstone_tests::Rng;

const ROLE: &str = "TAILSTONE_TEST_ROLE";
const PATH: &str = "TAILSTONE_TEST_PATH";

/// Starts this program again to run the test `role` alone.
fn start(role: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([role, "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(PATH, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The path to work on, if this process was started to be `role`.
fn playing(role: &str) -> Option<std::path::PathBuf> {
    (std::env::var(ROLE).ok()? == role).then(|| std::env::var_os(PATH).unwrap().into())
}

/// Reads lines until one starts with `word`.
fn wait_for(output: &mut impl BufRead, word: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(
            output.read_line(&mut line).unwrap() > 0,
            "the other process ended before it said {word}"
        );
        if let Some(rest) = line.trim_end().strip_prefix(word) {
            return rest.trim().to_owned();
        }
    }
}

#[test]
fn role_holder() {
    let Some(path) = playing("role_holder") else {
        return;
    };
    let store = DataStore::open(&path).unwrap();
    store.write(b"held", b"by another process").unwrap();
    println!("\nready");
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    drop(store);
}

#[test]
fn a_second_writer_is_locked_out_and_a_killed_one_leaves_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("locked.tsl");
    let mut holder = start("role_holder", &path);
    wait_for(&mut BufReader::new(holder.stdout.take().unwrap()), "ready");
    assert!(matches!(
        DataStore::open(&path).unwrap_err(),
        Error::Locked(_)
    ));
    assert!(matches!(
        Options::new().read_only(true).open(&path).unwrap_err(),
        Error::Locked(_)
    ));
    holder.kill().unwrap();
    holder.wait().unwrap();
    let store = DataStore::open(&path).unwrap();
    assert_eq!(store.read(b"held").unwrap().unwrap(), b"by another process");
}

#[test]
fn a_second_handle_in_this_process_is_locked_out_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("locked.tsl");
    let store = DataStore::open(&path).unwrap();
    assert!(matches!(
        DataStore::open(&path).unwrap_err(),
        Error::Locked(_)
    ));
    let roundabout = folder.path().join(".").join("locked.tsl");
    assert!(matches!(
        DataStore::open(&roundabout).unwrap_err(),
        Error::Locked(_)
    ));
    store.write(b"k", b"first").unwrap();
    store.compact().unwrap();
    assert!(
        matches!(DataStore::open(&path).unwrap_err(), Error::Locked(_)),
        "after a compaction"
    );
    drop(store);
    DataStore::open(&path).unwrap();
}

#[test]
fn read_only_handles_share_a_file_that_nobody_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.tsl");
    let store = DataStore::open(&path).unwrap();
    store.write(b"k", b"value").unwrap();
    drop(store);
    let read_only = Options::new().create(false).read_only(true);
    let (one, two) = (
        read_only.open(&path).unwrap(),
        read_only.open(&path).unwrap(),
    );
    assert_eq!(one.read(b"k").unwrap().unwrap(), b"value");
    assert_eq!(two.read(b"k").unwrap().unwrap(), b"value");
    assert!(matches!(
        one.write(b"k", b"other").unwrap_err(),
        Error::ReadOnly
    ));
    assert!(matches!(one.delete(b"k").unwrap_err(), Error::ReadOnly));
    assert!(matches!(one.compact().unwrap_err(), Error::ReadOnly));
    assert!(matches!(
        DataStore::open(&path).unwrap_err(),
        Error::Locked(_)
    ));
}

/// The value of `key` in `round`, whole pages now and then.
fn value(round: u64, key: u64) -> Vec<u8> {
    let mut rng = Rng::new(round << 32 | key);
    let len = if key.is_multiple_of(50) {
        100_000
    } else {
        1 + rng.below(400)
    };
    let mut bytes = rng.bytes(len);
    bytes[0] |= 1;
    bytes
}

#[test]
fn role_victim() {
    let Some(path) = playing("role_victim") else {
        return;
    };
    let round: u64 = std::env::var("TAILSTONE_TEST_ROUND")
        .unwrap()
        .parse()
        .unwrap();
    let store = DataStore::open(&path).unwrap();
    let mut out = std::io::stdout().lock();
    for key in 0_u64.. {
        let name = key.to_le_bytes();
        match key % 10 {
            8 => {
                let values: Vec<_> = (0..20)
                    .map(|at| (key << 8 | at, value(round, key << 8 | at)))
                    .collect();
                let names: Vec<_> = values.iter().map(|(key, _)| key.to_be_bytes()).collect();
                let batch: Vec<(&[u8], &[u8])> = names
                    .iter()
                    .zip(&values)
                    .map(|(name, (_, value))| (&name[..], &value[..]))
                    .collect();
                store.batch_write(&batch).unwrap();
            }
            9 => drop(
                store
                    .write_stream(&name, &mut &value(round, key)[..])
                    .unwrap(),
            ),
            _ => drop(store.write(&name, &value(round, key)).unwrap()),
        }
        if key % 97 == 96 {
            store.compact().unwrap();
        }
        writeln!(out, "\ndone {key}").unwrap();
    }
}

/// What a process said it had written is there after it was killed, and nothing else is damaged.
#[test]
fn killed_while_writing() {
    let rounds = std::env::var("TAILSTONE_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(30);
    let mut rng = Rng::from_environment("killed_while_writing", 51);
    let folder = tempfile::tempdir().unwrap();
    let mut written = 0;
    for round in 0_u64..rounds {
        let path = folder.path().join(format!("victim{round}.tsl"));
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["role_victim", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, "role_victim")
            .env(PATH, &path)
            .env("TAILSTONE_TEST_ROUND", round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(victim.stdout.take().unwrap());
        wait_for(&mut output, "done 0");
        let reading = std::thread::spawn(move || {
            let mut last = 0_u64;
            for line in output.lines().map_while(Result::ok) {
                if let Some(key) = line.strip_prefix("done ").and_then(|key| key.parse().ok()) {
                    last = key;
                }
            }
            last
        });
        std::thread::sleep(Duration::from_micros(rng.next_u64() % 60_000));
        victim.kill().unwrap();
        victim.wait().unwrap();
        let acknowledged = reading.join().unwrap();
        written += acknowledged;

        let store = DataStore::open(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        for key in 0..=acknowledged {
            if key % 10 == 8 {
                for at in 0..20 {
                    let key = key << 8 | at;
                    let read = store
                        .read(&key.to_be_bytes())
                        .unwrap()
                        .expect("an acknowledged batch is gone");
                    assert_eq!(
                        read.as_slice(),
                        value(round, key),
                        "round {round}, key {key}"
                    );
                }
            } else {
                let read = store
                    .read(&key.to_le_bytes())
                    .unwrap()
                    .expect("an acknowledged value is gone");
                assert_eq!(
                    read.as_slice(),
                    value(round, key),
                    "round {round}, key {key}"
                );
            }
        }
        assert!(
            store.iter_entries().all(|entry| entry.is_valid_checksum()),
            "round {round}"
        );
        drop(store);
        std::fs::remove_file(&path).unwrap();
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert!(left.is_empty(), "round {round} left {left:?}");
    }
    println!("{written} operations acknowledged over {rounds} rounds");
}
