//! A folder of compiled plugins that was damaged, or filled by another version, costs the time to compile once more and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

#[allow(dead_code, reason = "the program compiles the guests itself")]
mod guests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tailstone_tests::Rng;

/// A plugin, its store and a cache, in a folder that goes away.
struct Place {
    folder: tempfile::TempDir,
    plugin: PathBuf,
    cache: PathBuf,
}

/// What lies in a folder and those below it.
type Files = BTreeMap<PathBuf, Vec<u8>>;

impl Place {
    /// With the plugin compiled.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plugin = folder.path().join("plugin.wasm");
        fs::copy(guests::path("tailstone_plugin_visits"), &plugin).unwrap();
        let cache = folder.path().join("cache");
        let place = Self {
            folder,
            plugin,
            cache,
        };
        place.compile();
        assert!(!place.files().is_empty(), "nothing was kept");
        place
    }

    fn host(&self, words: &[&str]) -> Output {
        let mut host = Command::new(env!("CARGO_BIN_EXE_tailstone-host"));
        host.args(words)
            .arg("--cache")
            .arg(&self.cache)
            .arg(&self.plugin);
        host.output().unwrap()
    }

    fn compile(&self) {
        let output = self.host(&["compile"]);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );
    }

    /// Runs the plugin with a store that stays; what it answers.
    fn call(&self, call: &str) -> String {
        let grant = |name| format!("{name}={}", self.folder.path().join("store.tsl").display());
        let (visits, notes) = (grant("visits"), grant("notes"));
        let output = self.host(&[
            "run", "--store", &visits, "--store", &notes, "--invoke", call,
        ]);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn files(&self) -> Files {
        let mut files = Files::new();
        let mut folders = vec![self.cache.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
        files
    }

    /// The folder that the running version keeps compiled plugins in.
    fn version(&self) -> PathBuf {
        let modules = self.cache.join("modules");
        let mut entries = fs::read_dir(modules).unwrap();
        entries.next().unwrap().unwrap().path()
    }
}

/// The largest file is the compiled plugin; others may be what is noted of it.
fn compiled(files: &Files) -> (&PathBuf, &Vec<u8>) {
    files.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap()
}

#[test]
fn what_was_compiled_is_not_compiled_again() {
    let place = Place::new();
    let before = place.files();
    let (path, _) = compiled(&before);
    let made = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let then = made(path);
    for visit in 1..=3 {
        assert_eq!(place.call("visit(\"ada\")"), format!("ok({visit})\n"));
        assert_eq!(made(path), then, "it was written anew");
    }
}

#[test]
fn damaged_files_are_compiled_anew() {
    type Damage = fn(&[u8]) -> Vec<u8>;
    let damages: [(&str, Damage); 5] = [
        ("half", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("one byte less", |bytes| {
            bytes[..bytes.len().saturating_sub(1)].to_vec()
        }),
        ("random bytes", |bytes| Rng::new(7).bytes(bytes.len())),
        ("zeros", |bytes| vec![0; bytes.len()]),
        ("nothing", |_| Vec::new()),
    ];
    let place = Place::new();
    let whole = place.files();
    for (visit, (what, damage)) in (1..).zip(damages) {
        for (path, bytes) in &whole {
            fs::write(path, damage(bytes)).unwrap();
        }
        assert_eq!(
            place.call("visit(\"ada\")"),
            format!("ok({visit})\n"),
            "{what}"
        );
        let (path, bytes) = compiled(&whole);
        assert!(
            fs::read(path).unwrap() == *bytes,
            "{what}: it was not kept again"
        );
    }
}

#[test]
fn what_another_version_left_is_neither_used_nor_in_the_way() {
    let place = Place::new();
    let own = place.version();
    let other = own.with_file_name("wasmtime-1.0.0");
    fs::rename(&own, &other).unwrap();
    // Besides, there may be the lock of who tidies the cache up.
    let of_other = || {
        let mut files = place.files();
        files.retain(|path, _| path.starts_with(&other));
        files
    };
    let left = of_other();
    assert_eq!(place.call("visit(\"ada\")"), "ok(1)\n");
    assert!(own.is_dir(), "it took what another version left");
    let now = of_other();
    assert!(now == left, "it changed what another version left");

    // What is no compiled plugin at all has this version's name.
    let name = compiled(&left).0.file_name().unwrap();
    fs::write(own.join(name), fs::read(&place.plugin).unwrap()).unwrap();
    assert_eq!(place.call("visit(\"ada\")"), "ok(2)\n");
    // A folder lies where the file was.
    fs::remove_file(own.join(name)).unwrap();
    fs::create_dir(own.join(name)).unwrap();
    assert_eq!(place.call("visit(\"ada\")"), "ok(3)\n");
}

#[test]
fn a_plugin_that_was_replaced_runs_as_it_is_now() {
    let place = Place::new();
    assert_eq!(place.call("visit(\"ada\")"), "ok(1)\n");
    let visits = fs::read(&place.plugin).unwrap();
    fs::copy(guests::path("tailstone_plugin_notes"), &place.plugin).unwrap();
    assert_eq!(place.call("add(\"tea at five\")"), "ok(1)\n");
    fs::write(&place.plugin, visits).unwrap();
    assert_eq!(place.call("visit(\"ada\")"), "ok(2)\n");
}

#[test]
fn a_cache_may_be_named_from_where_one_stands() {
    let place = Place::new();
    let before = place.files();
    let made = || {
        fs::metadata(compiled(&before).0)
            .unwrap()
            .modified()
            .unwrap()
    };
    let then = made();
    let mut host = Command::new(env!("CARGO_BIN_EXE_tailstone-host"));
    host.current_dir(place.folder.path());
    let output = host
        .args(["compile", "--cache", "cache", "plugin.wasm"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(made(), then, "it was compiled anew");
    let mut host = Command::new(env!("CARGO_BIN_EXE_tailstone-host"));
    host.current_dir(place.folder.path());
    let output = host
        .args(["compile", "--cache", "another/one", "plugin.wasm"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(place.folder.path().join("another/one/modules").is_dir());
}
