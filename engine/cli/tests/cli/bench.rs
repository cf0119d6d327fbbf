//! `bench`: figures for every step, and nothing that was there is touched.

use std::fs;

use serde_json::Value;

use crate::program::Bench;

const SMALL: [&str; 7] = ["bench", "--records", "40", "--rounds", "2", "--batch", "15"];

#[test]
fn it_leaves_nothing_behind() {
    let bench = Bench::new();
    let run = bench.run(&SMALL).expect_status(0);
    for step in [
        "plain writes",
        "single writes",
        "batches",
        "reads in order",
        "reads shuffled",
        "misses",
        "reopening",
        "plain writes, each synced",
        "durable writes, 1 thread",
        "durable writes, 8 threads",
    ] {
        let is_its = |line: &&str| line.starts_with(&format!("{step}  "));
        assert_eq!(run.text().lines().filter(is_its).count(), 1, "{run:?}");
    }
    assert_eq!(fs::read_dir(bench.path("")).unwrap().count(), 0);
}

#[test]
fn what_is_there_stays() {
    let bench = Bench::with(&[("a", "1")]);
    let before = bench.bytes();
    let run = bench.run(&SMALL).expect_status(2);
    assert!(run.stderr.contains("exists"), "{run:?}");
    assert_eq!(bench.bytes(), before);

    fs::rename(bench.store(), bench.path("store.tsl.baseline")).unwrap();
    bench.run(&SMALL).expect_status(2);
    assert_eq!(fs::read(bench.path("store.tsl.baseline")).unwrap(), before);
    assert!(!bench.store().exists());
}

#[test]
fn the_last_store_may_be_kept() {
    let bench = Bench::new();
    let args = [&SMALL[..], &["--keep", "--json", "--value-size", "1"]].concat();
    let run = bench.run(&args).expect_status(0);
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let rows = report["results"].as_array().unwrap();
    assert_eq!(rows.len(), 10);
    for row in rows {
        let median = row["median_ns"].as_f64().unwrap();
        assert!(row["least_ns"].as_f64().unwrap() <= median, "{row}");
        assert!(row["most_ns"].as_f64().unwrap() >= median, "{row}");
    }
    assert_eq!(fs::read_dir(bench.path("")).unwrap().count(), 1);
    let info = bench.run(&["info", "--json"]).expect_status(0);
    let info: Value = serde_json::from_slice(&info.stdout).unwrap();
    // 40 by the batches, 40 durable ones by one thread and 5 by each of eight.
    assert_eq!(info["live_keys"], 120);
    bench.run(&["verify"]).expect_status(0);
}
