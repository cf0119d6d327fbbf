//! What opening found is told in one line on standard error, and nowhere else.

use std::fs;

use crate::program::Bench;

#[test]
fn a_sound_store_has_nothing_to_tell() {
    let bench = Bench::with(&[("a", "1")]);
    assert_eq!(bench.run(&["read", "a"]).expect_status(0).stderr, "");
    let run = bench.run(&["read", "a", "--verbose"]).expect_status(0);
    assert!(run.stderr.lines().count() >= 1, "{run:?}");
    assert_eq!(run.text(), "1");
}

#[test]
fn a_torn_tail_is_told_and_cut_by_a_write() {
    let bench = Bench::with(&[("a", "1"), ("b", "2")]);
    let whole = bench.bytes();
    fs::write(bench.store(), [&whole[..], b"CORRUPT"].concat()).unwrap();
    let run = bench.run(&["read", "a"]).expect_status(0);
    assert_eq!(run.text(), "1");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    let run = bench.run(&["write", "c", "3"]).expect_status(0);
    assert_eq!(run.stderr.lines().count(), 2, "{run:?}");
    assert_eq!(bench.run(&["info"]).expect_status(0).stderr, "");
    for (key, value) in [("a", "1"), ("b", "2"), ("c", "3")] {
        assert_eq!(bench.run(&["read", key]).expect_status(0).text(), value);
    }
}

#[test]
fn a_damaged_value_is_printed_and_told() {
    let bench = Bench::with(&[("a", "sound"), ("b", "spoilt")]);
    let mut bytes = bench.bytes();
    // The second payload starts at the first multiple of 64 behind the first entry.
    bytes[64] ^= 0x20;
    fs::write(bench.store(), &bytes).unwrap();
    assert_eq!(bench.run(&["read", "a"]).expect_status(0).text(), "sound");
    let run = bench.run(&["read", "b"]).expect_status(3);
    assert_eq!(run.text(), "Spoilt");
    let run = bench.run(&["metadata", "b"]).expect_status(0);
    assert!(run.text().contains("INVALID"), "{run:?}");
    assert_eq!(bench.bytes(), bytes);
}
