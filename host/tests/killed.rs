//! The host's program killed at any moment, over and over on one file, while a plugin in it sets many keys at once: all of them
//! are of one round then, and no round that was there is gone.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails there and then"
)]

#[allow(dead_code, reason = "the program compiles the guests itself")]
mod guests;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tailstone::DataStore;
use tailstone::recovery::Outcome;
use tailstone_host::DEFAULT_BUCKET;
use tailstone_tests::Rng;
use tailstone_tests::child::amount;

/// Keys of a round.
const KEYS: usize = 50;
/// What the file may grow to before it is compacted, so that some deaths meet that: some hundred rounds.
const FILE: &str = "file=4MiB";

/// Starts the program with a plugin that sets rounds from `first` on.
type Start<'a> = &'a dyn Fn(u64, u64) -> Command;

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tailstone-host"));
    program.stdin(Stdio::null());
    program
}

fn running(cache: &Path, plugin: &str, first: u64, rounds: u64, name: &str) -> Command {
    let mut program = program();
    program
        .args(["run", "--timeout", "10m", "--cache"])
        .arg(cache);
    let call = format!("set-rounds(\"{name}\", {first}, {rounds})");
    program.args(["--invoke", &call]).stdout(Stdio::piped());
    program.arg(guests::path(plugin));
    program
}

/// The round that all keys are of, and whether a write that was cut short lay behind it.
fn round_of(path: &Path) -> (u64, bool) {
    let store = DataStore::open(path).unwrap();
    let outcome = store.recovery_report().outcome;
    let was_cut = matches!(outcome, Outcome::TornTail | Outcome::TornBatch);
    let bucket = store.bucket(DEFAULT_BUCKET).unwrap();
    let round_of_key = |key: usize| -> u64 {
        let value = bucket.get(format!("k{key}").as_bytes()).unwrap().unwrap();
        let text = str::from_utf8(value.as_slice()).unwrap();
        let (round, rest) = text.split_once(' ').unwrap();
        assert_eq!(rest.len(), key * 131 % 700, "k{key} is not as it was set");
        round.parse().unwrap()
    };
    let rounds: Vec<u64> = (0..KEYS).map(round_of_key).collect();
    let first = rounds.first().copied().unwrap();
    assert!(
        rounds.iter().all(|round| *round == first),
        "the keys are of several rounds: {rounds:?}"
    );
    assert_eq!(bucket.len().unwrap(), KEYS as u64);
    store.close().unwrap();
    (first, was_cut)
}

/// Kills the program over and over; `settle` is what has to be done before the file can be opened again.
fn dies(test: &str, deaths: u64, start: Start<'_>, path: &Path, settle: impl Fn()) {
    let mut rng = Rng::from_environment(test, 5);
    let begun = Instant::now();
    let first = start(1, 1).output().unwrap();
    assert!(
        first.status.success() && first.stdout == b"ok\n",
        "{first:?}"
    );
    // Compiled now: so long it takes from here on until it writes, and as long again are the rounds.
    let mut longest = begun.elapsed();
    assert_eq!(round_of(path), (1, false));
    let (mut newest, mut went_on, mut cut) = (1, 0, 0);
    for _ in 0..deaths {
        let begun = Instant::now();
        let mut child = start(newest + 1, u64::MAX).spawn().unwrap();
        let micros = usize::try_from(longest.as_micros()).unwrap();
        thread::sleep(Duration::from_micros(rng.below(micros * 2) as u64));
        kill(&mut child);
        settle();
        let (round, was_cut) = round_of(path);
        assert!(
            round >= newest,
            "round {newest} was there, and now it is {round}"
        );
        if round > newest {
            went_on += 1;
            // It was at it, so it takes no longer than that to get there.
            longest = longest.min(begun.elapsed() + Duration::from_millis(20));
        }
        cut += u64::from(was_cut);
        newest = round;
    }
    println!(
        "{test}: {deaths} deaths, {went_on} of them among {newest} rounds, {cut} in the middle of a write"
    );
    assert!(went_on >= deaths / 4, "it was hardly ever killed at work");
}

fn kill(child: &mut Child) {
    let ended = child.try_wait().unwrap();
    assert!(ended.is_none(), "it ended by itself: {ended:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_while_the_host_sets_many_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cache) = (
        folder.path().join("rounds.tsl"),
        folder.path().join("cache"),
    );
    let start = |first, rounds| {
        let mut program = running(&cache, "tailstone_rounds_guest", first, rounds, "rounds");
        let grant = format!("rounds={},{FILE}", path.display());
        program.args(["--store", &grant]);
        program
    };
    let deaths = amount("TAILSTONE_ROUNDS", 30);
    dies(
        "killed_while_the_host_sets_many_keys",
        deaths,
        &start,
        &path,
        || {},
    );
}

/// The component has a lock file in the place of a lock, which nobody takes away when it is killed.
#[test]
fn killed_while_the_component_sets_many_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (stores, cache) = (folder.path().join("stores"), folder.path().join("cache"));
    std::fs::create_dir(&stores).unwrap();
    let path = stores.join("rounds.tsl");
    let start = |first, rounds| {
        let plugin = "tailstone_rounds_guest_composed";
        let mut program = running(&cache, plugin, first, rounds, "rounds.tsl");
        program.arg("--directory").arg(&stores);
        program
    };
    let lock = PathBuf::from(format!("{}.lock", path.display()));
    let settle = || {
        if lock.exists() {
            let refused = start(1, 1).output().unwrap();
            let said = String::from_utf8(refused.stdout).unwrap();
            assert!(
                said.starts_with("err(") && said.contains("rounds.tsl.lock"),
                "{said}"
            );
            let unlocked = program()
                .arg("store")
                .arg(&path)
                .arg("unlock")
                .status()
                .unwrap();
            assert!(unlocked.success() && !lock.exists());
        }
    };
    let deaths = amount("TAILSTONE_ROUNDS", 10);
    dies(
        "killed_while_the_component_sets_many_keys",
        deaths,
        &start,
        &path,
        settle,
    );
}
