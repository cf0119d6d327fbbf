//! `import` and `export`: folders that come back as they were, and what is left out.

use std::fs;

use serde_json::Value;
use tailstone::DataStore;

use crate::program::Bench;

fn with_folder() -> Bench {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("in/a/b")).unwrap();
    fs::write(bench.path("in/empty"), "").unwrap();
    fs::write(bench.path("in/a/b/text"), "some text").unwrap();
    fs::write(bench.path("in/zeros"), vec![0; 100_000]).unwrap();
    bench
}

#[test]
fn a_folder_comes_back_from_a_bucket() {
    let bench = with_folder();
    let run = bench.run(&["import", "in", "--bucket", "b", "--prefix", "p/"]);
    let run = run.expect_status(0);
    assert!(
        run.stdout.is_empty() && run.stderr.contains("3 files"),
        "{run:?}"
    );
    let export = ["export", "out", "--bucket", "b", "--prefix", "p/"];
    bench.run(&export).expect_status(0);
    for name in ["empty", "a/b/text", "zeros"] {
        let bytes = |folder: &str| fs::read(bench.path(folder).join(name)).unwrap();
        assert_eq!(bytes("out"), bytes("in"), "{name}");
    }
    // Once more: every file is there already, and stays.
    fs::write(bench.path("out/empty"), "changed").unwrap();
    let run = bench.run(&export).expect_status(5);
    assert!(
        run.stderr
            .contains("skipped empty: there is a file already"),
        "{run:?}"
    );
    assert_eq!(fs::read(bench.path("out/empty")).unwrap(), b"changed");
    bench
        .run(&[&export[..], &["--overwrite"]].concat())
        .expect_status(0);
    assert_eq!(fs::read(bench.path("out/empty")).unwrap(), b"");
}

#[test]
fn plain_values_are_read_by_their_paths() {
    let bench = with_folder();
    let run = bench.run(&["import", "in", "--json"]).expect_status(5);
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(report["files"], 2);
    assert_eq!(report["bytes"], 100_009);
    assert_eq!(report["missing_count"], 1);
    assert_eq!(report["skipped"][0]["name"], "empty");
    let run = bench.run(&["read", "a/b/text"]).expect_status(0);
    assert_eq!(run.text(), "some text");
}

#[test]
fn the_store_does_not_import_itself() {
    let bench = Bench::with(&[("a", "1")]);
    let run = bench.run(&["import", ".", "--bucket", "b", "--json"]);
    let report: Value = serde_json::from_slice(&run.expect_status(0).stdout).unwrap();
    assert_eq!(
        (&report["files"], &report["skipped_count"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn what_is_no_folder_is_told_before_a_store_is_made() {
    let bench = Bench::new();
    fs::write(bench.path("file"), "x").unwrap();
    for folder in ["none", "file"] {
        let run = bench.run(&["import", folder]).expect_status(5);
        assert!(run.stderr.contains(folder), "{run:?}");
    }
    assert!(!bench.store().exists());
}

#[test]
fn a_hostile_key_stays_inside() {
    let bench = Bench::new();
    let store = DataStore::open(&bench.store()).unwrap();
    let bucket = store.bucket("b").unwrap();
    for key in ["../escaped", "fine"] {
        bucket.set(key.as_bytes(), b"value").unwrap();
    }
    drop(store);
    let run = bench
        .run(&["export", "out", "--bucket", "b"])
        .expect_status(5);
    assert!(run.stderr.contains("skipped ../escaped"), "{run:?}");
    assert!(!bench.path("escaped").exists());
    assert_eq!(fs::read(bench.path("out/fine")).unwrap(), b"value");
}
