//! With `--json`, a command that reports prints one line that a parser takes, and nothing else.

use serde_json::Value;

use crate::program::{Bench, Run};

fn parse(run: &Run) -> Value {
    assert_eq!(run.text().lines().count(), 1, "{run:?}");
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn every_report_is_json() {
    let bench = Bench::with(&[("a", "1"), ("b", "22"), ("a", "333")]);
    let target = bench.path("target.tsl");
    let target = target.to_str().unwrap();
    for args in [
        &["info"][..],
        &["metadata", "a"],
        &["history", "a"],
        &["verify"],
        &["write", "c", "4444"],
        &["copy", "a", target],
        &["rename", "b", "d"],
        &["move", "c", target],
        &["delete", "d"],
        &["compact"],
        &["compact", "--if", "0.5"],
        &["backup", "backup.tsl"],
        &["salvage", "rescued.tsl"],
        &["write", "k", "", "--bucket", "b"],
        &["metadata", "k", "--bucket", "b"],
        &["history", "k", "--bucket", "b"],
        &["keys"],
        &["keys", "--bucket", "b"],
        &["buckets"],
        &["copy", "k", target, "--bucket", "b"],
        &["rename", "k", "l", "--bucket", "b"],
        &["delete", "l", "--bucket", "b"],
        &["import", ".", "--bucket", "b"],
        &["export", "out", "--bucket", "b"],
    ] {
        let args = [args, &["--json"]].concat();
        let run = bench.run(&args).expect_status(0);
        assert!(parse(&run).is_object(), "{args:?}: {run:?}");
        assert_eq!(run.stderr, "", "{args:?}");
    }
    let bench = ["bench", "--records", "9", "--rounds", "1", "--json"];
    let run = Bench::new().run(&bench).expect_status(0);
    assert!(parse(&run).is_object(), "{run:?}");
}

#[test]
fn figures_are_true() {
    let bench = Bench::with(&[("a", "1"), ("b", "22"), ("a", "333")]);
    let info = parse(&bench.run(&["info", "--json"]).expect_status(0));
    assert_eq!(info["live_keys"], 2);
    assert_eq!(info["bytes"], bench.bytes().len());
    let metadata = parse(&bench.run(&["--json", "metadata", "a"]).expect_status(0));
    assert_eq!(metadata["payload_bytes"], 3);
    assert_eq!(metadata["total_bytes"], 23);
    assert_eq!(metadata["start_offset"], 128);
    assert_eq!(metadata["end_offset"], 131);
    assert_eq!(metadata["checksum_valid"], true);
    // XXH3-64 of "a".
    assert_eq!(metadata["key_hash"], "e6c632b61e964e1f");
    let stored = parse(
        &bench
            .run(&["write", "\"\n", "x", "--json"])
            .expect_status(0),
    );
    assert_eq!(stored["key"], "\"\n");
    assert_eq!(stored["bytes"], 1);
    assert_eq!(stored["tail"], bench.bytes().len());
}

#[test]
fn a_failure_prints_no_json() {
    let bench = Bench::with(&[("a", "1")]);
    let run = bench.run(&["metadata", "b", "--json"]).expect_status(1);
    assert!(run.stdout.is_empty(), "{run:?}");
}
