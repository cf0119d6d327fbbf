//! `compact`, `verify`, `salvage`. Backups have a file of their own.

use std::fs;

use serde_json::Value;

use crate::program::Bench;

fn json(bench: &Bench, args: &[&str], status: i32) -> Value {
    let run = bench
        .run(&[args, &["--json"]].concat())
        .expect_status(status);
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn compaction_frees_what_it_promised() {
    let bench = Bench::new();
    for round in 0..5 {
        for key in ["a", "b", "c"] {
            bench
                .run(&["write", key, &format!("{key}{round}")])
                .expect_status(0);
        }
    }
    bench.run(&["delete", "b"]).expect_status(0);
    let before = bench.bytes().len();
    let promised = json(&bench, &["info"], 0)["compaction_savings"]
        .as_u64()
        .unwrap();
    assert!(promised > 0);
    let report = json(&bench, &["compact"], 0);
    let after = bench.bytes().len();
    assert_eq!(before - after, usize::try_from(promised).unwrap());
    assert_eq!(report["before_bytes"], before);
    assert_eq!(report["after_bytes"], after);
    assert_eq!(bench.run(&["read", "a"]).expect_status(0).text(), "a4");
    assert_eq!(bench.run(&["read", "c"]).expect_status(0).text(), "c4");
    bench.run(&["read", "b"]).expect_status(1);
    assert_eq!(json(&bench, &["info"], 0)["compaction_savings"], 0);
}

#[test]
fn compaction_waits_until_it_pays() {
    let bench = Bench::with(&[("a", "1"), ("b", "2"), ("a", "3"), ("a", "4")]);
    let before = bench.bytes();
    // Two of four entries are dead: 128 bytes of 213.
    for (ratio, compacts) in [("0.7", false), ("1", false), ("0.5", true), ("0", false)] {
        let report = json(&bench, &["compact", "--if", ratio], 0);
        assert_eq!(report["compacted"], compacts, "{ratio}");
        let changed = bench.bytes().len() < before.len();
        assert_eq!(changed, compacts || ratio == "0", "{ratio}");
    }
    assert_eq!(json(&bench, &["compact"], 0)["compacted"], true);
    let run = bench.run(&["compact", "--if", "0.5"]).expect_status(0);
    assert!(run.stderr.contains("as it is"), "{run:?}");
    for ratio in ["30", "-1", "NaN", "x"] {
        bench.run(&["compact", "--if", ratio]).expect_status(2);
    }
    assert_eq!(bench.run(&["read", "a"]).expect_status(0).text(), "4");
}

#[test]
fn verify_passes_a_sound_store() {
    let bench = Bench::with(&[("a", "1"), ("b", "2"), ("a", "3")]);
    let run = bench.run(&["verify"]).expect_status(0);
    assert!(!run.stdout.is_empty());
}

/// A store of 20 entries in whose middle one link is broken: it opens no more.
fn broken() -> Bench {
    let bench = Bench::new();
    for at in 0..20 {
        let value = format!("value {at:02} {}", "x".repeat(100));
        bench
            .run(&["write", &format!("k{at}"), &value])
            .expect_status(0);
    }
    let mut bytes = bench.bytes();
    let span = 192;
    // The `prev_offset` of the eleventh entry: 109 bytes of payload and 8 of key hash behind its start.
    bytes[10 * span + 109 + 8 + 1] ^= 0x40;
    fs::write(bench.store(), bytes).unwrap();
    bench
}

#[test]
fn a_broken_chain_is_refused_shown_and_salvaged() {
    let bench = broken();
    let before = bench.bytes();
    let run = bench.run(&["read", "k19"]).expect_status(3);
    assert!(run.stderr.contains("salvage"), "{run:?}");
    bench.run(&["write", "k", "v"]).expect_status(3);
    let run = bench.run(&["verify"]).expect_status(3);
    assert!(!run.stderr.is_empty());
    json(&bench, &["salvage", "rescued.tsl"], 0);
    assert!(bench.bytes() == before, "the damaged file was touched");
    let rescued = bench.path("rescued.tsl");
    for at in (0..20).filter(|at| *at != 10) {
        let run = bench
            .run_on(&rescued, &["read", &format!("k{at}")])
            .expect_status(0);
        assert!(run.text().starts_with(&format!("value {at:02} ")), "k{at}");
    }
}

#[test]
fn verify_finds_a_flipped_bit() {
    let bench = Bench::with(&[("a", "1"), ("b", "spoilt"), ("c", "3")]);
    let mut bytes = bench.bytes();
    bytes[64] ^= 0x20;
    fs::write(bench.store(), &bytes).unwrap();
    bench.run(&["verify"]).expect_status(3);
    assert_eq!(bench.bytes(), bytes);
}

#[test]
fn salvage_takes_no_existing_file() {
    let bench = Bench::with(&[("a", "1")]);
    let target = bench.path("mine.txt");
    fs::write(&target, "mine").unwrap();
    bench
        .run(&["salvage", target.to_str().unwrap()])
        .expect_status(2);
    assert_eq!(fs::read(&target).unwrap(), b"mine");
}
