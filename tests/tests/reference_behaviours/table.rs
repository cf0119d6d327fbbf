//! `tests/REFERENCE.md` and the tests agree: whoever adds, renames or removes one has to say so in the other.
//!
//! A heading of the table names a source file in backticks; the rows below it name its tests, each once and all of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the last cell of a row may start with, and whether such a row names a test.
const VERDICTS: [(&str, bool); 5] = [
    ("same", true),
    ("differs: ", true),
    ("ours", true),
    ("not yet: ", false),
    ("not ours: ", false),
];

/// The part of the table under one heading.
struct Section {
    /// The file the heading names, from the root of the workspace.
    source: Option<String>,
    tests: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn table() -> Vec<Section> {
    parse(&std::fs::read_to_string(root().join("tests/REFERENCE.md")).unwrap())
}

fn parse(text: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            sections.push(Section {
                source: in_backticks(heading),
                tests: Vec::new(),
            });
        } else if let Some(row) = line
            .strip_prefix("| ")
            .filter(|_| !line.starts_with("| behaviour"))
        {
            let cells: Vec<&str> = row
                .trim_end_matches('|')
                .split(" | ")
                .map(str::trim)
                .collect();
            let [_, named, verdict] = cells[..] else {
                panic!("a row has three cells: {line}");
            };
            let (_, tested) = VERDICTS
                .into_iter()
                .find(|(verdicts, _)| verdict.starts_with(verdicts))
                .unwrap_or_else(|| panic!("no verdict: {line}"));
            assert_eq!(in_backticks(named).is_some(), tested, "{line}");
            let section = sections.last_mut().expect("a heading comes first");
            section.tests.extend(in_backticks(named));
        }
    }
    sections
}

fn in_backticks(text: &str) -> Option<String> {
    text.split('`').nth(1).map(str::to_owned)
}

/// The names of the test functions in a source file.
fn tests_of(source: &str) -> BTreeSet<String> {
    let mut marked = false;
    let mut names = BTreeSet::new();
    for line in source.lines().map(str::trim) {
        if line == "#[test]" {
            marked = true;
        } else if let Some(rest) = line.strip_prefix("fn ").filter(|_| marked) {
            names.extend(rest.split('(').next().map(str::to_owned));
            marked = false;
        }
    }
    names
}

#[test]
fn each_row_names_a_test_and_each_test_has_a_row() {
    let mut rows = 0;
    for section in table() {
        let Some(source) = &section.source else {
            assert!(
                section.tests.is_empty(),
                "tests without a source file: {:?}",
                section.tests
            );
            continue;
        };
        let text = std::fs::read_to_string(root().join(source))
            .unwrap_or_else(|error| panic!("{source}: {error}"));
        let listed: BTreeSet<String> = section.tests.iter().cloned().collect();
        assert_eq!(
            listed.len(),
            section.tests.len(),
            "{source}: a test is listed twice"
        );
        assert_eq!(listed, tests_of(&text), "{source}: listed, and there");
        rows += listed.len();
    }
    assert!(rows > 80, "the table was not read: {rows} rows");
}

#[test]
fn each_file_of_tests_has_a_heading() {
    let listed: BTreeSet<String> = table()
        .into_iter()
        .filter_map(|section| section.source)
        .collect();
    let folder = "tests/tests/reference_behaviours";
    let mut there = BTreeSet::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if !tests_of(&std::fs::read_to_string(&path).unwrap()).is_empty() {
            there.insert(format!("{folder}/{}", path.file_name().unwrap().display()));
        }
    }
    there.insert("engine/cli/tests/cli/reference.rs".to_owned());
    assert_eq!(listed, there, "listed, and there");
}

#[test]
#[should_panic(expected = "no verdict")]
fn a_row_without_a_verdict_is_refused() {
    parse(
        "## A\n| behaviour | test | verdict |\n|---|---|---|\n| it works | `it_works` | perhaps |\n",
    );
}
