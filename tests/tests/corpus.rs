//! Every input that is kept from fuzzing, and a few made on the spot, once more: as a fuzzer would run them, without one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tailstone::backing::MemoryBacking;
use tailstone::{Options, Store};
use tailstone_tests::Rng;
use tailstone_tests::allocations::{Counting, most_allocated};
use tailstone_tests::fuzz::TARGETS;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Whose inputs another test runs, because they are no file's: `engine/cli/tests/arguments`.
const ELSEWHERE: &str = "arguments";

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/fuzz")
}

fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fuzz().join("corpus").join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    files.into_iter().map(read).collect()
}

#[test]
fn every_kept_input_holds() {
    for (name, target) in TARGETS {
        let inputs = inputs(name);
        assert!(inputs.len() >= 5, "{name} has hardly a corpus");
        for (path, input) in &inputs {
            // Said first: the panic that may come says what, not where.
            println!("{}", path.display());
            target(input);
        }
    }
}

#[test]
fn random_inputs_hold() {
    let mut rng = Rng::from_environment("random_inputs_hold", 91);
    for (_, target) in TARGETS {
        for _ in 0..if cfg!(debug_assertions) { 20 } else { 200 } {
            let len = rng.below(700);
            let input = rng.bytes(len);
            target(&input);
        }
    }
}

/// Opening takes no more memory than a small multiple of the file, and a fixed amount for the index and the windows it is read in.
#[test]
fn opening_takes_memory_by_the_file() {
    let mut most = 0;
    for (path, input) in inputs("open").into_iter().chain(inputs("rescue")) {
        let backing = MemoryBacking::from_bytes(&input).unwrap();
        let options = Options::new().read_only(true);
        let (bytes, _) = most_allocated(|| Store::open_with(backing, &options).map(drop));
        let limit = FIXED_BYTES + TIMES_THE_FILE * input.len();
        assert!(bytes <= limit, "{}: {bytes} bytes", path.display());
        most = most.max(bytes);
    }
    println!("at most {most} bytes");
    assert!(most > 0, "nothing was counted");
}

const FIXED_BYTES: usize = 256 << 10;
const TIMES_THE_FILE: usize = 8;

#[test]
fn each_target_has_its_binary_and_its_corpus() {
    let mut listed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    listed.insert(ELSEWHERE.to_owned());
    let names_in = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(fuzz().join(folder)).unwrap();
        let name = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        entries.map(|entry| name(entry.unwrap().path())).collect()
    };
    assert_eq!(names_in("fuzz_targets"), listed);
    assert_eq!(names_in("corpus"), listed);
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in listed {
        let path = format!("path = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&path), "{name} is not built");
    }
}
