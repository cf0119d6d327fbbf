//! `keys` and `buckets`: names as they are, in order, and no more of them than asked for.

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;
use tailstone::{DataStore, DataStoreWriter, compute_hash};

use crate::program::Bench;

fn filled() -> Bench {
    let bench = Bench::with(&[("plain", "12345"), ("other", "1")]);
    let store = DataStore::open(&bench.store()).unwrap();
    let users = store.bucket("users").unwrap();
    for key in [
        &b"bob"[..],
        b"ada",
        b"",
        b"two\nlines",
        b"\xff\x00",
        b"alan",
        b"gone",
    ] {
        users.set(key, b"value").unwrap();
    }
    users.delete(b"gone").unwrap();
    users.set_until(b"expired", b"value", 1).unwrap();
    store.bucket("a\x1bb").unwrap().set(b"k", b"").unwrap();
    store.bucket("empty").unwrap().set(b"k", b"").unwrap();
    store.bucket("empty").unwrap().delete(b"k").unwrap();
    store.write(b"other", b"22").unwrap();
    drop(store);
    bench
}

#[test]
fn keys_come_in_order() {
    let bench = filled();
    let run = bench
        .run(&["keys", "--bucket", "users", "-0"])
        .expect_status(0);
    let listed: Vec<_> = run.stdout.split(|&byte| byte == 0).collect();
    // The last key holds a zero itself.
    assert_eq!(
        listed,
        [
            &b""[..],
            b"ada",
            b"alan",
            b"bob",
            b"two\nlines",
            b"\xff",
            b"",
            b""
        ]
    );
    let run = bench
        .run(&["keys", "--bucket", "users", "--prefix", "a"])
        .expect_status(0);
    assert_eq!(run.text(), "ada\nalan\n");
    for none in [
        &["keys", "--bucket", "nobody"][..],
        &["keys", "--bucket", "users", "--prefix", "ab"],
    ] {
        let run = bench.run(none).expect_status(0);
        assert!(run.stdout.is_empty() && run.stderr.is_empty(), "{run:?}");
    }
}

#[test]
fn every_key_is_a_line_of_json() {
    let bench = filled();
    let run = bench
        .run(&["keys", "--bucket", "users", "--json"])
        .expect_status(0);
    let lines: Vec<Value> = run
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[4]["key"], "two\nlines");
    assert_eq!(lines[5]["key_hex"], "ff00");
}

#[test]
fn plain_entries_are_listed_by_hash() {
    let bench = filled();
    let run = bench.run(&["keys"]).expect_status(0);
    let (plain, other) = (compute_hash(b"plain"), compute_hash(b"other"));
    assert_eq!(run.text(), format!("{other:016x} 2\n{plain:016x} 5\n"));
}

#[test]
fn buckets_with_keys_are_listed() {
    let bench = filled();
    let run = bench.run(&["buckets"]).expect_status(0);
    assert_eq!(run.text(), "a\x1bb\nusers\n");
    let run = bench.run(&["buckets", "--json"]).expect_status(0);
    assert_eq!(
        run.text(),
        "{\"bucket\":\"a\\u001bb\"}\n{\"bucket\":\"users\"}\n"
    );
}

#[test]
fn whoever_wants_the_first_keys_only_gets_them() {
    let bench = Bench::new();
    {
        let store = DataStore::open(&bench.store()).unwrap();
        let bucket = store.bucket("b").unwrap();
        let keys: Vec<_> = (0..30_000).map(|n| format!("key {n:06}")).collect();
        let pairs: Vec<_> = keys.iter().map(|key| (key.as_bytes(), &b""[..])).collect();
        bucket.set_many(&pairs).unwrap();
    }
    let run = bench.run(&["keys", "--bucket", "b"]).expect_status(0);
    assert_eq!(run.text().lines().count(), 30_000);
    assert!(run.text().lines().is_sorted());
    let mut child = bench
        .command(&["keys", "--bucket", "b"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 11];
    stdout.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"key 000000\n");
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}
