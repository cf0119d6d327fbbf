//! The house rules that no compiler checks; also a unit test, so that `cargo test` finds a breach.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::context::Context;

const LINES_MAX: usize = 400;

/// Rust files that may be longer, each with its reason.
const LONG: &[(&str, &str)] = &[(
    "engine/src/index/tests.rs",
    "one model of the index and everything it is held against",
)];

/// What no text in the repository says: paths of one machine, and hosts that packages are fetched from. Cut in two
/// here, so that this file passes.
const FOREIGN: [&str; 7] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("registry.npm", "js.org"),
    concat!("\"resolved\": \"", "http"),
];

/// What no Rust code in the repository holds.
const UNFINISHED: [&str; 3] = [
    concat!("to", "do!("),
    concat!("db", "g!("),
    concat!("unimpl", "emented!("),
];

/// What the engine needs without any feature, each with its reason in ARCHITECTURE.md: fewer than a hand has fingers.
const NEEDED: [&str; 4] = ["crc32fast", "memmap2", "rustix", "xxhash-rust"];

const TEXT: [&str; 13] = [
    "rs", "toml", "md", "ts", "js", "mjs", "json", "html", "css", "wit", "sh", "yml", "lock",
];

/// Folders of a repository that hold what is built or installed.
pub const MADE: [&str; 4] = ["target", "node_modules", "pkg", ".git"];

/// Fails with a list of all breaches.
pub fn run(ctx: &Context) -> Result<()> {
    check(&ctx.root)
}

fn check(root: &Path) -> Result<()> {
    let mut found = String::new();
    let mut files = 0_usize;
    for path in walk(root, &MADE)? {
        let name = path.strip_prefix(root).unwrap_or(&path);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_script = name.starts_with(".ci");
        if !is_script && !extension.is_some_and(|extension| TEXT.contains(&extension)) {
            continue;
        }
        let bytes =
            fs::read(&path).with_context(|| format!("could not read {}", name.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let name = name.to_string_lossy().replace('\\', "/");
        files += 1;
        if name == "engine/Cargo.toml" && needed(&text) != NEEDED {
            let needs = needed(&text).join(", ");
            writeln!(found, "{name}: without features it needs {needs}")?;
        }
        for breach in breaches(&name, &text) {
            writeln!(found, "{name}{breach}")?;
        }
    }
    if files == 0 {
        bail!("no file to check under {}", root.display());
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!("the house rules are broken:\n{found}");
}

/// What is wrong with one file, each as `:line: what`.
fn breaches(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let is_rust = Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "rs");
    if is_rust {
        if !text.starts_with("//!") {
            found.push(":1: does not open with `//!`, what the file owns".to_owned());
        }
        let lines = text.lines().count();
        let may_be_long = LONG.iter().any(|(long, _)| *long == name);
        if lines > LINES_MAX && !may_be_long {
            found.push(format!(
                ":{lines}: over {LINES_MAX} lines: two ideas, or a reason in xtask/src/tidy.rs"
            ));
        }
    }
    for (line, number) in text.lines().zip(1..) {
        for word in FOREIGN {
            if line.contains(word) {
                found.push(format!(
                    ":{number}: names `{word}`, which means nothing elsewhere"
                ));
            }
        }
        for word in UNFINISHED {
            if is_rust && line.contains(word) {
                found.push(format!(":{number}: `{word}` left in"));
            }
        }
    }
    found
}

/// The dependencies in a manifest that are neither optional nor for tests and builds alone, in their order.
fn needed(manifest: &str) -> Vec<&str> {
    let mut counts = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            let of_a_target = section.starts_with("target.") && section.ends_with(".dependencies");
            // No user's build has that.
            let of_loom = section.contains("cfg(loom)");
            counts = section == "dependencies" || (of_a_target && !of_loom);
        } else if counts && !line.contains("optional = true") && line.contains('=') {
            found.extend(line.split(['.', ' ', '=']).next());
        }
    }
    found.sort_unstable();
    found
}

/// Every file below `root` in a fixed order, but for those in folders with a name in `skipped`. Links are not followed.
pub fn walk(root: &Path, skipped: &[&str]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("could not list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            let is_skipped = skipped.iter().any(|name| entry.file_name() == *name);
            if kind.is_dir() && !is_skipped {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::{FOREIGN, LINES_MAX, UNFINISHED, breaches, check, needed};
    use crate::context::Context;

    #[test]
    fn the_repository_is_tidy() {
        let ctx = Context::new().unwrap();
        check(&ctx.root).unwrap();
    }

    #[test]
    fn what_is_needed_is_what_is_not_optional() {
        let manifest = "[features]\nx = [\"dep:c\"]\n[dependencies]\nb.workspace = true\n\
                        c = { version = \"1\", optional = true }\n[target.'cfg(unix)'.dependencies]\n\
                        a = \"1\"\n[target.'cfg(loom)'.dependencies]\ne = \"1\"\n[dev-dependencies]\nd = \"1\"\n";
        assert_eq!(needed(manifest), ["a", "b"]);
    }

    #[test]
    fn each_rule_finds_its_breach() {
        assert!(breaches("a.rs", "//! Good.\n").is_empty());
        assert_eq!(breaches("a.rs", "fn main() {}\n").len(), 1);
        let long = format!("//! Long.\n{}", "\n".repeat(LINES_MAX));
        assert_eq!(breaches("a.rs", &long).len(), 1);
        for word in FOREIGN {
            assert_eq!(
                breaches("a.md", &format!("see {word} there")).len(),
                1,
                "{word}"
            );
        }
        for word in UNFINISHED {
            assert_eq!(
                breaches("a.rs", &format!("//! X.\n{word})")).len(),
                1,
                "{word}"
            );
            assert!(breaches("a.md", word).is_empty());
        }
    }
}
