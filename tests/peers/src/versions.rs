//! Whose figures these are: the versions that were built, and the machine that ran them.

use serde_json::{Map, Value, json};
use std::process::Command;

const LOCK: &str = include_str!("../../../Cargo.lock");

/// What the stores are called here, and their crates.
const CRATES: [(&str, &str); 10] = [
    ("tailstone", "tailstone"),
    ("simd-r-drive", "simd-r-drive"),
    ("emdb", "emdb"),
    ("candystore", "candystore"),
    ("redb", "redb"),
    ("heed", "heed"),
    ("lmdb-master-sys (in heed)", "lmdb-master-sys"),
    ("fjall", "fjall"),
    ("rusqlite", "rusqlite"),
    ("rocksdb", "rocksdb"),
];

/// The version of each store, as the lock file has it.
pub fn stores() -> Map<String, Value> {
    CRATES
        .iter()
        .filter_map(|(name, package)| Some(((*name).to_owned(), locked(package)?.into())))
        .collect()
}

fn locked(package: &str) -> Option<&'static str> {
    let name = format!("name = \"{package}\"");
    let mut lines = LOCK.lines().skip_while(|line| *line != name);
    let version = lines.nth(1)?.strip_prefix("version = \"")?;
    version.strip_suffix('"')
}

/// The machine and what was built on it.
pub fn machine() -> Value {
    json!({
        "date": output_of("date", &["-u", "+%Y-%m-%d"]),
        "commit": output_of("git", &["rev-parse", "--short", "HEAD"]),
        "processor": processor(),
        "memory_kib": memory_kib(),
        "system": output_of("uname", &["-sr"]),
        "rustc": output_of("rustc", &["--version"]),
    })
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn memory_kib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let cores = text
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"))?;
    Some(format!(
        "{} × {cores}",
        model.trim_start_matches([' ', '\t', ':'])
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_store_has_a_version() {
        assert_eq!(stores().len(), CRATES.len());
        assert_eq!(locked("simd-r-drive"), Some("0.17.5-alpha"));
    }
}
