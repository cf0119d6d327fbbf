//! What the command line of the reference does, ours does too: same words, same arguments, same labels.

use crate::program::Bench;

#[test]
fn a_value_comes_back() {
    let bench = Bench::new();
    let run = bench
        .run(&["write", "test_key", "test_value"])
        .expect_status(0);
    assert!(run.stderr.contains("Stored 'test_key'"), "{run:?}");
    assert!(run.stdout.is_empty(), "{run:?}");
    let run = bench.run(&["read", "test_key"]).expect_status(0);
    assert_eq!(run.text(), "test_value", "no newline where nobody looks");
    assert!(run.stderr.is_empty(), "{run:?}");
}

#[test]
fn without_a_value_a_terminal_is_not_read() {
    let bench = Bench::new();
    let mut command = bench.command(&["write", "test_key"]);
    let run = crate::program::finish(command.env("FORCE_NO_TTY", "1")).expect_status(2);
    assert!(run.stderr.contains("No value provided"), "{run:?}");
    assert!(
        !bench.store().exists(),
        "a refused write left a file behind"
    );
}

#[test]
fn a_missing_key_is_named() {
    let bench = Bench::with(&[("a", "1")]);
    let run = bench.run(&["read", "nonexistent_key"]).expect_status(1);
    assert!(
        run.stderr.contains("Key 'nonexistent_key' not found"),
        "{run:?}"
    );
    assert!(run.stdout.is_empty());
}

#[test]
fn standard_input_is_stored() {
    let bench = Bench::new();
    let value = vec![b'x'; 128 * 1024];
    bench
        .run_with(&["write", "stream_key"], &value)
        .expect_status(0);
    let run = bench
        .run(&["read", "stream_key", "--buffer-size", "64K"])
        .expect_status(0);
    assert!(run.stdout == value);
}

#[test]
fn copy_keeps_the_source() {
    let bench = Bench::with(&[("copy_key", "copy_value")]);
    let target = bench.path("target.tsl");
    bench
        .run(&["copy", "copy_key", target.to_str().unwrap()])
        .expect_status(0);
    for file in [bench.store(), target] {
        let run = bench.run_on(&file, &["read", "copy_key"]).expect_status(0);
        assert_eq!(run.text(), "copy_value");
    }
}

#[test]
fn move_leaves_nothing_behind() {
    let bench = Bench::with(&[("k", "v")]);
    let target = bench.path("target.tsl");
    bench
        .run(&["move", "k", target.to_str().unwrap()])
        .expect_status(0);
    bench.run(&["read", "k"]).expect_status(1);
    assert_eq!(
        bench
            .run_on(&target, &["read", "k"])
            .expect_status(0)
            .text(),
        "v"
    );
}

#[test]
fn rename_moves_the_value() {
    let bench = Bench::with(&[("old_key", "rename_value")]);
    bench
        .run(&["rename", "old_key", "new_key"])
        .expect_status(0);
    assert_eq!(
        bench.run(&["read", "new_key"]).expect_status(0).text(),
        "rename_value"
    );
    bench.run(&["read", "old_key"]).expect_status(1);
}

#[test]
fn delete_removes_the_key() {
    let bench = Bench::with(&[("delete_key", "value"), ("other", "stays")]);
    let run = bench.run(&["delete", "delete_key"]).expect_status(0);
    assert!(run.stderr.contains("Deleted 'delete_key'"), "{run:?}");
    bench.run(&["read", "delete_key"]).expect_status(1);
    assert_eq!(
        bench.run(&["read", "other"]).expect_status(0).text(),
        "stays"
    );
}

#[test]
fn metadata_has_its_labels() {
    let bench = Bench::with(&[("test_key", "test_value")]);
    let run = bench.run(&["metadata", "test_key"]).expect_status(0);
    for label in [
        "METADATA SUMMARY",
        "ENTRY FOR:",
        "test_key",
        "PAYLOAD SIZE:",
        "10 bytes",
        "TOTAL SIZE (W/ METADATA):",
        "30 bytes",
        "OFFSET RANGE:",
        "MEMORY ADDRESS:",
        "KEY HASH:",
        "CHECKSUM:",
        "CHECKSUM VALIDITY:",
        " VALID",
        "STORED METADATA:",
    ] {
        assert!(run.text().contains(label), "{label}: {run:?}");
    }
}

#[test]
fn info_has_its_labels() {
    let bench = Bench::with(&[("a", "1"), ("b", "2"), ("a", "3")]);
    let run = bench.run(&["info"]).expect_status(0);
    for label in [
        "STORAGE INFO",
        "STORAGE FILE:",
        "store.tsl",
        "TOTAL SIZE:",
        "ACTIVE ENTRIES:",
        "COMPACTION SAVINGS:",
    ] {
        assert!(run.text().contains(label), "{label}: {run:?}");
    }
}
