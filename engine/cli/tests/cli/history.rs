//! `history`: a line for each version, newest first, of whatever is still in the file.

use std::fs;

use serde_json::{Value, json};
use tailstone::{DataStore, DataStoreReader};

use crate::program::{Bench, Run};

/// The lines, each as its words.
fn lines(run: &Run) -> Vec<Vec<&str>> {
    let lines = run.text().lines();
    lines
        .map(|line| line.split_whitespace().collect())
        .collect()
}

/// The example of the format's description: a batch, a deletion, and a value that came back.
fn example() -> Bench {
    let bench = Bench::with(&[("a", "A1"), ("b", "BBB")]);
    bench.run(&["delete", "a"]).expect_status(0);
    bench.run(&["write", "a", "A2"]).expect_status(0);
    bench
}

#[test]
fn each_version_has_a_line() {
    let bench = example();
    let run = bench.run(&["history", "a"]).expect_status(0);
    assert_eq!(
        lines(&run),
        [
            &["150", "2", "606c3d3b"][..],
            &["108", "0", "deleted"],
            &["22", "2", "f9656c81"]
        ]
    );
    assert_eq!(run.stderr, "");
    let run = bench.run(&["history", "b"]).expect_status(0);
    assert_eq!(lines(&run), [["87", "3", "d6c28d87"]]);
}

#[test]
fn a_key_that_is_deleted_has_a_history_and_one_that_never_was_has_none() {
    let bench = example();
    bench.run(&["delete", "a"]).expect_status(0);
    bench.run(&["read", "a"]).expect_status(1);
    let run = bench.run(&["history", "a"]).expect_status(0);
    assert_eq!(lines(&run).len(), 4);
    assert_eq!(lines(&run)[0], ["171", "0", "deleted"]);
    let run = bench.run(&["history", "never"]).expect_status(1);
    assert!(run.stdout.is_empty(), "{run:?}");
    // Compaction forgets: of what is deleted nothing stays.
    bench.run(&["compact"]).expect_status(0);
    bench.run(&["history", "a"]).expect_status(1);
    let run = bench.run(&["history", "b"]).expect_status(0);
    assert_eq!(lines(&run).len(), 1);
}

#[test]
fn json_has_the_same() {
    let bench = example();
    let run = bench.run(&["history", "a", "--json"]).expect_status(0);
    assert_eq!(run.text().lines().count(), 1, "{run:?}");
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let value = |tail: u64, offset: u64, checksum: &str| {
        json!({
            "tail": tail, "offset": offset, "deleted": false,
            "payload_bytes": 2, "checksum": checksum, "checksum_valid": true,
        })
    };
    let deletion = json!({
        "tail": 108, "offset": 87, "deleted": true,
        "payload_bytes": null, "checksum": null, "checksum_valid": null,
    });
    assert_eq!(
        report,
        json!({
            "key": "a",
            "versions": [value(150, 108, "606c3d3b"), deletion, value(22, 0, "f9656c81")],
        })
    );
}

#[test]
fn a_tail_that_is_shown_is_one_that_a_program_can_go_back_to() {
    let bench = example();
    let run = bench.run(&["history", "a"]).expect_status(0);
    let store = DataStore::options()
        .read_only(true)
        .open(bench.store())
        .unwrap();
    let values: Vec<_> = lines(&run)
        .iter()
        .map(|words| {
            let view = store.as_of(words[0].parse().unwrap()).unwrap();
            let value = view.read(b"a").unwrap();
            value.map(|value| value.as_slice().to_vec())
        })
        .collect();
    assert_eq!(values, [Some(b"A2".to_vec()), None, Some(b"A1".to_vec())]);
    assert_eq!(store.len().unwrap(), 2);
}

#[test]
fn a_damaged_value_is_marked() {
    let bench = Bench::with(&[("a", "sound"), ("a", "spoilt"), ("a", "newest")]);
    let mut bytes = bench.bytes();
    bytes[64] ^= 0x20;
    fs::write(bench.store(), &bytes).unwrap();
    let run = bench.run(&["history", "a"]).expect_status(0);
    let marked: Vec<_> = lines(&run)
        .iter()
        .map(|words| words.last() == Some(&"INVALID"))
        .collect();
    assert_eq!(marked, [false, true, false]);
    assert_eq!(bench.bytes(), bytes);
}
