//! `tests/RELIABILITY.md` names files, tests and commands that are there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text_of(path: &str) -> String {
    let whole = root().join(path);
    std::fs::read_to_string(whole).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The cells of each row of the table.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.map(|row| {
        let row = row.trim_end_matches('|');
        row.split(" | ").map(str::trim).collect()
    });
    cells
        .filter(|cells: &Vec<&str>| cells[0] != "what")
        .collect()
}

fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Whether `source` has a test of this name, among its own or proptest's.
fn has_test(source: &str, name: &str) -> bool {
    let signature = format!("fn {name}(");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let marked = || lines[at.saturating_sub(4)..at].contains(&"#[test]");
        line.starts_with(&signature) && marked()
    })
}

/// The tests that a cell names; fails at the first that is not there.
fn check_tests(cell: &str) -> usize {
    let mut source = String::new();
    let mut count = 0;
    for name in in_backticks(cell) {
        if name.contains(['/', '.']) {
            source = text_of(name);
        } else {
            assert!(has_test(&source, name), "there is no test {name}");
            count += 1;
        }
    }
    count
}

fn check_command(command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    for pair in words.windows(2) {
        match pair {
            ["--test", name] => {
                let is_of_host = words.contains(&"tailstone-host");
                let tests = root().join(if is_of_host {
                    "host/tests"
                } else {
                    "tests/tests"
                });
                let there = tests.join(format!("{name}.rs")).exists() || tests.join(name).exists();
                assert!(there, "{command}: there is no {name}");
            }
            ["xtask", task] => {
                let main = text_of("xtask/src/main.rs");
                let module = format!("\nmod {task};");
                assert!(main.contains(&module), "{command}: there is no such task");
            }
            _ => {}
        }
    }
    let words = words.iter().skip_while(|word| word.contains('='));
    assert_eq!(words.clone().next(), Some(&"cargo"), "{command}");
}

#[test]
fn each_row_names_tests_and_commands_that_are_there() {
    let text = text_of("tests/RELIABILITY.md");
    let (mut tests, mut count) = (0, 0);
    for row in rows(&text) {
        let [what, named, short, long] = row[..] else {
            panic!("a row has four cells: {row:?}");
        };
        tests += check_tests(named);
        let commands: Vec<&str> = in_backticks(short).collect();
        assert!(!commands.is_empty(), "{what}: no command");
        commands.into_iter().for_each(check_command);
        for command in in_backticks(long).filter(|word| word.contains("cargo")) {
            check_command(command);
        }
        assert!(!long.is_empty());
        count += 1;
    }
    assert!(
        count >= 16 && tests > 60,
        "the table was not read: {count} rows, {tests} tests"
    );
}

#[test]
fn a_test_that_is_not_there_is_found_out() {
    let source = "#[test]\nfn there() {}\nfn no_test() {}\n\n\n\n\nfn neither() {}\n";
    assert!(has_test(source, "there"));
    assert!(!has_test(source, "missing") && !has_test(source, "neither"));
}
