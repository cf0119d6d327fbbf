//! Each kind of failure has its status, and one line on standard error.

use std::fs;

use tailstone::DataStore;

use crate::program::{Bench, bare, finish};

#[test]
fn what_is_missing_is_1() {
    let bench = Bench::with(&[("a", "1")]);
    let target = bench.path("target.tsl");
    let target = target.to_str().unwrap();
    for args in [
        &["read", "missing"][..],
        &["metadata", "missing"],
        &["history", "missing"],
        &["delete", "missing"],
        &["rename", "missing", "b"],
        &["copy", "missing", target],
        &["move", "missing", target],
    ] {
        let before = bench.bytes();
        let run = bench.run(args).expect_status(1);
        assert!(
            run.stderr.contains("'missing' not found"),
            "{args:?}: {run:?}"
        );
        assert!(run.stdout.is_empty(), "{args:?}: {run:?}");
        assert_eq!(bench.bytes(), before, "{args:?}");
    }
    assert!(!bench.path("target.tsl").exists(), "a target for nothing");
}

#[test]
fn a_missing_store_is_1_and_stays_missing() {
    let bench = Bench::new();
    for args in [
        &["read", "k"][..],
        &["metadata", "k"],
        &["history", "k"],
        &["info"],
        &["verify"],
        &["delete", "k"],
        &["compact"],
        &["rename", "k", "l"],
        &["copy", "k", "t.tsl"],
        &["move", "k", "t.tsl"],
        &["salvage", "t.tsl"],
        &["keys"],
        &["keys", "--bucket", "b"],
        &["buckets"],
        &["read", "k", "--bucket", "b"],
        &["delete", "k", "--bucket", "b"],
        &["export", "t.tsl", "--bucket", "b"],
    ] {
        let run = bench.run(args).expect_status(1);
        assert!(run.stderr.contains("store.tsl"), "{args:?}: {run:?}");
        assert!(!bench.store().exists(), "{args:?}");
        assert!(!bench.path("t.tsl").exists(), "{args:?}");
    }
}

#[test]
fn wrong_usage_is_2() {
    let bench = Bench::with(&[("a", "1"), ("b", "2")]);
    let before = bench.bytes();
    let store = bench.store();
    let store = store.to_str().unwrap();
    for args in [
        &["frobnicate"][..],
        &["read"],
        &["read", "a", "b"],
        &["history"],
        &["read", "a", "-b", "0"],
        &["read", "a", "-b", "many"],
        &["read", "a", "-b", "99999999999999T"],
        &["read", "a", "--no-such-switch"],
        &["write", "a", ""],
        &["rename", "a", "a"],
        &["copy", "a", store],
        &["copy", "a", "./store.tsl"],
        &["move", "a", store],
        &["write", "a", "x", "--read-only"],
        &["delete", "a", "--read-only"],
        &["compact", "--read-only"],
        &["import", ".", "--read-only"],
        &["import"],
        &["export", "out"],
        &["salvage", store],
        &["bench"],
        &["bench", "--records", "0"],
        &["bench", "--value-size", "0"],
        &["bench", "--read-only"],
        &["keys", "--prefix", "a"],
        &["info", "--bucket", "b"],
        &["compact", "--bucket", "b"],
        &["rename", "a", "a", "--bucket", "b"],
        &["write", "a", "x", "--read-only", "--bucket", "b"],
        &["read", "a", "--bucket"],
    ] {
        let run = bench.run(args).expect_status(2);
        assert_eq!(run.stderr.lines().count(), 1, "{args:?}: {run:?}");
        assert!(run.stdout.is_empty(), "{args:?}: {run:?}");
        assert_eq!(bench.bytes(), before, "{args:?}");
    }
}

#[test]
fn a_folder_is_no_store() {
    let bench = Bench::new();
    fs::create_dir(bench.store()).unwrap();
    for args in [
        &["read", "k"][..],
        &["write", "k", "v"],
        &["verify"],
        &["salvage", "t.tsl"],
    ] {
        bench.run(args).expect_status(2);
    }
}

#[test]
fn an_empty_value_is_refused_before_a_file_is_made() {
    let bench = Bench::new();
    bench.run(&["write", "k", ""]).expect_status(2);
    bench.run_with(&["write", "k"], b"").expect_status(2);
    assert!(!bench.store().exists());
}

#[test]
fn a_foreign_file_is_3_and_stays_as_it_is() {
    let bench = Bench::new();
    let text = "Not a store, but somebody's text.\n".repeat(600);
    fs::write(bench.store(), &text).unwrap();
    for args in [
        &["read", "k"][..],
        &["write", "k", "v"],
        &["delete", "k"],
        &["info"],
        &["metadata", "k"],
        &["history", "k"],
        &["compact"],
        &["verify"],
    ] {
        let run = bench.run(args).expect_status(3);
        assert!(
            run.stdout.is_empty() || args == ["verify"],
            "{args:?}: {run:?}"
        );
        assert_eq!(bench.bytes(), text.as_bytes(), "{args:?}");
    }
}

#[test]
fn a_store_in_use_is_4() {
    let bench = Bench::with(&[("a", "1")]);
    let before = bench.bytes();
    let held = DataStore::open(&bench.store()).unwrap();
    for args in [
        &["read", "a"][..],
        &["write", "a", "2"],
        &["info"],
        &["compact"],
        &["verify"],
        &["salvage", "t.tsl"],
    ] {
        bench.run(args).expect_status(4);
    }
    drop(held);
    assert_eq!(bench.bytes(), before);
    assert_eq!(bench.run(&["read", "a"]).expect_status(0).text(), "1");
}

#[test]
fn readers_share_a_store() {
    let bench = Bench::with(&[("a", "1")]);
    let held = DataStore::options()
        .read_only(true)
        .open(bench.store())
        .unwrap();
    assert_eq!(bench.run(&["read", "a"]).expect_status(0).text(), "1");
    bench.run(&["write", "a", "2"]).expect_status(4);
    drop(held);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_output_is_5() {
    let bench = Bench::with(&[("a", "1")]);
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = bench.command(&["read", "a"]);
    finish(command.stdout(full)).expect_status(5);
}

#[test]
fn a_store_in_a_folder_that_is_not_there() {
    let bench = Bench::new();
    let file = bench.path("no/such/folder/store.tsl");
    let run = bench.run_on(&file, &["write", "k", "v"]);
    assert!(matches!(run.status, 1 | 5), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
}

#[test]
fn help_and_version_are_0_on_standard_output() {
    for args in [
        &["--help"][..],
        &["--version"],
        &["a.tsl", "read", "--help"],
    ] {
        let run = finish(&mut bare(args)).expect_status(0);
        assert!(run.text().contains("tailstone"), "{args:?}: {run:?}");
        assert!(run.stderr.is_empty());
    }
    let run = finish(&mut bare(&[]));
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("tailstone <FILE> <COMMAND>"), "{run:?}");
}

#[test]
fn completions_need_no_file() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = finish(&mut bare(&["completions", shell])).expect_status(0);
        assert!(run.text().contains("salvage"), "{shell}");
    }
    finish(&mut bare(&["completions", "cobol"])).expect_status(2);
    finish(&mut bare(&["info"])).expect_status(2);
}
