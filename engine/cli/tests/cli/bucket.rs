//! `--bucket`: the same words for keys of a bucket, which takes any value.

use serde_json::Value;
use tailstone::DataStore;

use crate::program::{Bench, Run};

fn json(run: &Run) -> Value {
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn a_bucket_takes_any_value() {
    let bench = Bench::new();
    for value in [&b"1815"[..], b"", &[0], &[0; 100], &vec![255; 200_000]] {
        bench
            .run_with(&["write", "k", "--bucket", "b"], value)
            .expect_status(0);
        let run = bench.run(&["read", "k", "--bucket", "b"]).expect_status(0);
        assert!(run.stdout == value, "{} bytes", value.len());
    }
    bench
        .run(&["write", "k", "", "--bucket", "b"])
        .expect_status(0);
    let run = bench.run(&["read", "k", "--bucket", "b"]).expect_status(0);
    assert!(run.stdout.is_empty());
    // What the plain entries do not take, they still do not.
    bench.run(&["write", "k", ""]).expect_status(2);
}

#[test]
fn the_switch_stands_anywhere() {
    let bench = Bench::new();
    let store = bench.store();
    let store = store.to_str().unwrap();
    for before in [
        &["--bucket", "b", "--sync", store, "write", "k", "v"][..],
        &[store, "--bucket=b", "write", "--sync", "k", "v"],
        &[store, "write", "k", "v", "--json", "--bucket", "b"],
    ] {
        crate::program::finish(&mut crate::program::bare(before)).expect_status(0);
        let args = ["--bucket", "b", store, "read", "k"];
        let run = crate::program::finish(&mut crate::program::bare(&args)).expect_status(0);
        assert_eq!(run.text(), "v");
        bench
            .run(&["delete", "k", "--bucket", "b"])
            .expect_status(0);
    }
    // Where it means nothing it is refused, not ignored.
    for args in [
        &["--bucket", "b", store, "info"][..],
        &[store, "--bucket", "b", "verify"],
    ] {
        let run = crate::program::finish(&mut crate::program::bare(args)).expect_status(2);
        assert!(run.stderr.contains("--bucket"), "{run:?}");
    }
}

#[test]
fn buckets_and_plain_entries_are_apart() {
    let bench = Bench::with(&[("k", "plain")]);
    bench
        .run(&["write", "k", "a", "--bucket", "a"])
        .expect_status(0);
    bench
        .run(&["write", "k", "b", "--bucket", "b"])
        .expect_status(0);
    bench
        .run(&["delete", "k", "--bucket", "a"])
        .expect_status(0);
    let run = bench.run(&["read", "k", "--bucket", "a"]).expect_status(1);
    assert!(
        run.stderr.contains("'k' not found in bucket 'a'"),
        "{run:?}"
    );
    bench
        .run(&["delete", "k", "--bucket", "a"])
        .expect_status(1);
    let run = bench.run(&["read", "k", "--bucket", "b"]).expect_status(0);
    assert_eq!(run.text(), "b");
    assert_eq!(bench.run(&["read", "k"]).expect_status(0).text(), "plain");
}

#[test]
fn a_key_goes_over_with_its_time() {
    let bench = Bench::new();
    let expires_at = u64::MAX / 2;
    {
        let store = DataStore::open(&bench.store()).unwrap();
        let bucket = store.bucket("b").unwrap();
        bucket.set_until(b"k", b"value", expires_at).unwrap();
        bucket.set_until(b"gone", b"value", 1).unwrap();
    }
    let target = bench.path("target.tsl");
    let target = target.to_str().unwrap();
    for missing in [
        &["copy", "gone", target, "--bucket", "b"][..],
        &["move", "gone", target, "--bucket", "b"],
        &["rename", "gone", "k", "--bucket", "b"],
        &["read", "gone", "--bucket", "b"],
        &["metadata", "gone", "--bucket", "b"],
        &["copy", "k", target, "--bucket", "other"],
    ] {
        bench.run(missing).expect_status(1);
    }
    assert!(!bench.path("target.tsl").exists());

    bench
        .run(&["rename", "k", "l", "--bucket", "b"])
        .expect_status(0);
    bench.run(&["read", "k", "--bucket", "b"]).expect_status(1);
    bench
        .run(&["copy", "l", target, "--bucket", "b"])
        .expect_status(0);
    let there = bench
        .run_on(
            target.as_ref(),
            &["metadata", "l", "--bucket", "b", "--json"],
        )
        .expect_status(0);
    let there = json(&there);
    assert_eq!(there["expires_at"], expires_at);
    assert_eq!(there["value_bytes"], 5);
    bench
        .run(&["move", "l", target, "--bucket", "b"])
        .expect_status(0);
    bench.run(&["read", "l", "--bucket", "b"]).expect_status(1);
    let run = bench.run_on(target.as_ref(), &["read", "l", "--bucket", "b"]);
    assert_eq!(run.expect_status(0).text(), "value");
}

#[test]
fn a_renamed_key_is_one_of_the_bucket() {
    let bench = Bench::new();
    for (key, value) in [("a", "1"), ("b", "2"), ("empty", "")] {
        bench
            .run(&["write", key, value, "--bucket", "b"])
            .expect_status(0);
    }
    // Over one that is there, and to one that is not.
    bench
        .run(&["rename", "a", "b", "--bucket", "b"])
        .expect_status(0);
    bench
        .run(&["rename", "empty", "c", "--bucket", "b"])
        .expect_status(0);
    let run = bench.run(&["keys", "--bucket", "b"]).expect_status(0);
    assert_eq!(run.text(), "b\nc\n");
    let run = bench.run(&["read", "b", "--bucket", "b"]).expect_status(0);
    assert_eq!(run.text(), "1");
    let long = "k".repeat(65_537);
    let before = bench.bytes();
    bench
        .run(&["rename", "b", &long, "--bucket", "b"])
        .expect_status(2);
    assert_eq!(bench.bytes(), before);
}

#[test]
fn history_shows_values_without_their_keys() {
    let bench = Bench::new();
    for value in ["1", "", "333"] {
        bench
            .run(&["write", "k", value, "--bucket", "b"])
            .expect_status(0);
    }
    bench
        .run(&["delete", "k", "--bucket", "b"])
        .expect_status(0);
    let args = ["history", "k", "--bucket", "b", "--json"];
    let history = json(&bench.run(&args).expect_status(0));
    let sizes = history["versions"].as_array().unwrap().iter();
    let sizes: Vec<_> = sizes
        .map(|version| version["payload_bytes"].clone())
        .collect();
    assert_eq!(sizes, [Value::Null, 3.into(), 0.into(), 1.into()]);
    bench
        .run(&["history", "x", "--bucket", "b"])
        .expect_status(1);
}
