//! `bench`: what a store on the user's own disk does, beside a plain file in the same rounds.
//!
//! Invariant: only files that were not there before are written to and removed.

mod disk;
mod figures;
mod latency;
mod long;
mod plot;
mod records;
mod rounds;
mod steps;
mod work;

use std::path::Path;

use serde::Serialize;

use crate::args::Switches;
use crate::exit::Result;
use crate::json;
use crate::plan::Plan;
use crate::terminal::Looks;

pub use disk::Made;

#[derive(Serialize)]
struct Report<'a> {
    file: String,
    records: u32,
    value_bytes: usize,
    batch: u32,
    rounds: u32,
    results: Vec<figures::Row<'a>>,
    latencies: Vec<latency::LatencyRow>,
}

/// Measures in a new store at `file`, and shows the figures.
pub fn run(file: &Path, switches: Switches, plan: &Plan) -> Result {
    let measured = rounds::measure(file, plan)?;
    let results = figures::rows(&measured.steps);
    let latencies: Vec<_> = measured
        .latencies
        .iter()
        .map(latency::Latency::row)
        .collect();
    let looks = Looks::of_output();
    let words = [
        headline(file, plan, measured.rounds),
        figures::table(&results),
        figures::latencies(&latencies),
        plot::bars(&results, looks),
        plot::ranges(&latencies, looks),
    ]
    .concat();
    let report = Report {
        file: file.display().to_string(),
        records: plan.records,
        value_bytes: plan.value_size,
        batch: plan.batch,
        rounds: measured.rounds,
        results,
        latencies,
    };
    json::show(switches, &report, &words)
}

fn headline(file: &Path, plan: &Plan, rounds: u32) -> String {
    format!(
        "tailstone {} on {}: {} values of {} bytes, batches of {}, rounds: {rounds}\n\n",
        env!("CARGO_PKG_VERSION"),
        file.display(),
        plan.records,
        plan.value_size,
        plan.batch,
    )
}
