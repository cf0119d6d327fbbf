//! What these tests share: a folder that goes away with them, and the component compiled once for each program.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tailstone_host::{Limits, Runtime, find_component};

/// The real component.
#[allow(
    dead_code,
    reason = "not every test program calls it in its own process"
)]
pub fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Runtime::new(&component(), Limits::default()).unwrap());
    &RUNTIME
}

/// Where the real component lies.
pub fn component() -> PathBuf {
    find_component(None).unwrap_or_else(|error| panic!("{error}"))
}

/// A folder that goes away.
pub struct Folder(tempfile::TempDir);

#[allow(dead_code, reason = "not every test program needs all of it")]
impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What is in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
