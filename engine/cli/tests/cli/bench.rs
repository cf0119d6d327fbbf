//! `bench`: figures for every step, and nothing that was there is touched.

use std::fs;

use serde_json::Value;

use crate::program::Bench;

const SMALL: [&str; 7] = ["bench", "--records", "40", "--rounds", "2", "--batch", "15"];

const STEPS: [&str; 19] = [
    "plain writes",
    "single writes",
    "batches",
    "reads in order",
    "reads shuffled",
    "shuffled, reader()",
    "shuffled, batch_read",
    "misses",
    "1 MiB plain writes",
    "1 MiB writes",
    "1 MiB streamed in",
    "1 MiB memory copies",
    "1 MiB reads",
    "1 MiB streamed out",
    "opening, snapshot",
    "opening, none",
    "plain writes, each synced",
    "durable writes, 1 thread",
    "durable writes, 8 threads",
];
/// Of which single operations are timed, and how many there are in two rounds of 40.
const LATENCIES: [(&str, u64); 6] = [
    ("single writes", 80),
    ("reads shuffled", 80),
    ("the clock alone", 80),
    ("plain writes, each synced", 80),
    ("durable writes, 1 thread", 80),
    ("durable writes, 8 threads", 80),
];

#[test]
fn it_leaves_nothing_behind() {
    let bench = Bench::new();
    let run = bench.run(&SMALL).expect_status(0);
    let (tables, plot) = run.text().split_once("\nWrites: ").expect("a plot");
    let count = |text: &str, start: &str| {
        let lines = text.lines();
        lines.filter(|line| line.starts_with(start)).count()
    };
    for step in STEPS {
        let times = 1 + usize::from(LATENCIES.iter().any(|(name, _)| *name == step));
        assert_eq!(count(tables, &format!("{step}  ")), times, "{run:?}");
        // A bar each, and a range.
        assert_eq!(count(plot, &format!("  {step}  ")), times, "{run:?}");
    }
    // No terminal: no letters that it might not have, no colours, no lines that it would break.
    assert!(
        run.stdout.is_ascii() && !run.stdout.contains(&0x1b),
        "{run:?}"
    );
    assert!(plot.lines().all(|line| line.len() <= 80), "{run:?}");
    assert_eq!(fs::read_dir(bench.path("")).unwrap().count(), 0);
}

/// One round is measured however little time there is, and rounds that would not end in time are not begun.
#[test]
fn it_ends_in_time() {
    let bench = Bench::new();
    let args = [
        "bench",
        "--json",
        "--records",
        "20",
        "--rounds",
        "4000000000",
        "--seconds",
        "1",
    ];
    let run = bench.run(&args).expect_status(0);
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert!((1..4_000_000_000).contains(&report["rounds"].as_u64().unwrap()));
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
    let names: Vec<_> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, STEPS);
    for row in rows {
        let group = row["group"].as_str().unwrap();
        assert!(["writes", "reads", "long", "opening", "durable"].contains(&group));
        let median = row["median_ns"].as_f64().unwrap();
        assert!(row["least_ns"].as_f64().unwrap() <= median, "{row}");
        assert!(row["most_ns"].as_f64().unwrap() >= median, "{row}");
    }
    for ((name, operations), row) in LATENCIES
        .iter()
        .zip(report["latencies"].as_array().unwrap())
    {
        assert_eq!(row["name"], *name);
        assert_eq!(row["operations"], *operations);
        let of = |name: &str| row[name].as_u64().unwrap();
        let all = ["p50_ns", "p99_ns", "p99_9_ns", "most_ns"].map(of);
        assert!(all.is_sorted(), "{row}");
    }
    assert_eq!(fs::read_dir(bench.path("")).unwrap().count(), 1);
    let info = bench.run(&["info", "--json"]).expect_status(0);
    let info: Value = serde_json::from_slice(&info.stdout).unwrap();
    // 40 by the batches, 40 durable ones by one thread and 5 by each of eight.
    assert_eq!(info["live_keys"], 120);
    bench.run(&["verify"]).expect_status(0);
}
