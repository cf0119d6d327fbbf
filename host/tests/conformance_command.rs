//! What the program finds out itself about a component, and what it says: `conformance`, and `run` of one that cannot be.

#![cfg(feature = "conformance")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "only the places of guests are needed here")]
mod guests;

use std::path::Path;
use std::process::{Command, Output};

fn conformance(component: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tailstone-host"))
        .arg("conformance")
        .arg(component)
        .args(more)
        .output()
        .unwrap()
}

/// How many cells of the table say so.
fn cells(output: &Output, word: &str) -> usize {
    let table = String::from_utf8_lossy(&output.stdout);
    table.matches(&format!("| {word} |")).count()
}

/// A component that imports `a:b/c@1.0.0` with one function, as bytes.
fn with_an_import_of_its_own() -> Vec<u8> {
    let name = b"a:b/c@1.0.0";
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    // A section of types: an instance that exports the function `f`, without parameters or results.
    bytes.extend(b"\x07\x0e\x01\x42\x02\x01\x40\0\x01\0\x04\0\x01f\x01\0");
    // A section of imports: that instance.
    bytes.extend([10, 16, 1, 0, 11]);
    bytes.extend(name);
    bytes.extend([5, 0]);
    bytes
}

#[test]
fn an_import_that_nobody_has_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("plugin.wasm");
    std::fs::write(&plugin, with_an_import_of_its_own()).unwrap();
    let mut host = Command::new(env!("CARGO_BIN_EXE_tailstone-host"));
    let output = host.arg("run").arg(&plugin).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains("`a:b/c@1.0.0`"), "{told}");
    assert!(
        told.contains("function implementation is missing"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn a_provider_is_plugged_into_the_guests_for_what_it_exports() {
    let output = conformance(&guests::path("tailstone_component"), &[]);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{complaints}");
    let passed = cells(&output, "yes");
    assert!(passed >= 240, "{passed} cases");
    for interface in ["0.2.0-draft |", "0.2.0-draft2 |", "tailstone:store@0.1.0 |"] {
        let table = String::from_utf8_lossy(&output.stdout);
        assert!(table.matches(interface).count() >= 70, "{interface}");
    }
}

#[test]
fn a_guest_with_cases_tries_this_hosts_stores_or_the_one_that_is_named() {
    let guest = guests::path("tailstone_conformance_stores");
    let output = conformance(&guest, &[]);
    assert_eq!(output.status.code(), Some(0));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.starts_with("| interface | case | in a file (84 of 84) | in memory (84 of 84) |")
    );

    // A store that may not be written to does not do what one ought to.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.tsl");
    std::fs::write(&file, b"").unwrap();
    let grant = format!("cases={}:ro", file.display());
    let output = conformance(&guest, &["--store", &grant]);
    assert_eq!(output.status.code(), Some(5));
    let failed = cells(&output, "**no**");
    assert!(failed >= 40, "{failed} cases failed");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(complaints.matches("error: this store, ").count(), failed);
    assert_eq!(std::fs::read(&file).unwrap(), b"", "it was written to");
}

#[test]
fn what_is_neither_is_wrong_usage() {
    let output = conformance(&guests::path("tailstone_plugin_visits"), &[]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains("exports neither cases nor a provider of stores"));
    let output = conformance(Path::new("there is no such file"), &[]);
    assert_eq!(output.status.code(), Some(1));
}
