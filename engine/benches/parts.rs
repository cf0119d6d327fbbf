//! What single operations are made of: instructions and cache misses by source file, counted by valgrind's `callgrind`.
//!
//! Counts do not depend on how busy a machine is, and need no counters in the processor. Caches are simulated: 32 KiB as the first level and
//! `TAILSTONE_BENCH_CACHE` bytes (1 MiB, a second level as processors have it per core) as the last. "Cycles" are callgrind's estimate of them: one
//! for an instruction, 10 for a miss of the first cache, 100 for one of the last; nothing overlaps there, as it does in a processor.
//! What was inlined of the standard library counts for the file whose code it lies behind. Valgrind has no AVX-512, so checksums are by the instructions before it.
//!
//! `cargo bench -p tailstone --bench parts`, where valgrind is installed; `TAILSTONE_BENCH_RECORDS` (1000000) makes the store smaller.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use tailstone::{DataStore, DataStoreReader, DataStoreWriter};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Key = [u8; 24];

const VALUE: [u8; 150] = [7; 150];
const BATCH: usize = 1024;
const STANDARD: &str = "the standard library";
const OTHERS: &str = "the C library and others";
/// What is counted, and of how many operations.
const OPERATIONS: [(&str, u64); 8] = [
    ("write", 100_000),
    ("batch_write of 1,024", 102_400),
    ("read", 100_000),
    ("reader().get", 100_000),
    ("a miss by read", 100_000),
    ("batch_read of 1,024", 102_400),
    ("open without a snapshot, a record", 0),
    ("open with a snapshot", 1),
];

fn main() -> Result<()> {
    let records: u64 = match env::var("TAILSTONE_BENCH_RECORDS") {
        Ok(text) => text.parse::<u64>()?.max(1),
        Err(_) => 1_000_000,
    };
    if let Some(operation) = env::var_os("TAILSTONE_BENCH_OPERATION") {
        let path = env::var_os("TAILSTONE_BENCH_FILE").ok_or("no file was named")?;
        return one(&operation.to_string_lossy(), Path::new(&path), records);
    }
    let cache: u64 = match env::var("TAILSTONE_BENCH_CACHE") {
        Ok(text) => text.parse()?,
        Err(_) => 1 << 20,
    };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    for snapshots in [true, false] {
        let store = DataStore::options().snapshots(snapshots);
        let store = store.open(folder.path().join(name_of(snapshots)))?;
        let keys: Vec<Key> = (0..records).map(key).collect();
        for keys in keys.chunks(10_000) {
            store.batch_write(&pairs(keys))?;
        }
        store.close()?;
    }
    for (operation, count) in OPERATIONS {
        let count = if count == 0 { records } else { count };
        let path = folder.path().join(name_of(!operation.contains("without")));
        let output = folder.path().join("counts");
        let done = Command::new("valgrind")
            .args([
                "--tool=callgrind",
                "--cache-sim=yes",
                "--collect-atstart=no",
            ])
            .args(["--toggle-collect=*::counted", "--D1=32768,8,64"])
            .arg(format!("--LL={cache},16,64"))
            .arg(format!("--callgrind-out-file={}", output.display()))
            .arg(env::current_exe()?)
            .env("TAILSTONE_BENCH_OPERATION", operation)
            .env("TAILSTONE_BENCH_FILE", &path)
            .output()
            .map_err(|error| format!("run valgrind: {error}"))?;
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&done.stderr).into());
        }
        print(operation, count, &by_file(&fs::read_to_string(&output)?));
    }
    Ok(())
}

const fn name_of(snapshots: bool) -> &'static str {
    if snapshots { "with" } else { "without" }
}

fn key(number: u64) -> Key {
    let mut key = *b"a key of 24 bytes ......";
    for (to, from) in key.iter_mut().rev().zip(number.to_be_bytes()) {
        *to = from;
    }
    key
}

fn pairs(keys: &[Key]) -> Vec<(&[u8], &[u8])> {
    keys.iter().map(|key| (&key[..], &VALUE[..])).collect()
}

/// Does what is counted, behind what is not.
fn one(operation: &str, path: &Path, records: u64) -> Result<()> {
    let count = OPERATIONS.iter().find(|(name, _)| *name == operation);
    let count = count.map_or(0, |(_, count)| *count);
    let options = DataStore::options().snapshots(!operation.contains("without"));
    if operation.starts_with("open") {
        return counted(&mut || {
            black_box(options.open(path)?);
            Ok(())
        });
    }
    // In a random order: multiples of a prime, each once as long as that does not divide the number of records.
    let first = if operation.contains("miss") {
        records
    } else {
        0
    };
    let shuffled = |nth: u64| key(first + nth.wrapping_mul(1_000_003) % records);
    if operation.contains("write") {
        let name = operation.replace(' ', "-");
        let store = DataStore::options().open(path.with_file_name(name))?;
        let keys: Vec<Key> = (0..count).map(key).collect();
        let batches: Vec<_> = keys.chunks(BATCH).map(pairs).collect();
        return counted(&mut || {
            if operation == "write" {
                for key in &keys {
                    store.write(key, &VALUE)?;
                }
            } else {
                for batch in &batches {
                    store.batch_write(batch)?;
                }
            }
            Ok(())
        });
    }
    // Opened without a snapshot, whose parts are looked at when they are first asked for.
    let store = DataStore::options().snapshots(false).open(path)?;
    let reader = store.reader();
    // The first half, which is not counted, brings everything to where it is in the long run.
    let keys: Vec<Key> = (0..count * 2).map(shuffled).collect();
    let (before, keys) = keys.split_at(keys.len() / 2);
    for key in before {
        black_box(store.read(key)?);
    }
    let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    counted(&mut || {
        match operation {
            "reader().get" => {
                for key in &keys {
                    black_box(reader.get(key));
                }
            }
            "batch_read of 1,024" => {
                for keys in keys.chunks(BATCH) {
                    black_box(store.batch_read(keys)?);
                }
            }
            _ => {
                for key in &keys {
                    black_box(store.read(key)?);
                }
            }
        }
        Ok(())
    })
}

