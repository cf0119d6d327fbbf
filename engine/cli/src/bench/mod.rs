//! `bench`: what a store on the user's own disk does, beside a plain file in the same rounds.
//!
//! Invariant: only files that were not there before are written to and removed.

mod disk;
mod figures;
mod records;
mod rounds;

use std::path::Path;

use serde::Serialize;

use crate::args::Switches;
use crate::exit::Result;
use crate::json;
use crate::plan::Plan;

pub use disk::Made;

#[derive(Serialize)]
struct Report<'a> {
    file: String,
    records: u32,
    value_bytes: usize,
    batch: u32,
    rounds: u32,
    results: Vec<figures::Row<'a>>,
}

/// Measures in a new store at `file`, and shows the figures.
pub fn run(file: &Path, switches: Switches, plan: &Plan) -> Result {
    let steps = rounds::measure(file, plan)?;
    let results = figures::rows(&steps);
    let words = figures::table(&headline(file, plan), &results);
    let report = Report {
        file: file.display().to_string(),
        records: plan.records,
        value_bytes: plan.value_size,
        batch: plan.batch,
        rounds: plan.rounds,
        results,
    };
    json::show(switches, &report, &words)
}

fn headline(file: &Path, plan: &Plan) -> String {
    format!(
        "tailstone {} on {}: {} values of {} bytes, batches of {}, rounds: {}",
        env!("CARGO_PKG_VERSION"),
        file.display(),
        plan.records,
        plan.value_size,
        plan.batch,
        plan.rounds
    )
}
