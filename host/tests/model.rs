//! The host's functions against a model: whatever a guest calls in whatever order, the answers are those of maps in memory, no call
//! ends the instance, and the files hold in the end what the model holds.
//!
//! An input that fails is left in the folder for temporary files, and its calls are printed; `TAILSTONE_INPUT` names one to run again.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

mod guests;
mod scripts;

use std::time::{Duration, Instant, SystemTime};

use scripts::corpus::{self, Collection};
use scripts::run::{Outcome, run};
use tailstone_tests::Rng;
use tailstone_tests::child::amount;

/// Inputs that are made up in the short form.
const MADE_UP: u64 = 300;

/// Runs an input; fails with all that is needed to do so again.
fn holds(input: &[u8]) -> Outcome {
    let outcome = run(input);
    if let Some(failure) = &outcome.failure {
        let name = format!("tailstone-script-{:016x}", tailstone::compute_hash(input));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, input).unwrap();
        let transcript = outcome.transcript.join("\n");
        panic!(
            "{transcript}\n{failure}\nrun it again with TAILSTONE_INPUT={}",
            path.display()
        );
    }
    outcome
}

#[test]
fn every_kept_input_holds() {
    if let Ok(path) = std::env::var("TAILSTONE_INPUT") {
        println!(
            "{}",
            holds(&std::fs::read(path).unwrap()).transcript.join("\n")
        );
        return;
    }
    let mut collection = Collection::default();
    let kept = corpus::kept();
    for (path, input) in &kept {
        // Said first: a failure says what, not where.
        println!("{}", path.display());
        let outcome = holds(input);
        collection.offer(input, &outcome);
    }
    println!(
        "{} inputs reach {} outcomes of calls",
        kept.len(),
        collection.breadth()
    );
    assert!(kept.len() >= 40, "there is hardly a corpus");
}

/// Goes on for `TAILSTONE_SECONDS` with other seeds, if that is set, and with `TAILSTONE_KEEP` makes the corpus anew of what was found.
#[test]
fn made_up_inputs_hold() {
    let begun = Instant::now();
    let seconds = amount("TAILSTONE_SECONDS", 0);
    let fresh = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let default = if seconds > 0 { fresh } else { 17 };
    let mut rng = Rng::from_environment("made_up_inputs_hold", default);
    let mut collection = Collection::default();
    for (_, input) in corpus::kept() {
        let outcome = holds(&input);
        collection.offer(&input, &outcome);
    }
    let (mut others, mut count) = (collection.inputs(), 0);
    while count < MADE_UP || begun.elapsed() < Duration::from_secs(seconds) {
        let input = corpus::made_up(&mut rng, &others);
        let outcome = holds(&input);
        if collection.offer(&input, &outcome) {
            others = collection.inputs();
        }
        count += 1;
    }
    println!("{count} inputs, {} outcomes of calls", collection.breadth());
    if std::env::var("TAILSTONE_KEEP").is_ok() {
        keep(&collection);
    }
}

fn keep(collection: &Collection) {
    for (path, _) in corpus::kept() {
        std::fs::remove_file(path).unwrap();
    }
    for input in collection.few() {
        let name = format!("{:016x}", tailstone::compute_hash(input));
        std::fs::write(corpus::folder().join(name), input).unwrap();
    }
    for what in collection.reached() {
        println!("{what}");
    }
}
