//! The manual: every command, every status, and pages that the system's own program can set.

use std::fs;
use std::process::{Command, Stdio};

use crate::program::{Bench, bare, finish};

const COMMANDS: [&str; 20] = [
    "import",
    "export",
    "read",
    "write",
    "copy",
    "move",
    "rename",
    "delete",
    "compact",
    "backup",
    "info",
    "metadata",
    "history",
    "verify",
    "salvage",
    "keys",
    "buckets",
    "bench",
    "completions",
    "man",
];

#[test]
fn it_says_what_there_is() {
    let run = finish(&mut bare(&["man"])).expect_status(0);
    let page = run.text().replace("\\-", "-");
    for command in COMMANDS {
        assert!(
            page.contains(&format!("tailstone-{command}(1)")),
            "{command}"
        );
    }
    for section in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "COMMANDS",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
    ] {
        let is_there = page
            .lines()
            .any(|line| line.starts_with(".SH") && line.contains(section));
        assert!(is_there, "{section}");
    }
    let statuses = page.split("EXIT STATUS").nth(1).unwrap();
    for status in 0..=5 {
        assert!(statuses.contains(&format!("\\fB{status}\\fR")), "{status}");
    }
}

#[test]
fn each_command_has_its_page() {
    let bench = Bench::new();
    let folder = bench.path("share/man/man1");
    let run = finish(bare(&["man", "--into"]).arg(&folder)).expect_status(0);
    assert!(run.stdout.is_empty());
    let pages = fs::read_dir(&folder).unwrap().count();
    let help = finish(&mut bare(&["--help"])).expect_status(0);
    let listed = help
        .text()
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .count();
    // `help` has no page, the program has one.
    assert_eq!(pages, listed);
    for command in COMMANDS {
        let page = fs::read_to_string(folder.join(format!("tailstone-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{command}");
        let needs_file = !matches!(command, "man" | "completions");
        assert_eq!(page.contains("<FILE>"), needs_file, "{command}");
    }
    // Every page is set without a complaint, where there is a program that sets them.
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let groff = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww", "-z"])
            .arg(&path)
            .stdin(Stdio::null())
            .output();
        let Ok(output) = groff else { return };
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}", path.display());
        assert_eq!(complaints, "", "{}", path.display());
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_5() {
    let bench = Bench::with(&[("a", "1")]);
    finish(bare(&["man", "--into"]).arg(bench.store())).expect_status(5);
}