/// Counted is what happens in here.
#[inline(never)]
fn counted(work: &mut dyn FnMut() -> Result<()>) -> Result<()> {
    black_box(work)()
}

/// Instructions, and misses of the first and of the last cache.
#[derive(Default, Clone, Copy)]
struct Counts {
    instructions: u64,
    first: u64,
    last: u64,
}

impl Counts {
    const fn cycles(self) -> u64 {
        self.instructions + 10 * self.first + 100 * self.last
    }
}

/// The counts of a callgrind output by the source file that the code is from, wherever it was inlined.
fn by_file(output: &str) -> BTreeMap<String, Counts> {
    // A name comes with a number, and later by its number alone; files and functions are numbered apart.
    let mut files_by_number: BTreeMap<&str, &str> = BTreeMap::new();
    let mut functions: BTreeMap<&str, &str> = BTreeMap::new();
    let mut files: BTreeMap<String, Counts> = BTreeMap::new();
    let mut events: Vec<&str> = Vec::new();
    let mut part = String::new();
    let mut file = "";
    let mut is_of_a_call = false;
    for line in output.lines() {
        if let Some(list) = line.strip_prefix("events: ") {
            events = list.split(' ').collect();
        } else if let Some((kind @ ("fl" | "fi" | "fe" | "cfl" | "cfi"), name)) =
            line.split_once('=')
        {
            let name = name_of_number(name, &mut files_by_number);
            if kind.starts_with('c') {
                continue;
            }
            file = name;
            // Within a function, what is the standard library's was inlined.
            let next = part_of(file);
            if kind != "fl" && next != STANDARD {
                part = next;
            }
        } else if let Some((kind @ ("fn" | "cfn"), name)) = line.split_once('=') {
            let function = name_of_number(name, &mut functions);
            if kind == "fn" {
                let of_file = part_of(file);
                // Where a function is from is not known of what was built without that: then its name says it.
                part = if of_file == OTHERS {
                    part_of(function)
                } else {
                    of_file
                };
            }
        } else if line.starts_with("calls=") {
            is_of_a_call = true;
        } else if line.starts_with(['+', '-', '*'])
            || line.starts_with(|c: char| c.is_ascii_digit())
        {
            // What a call cost is counted where it went.
            if std::mem::take(&mut is_of_a_call) {
                continue;
            }
            let counts = files.entry(part.clone()).or_default();
            for (event, count) in events.iter().zip(line.split(' ').skip(1)) {
                let count: u64 = count.parse().unwrap_or(0);
                match *event {
                    "Ir" => counts.instructions += count,
                    "D1mr" | "D1mw" => counts.first += count,
                    "DLmr" | "DLmw" => counts.last += count,
                    _ => {}
                }
            }
        }
    }
    files
}

/// The name that `(number) name` or `(number)` stands for.
fn name_of_number<'a>(text: &'a str, names: &mut BTreeMap<&'a str, &'a str>) -> &'a str {
    let (number, name) = text.split_once(' ').unwrap_or((text, ""));
    if !name.is_empty() {
        names.insert(number, name);
    }
    names.get(number).copied().unwrap_or_default()
}

/// What people call the part that a source file is: its path in the engine, or the library it belongs to.
fn part_of(file: &str) -> String {
    if let Some((_, path)) = file.split_once("engine/src/") {
        return path.to_owned();
    }
    for library in ["crc32fast", "xxhash", "memmap2", "rustix", "parts.rs"] {
        if file.contains(library) {
            return library.to_owned();
        }
    }
    if file.contains("library/") || file.contains("/rustc/") {
        return STANDARD.to_owned();
    }
    OTHERS.to_owned()
}

fn print(operation: &str, count: u64, files: &BTreeMap<String, Counts>) {
    let each = |sum: u64| sum as f64 / count as f64;
    let mut all = Counts::default();
    for counts in files.values() {
        all.instructions += counts.instructions;
        all.first += counts.first;
        all.last += counts.last;
    }
    println!(
        "\n| {operation} | instructions | misses of the first cache | of the last | cycles, estimated |"
    );
    println!("|---|---:|---:|---:|---:|");
    let mut parts: Vec<_> = files
        .iter()
        .map(|(part, counts)| (part.as_str(), *counts))
        .collect();
    parts.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.cycles()));
    parts.insert(0, ("all", all));
    let mut rest = Counts::default();
    for (part, counts) in parts {
        // What is not a fiftieth of it is told together.
        if counts.cycles() * 50 < all.cycles() {
            rest.instructions += counts.instructions;
            rest.first += counts.first;
            rest.last += counts.last;
            continue;
        }
        print_row(part, counts, each);
    }
    print_row("the rest", rest, each);
}

fn print_row(part: &str, counts: Counts, each: impl Fn(u64) -> f64) {
    println!(
        "| {part} | {:.1} | {:.2} | {:.2} | {:.0} |",
        each(counts.instructions),
        each(counts.first),
        each(counts.last),
        each(counts.cycles())
    );
}
