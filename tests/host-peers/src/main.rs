//! What a plugin's storage takes: calls by who answers them, starting, opening a large store, memory of a plugin that is idle.
//!
//! `cargo xtask bench-host` builds the guests and runs it. Values are counted as they come back; whoever answers wrongly ends the run.

mod backends;
mod calls;
mod figures;
mod plot;
mod starting;

use std::path::{Path, PathBuf};

use clap::Parser;
use figures::Figures;

#[derive(Parser, Debug)]
#[command(about = "Compare who keeps a plugin's keys")]
struct Arguments {
    /// Rounds of calls; medians of them are told
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    #[command(flatten)]
    only: Only,
    /// Keys of the large store that is opened
    #[arg(long, default_value_t = 1_000_000)]
    keys: u32,
    /// Where all samples go as JSON, and beside it the plot as SVG
    #[arg(long)]
    json: Option<PathBuf>,
    /// The folder to work in; a temporary one by default
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// A part of the calls, and nothing else: for a profiler.
#[derive(clap::Args, Debug)]
struct Only {
    /// Only calls with values of so many bytes
    #[arg(long)]
    bytes: Option<u32>,
    /// Only this lane, by its name in the table
    #[arg(long)]
    lane: Option<String>,
    /// Only `get`
    #[arg(long)]
    gets: bool,
}

impl Only {
    const fn is_all(&self) -> bool {
        self.bytes.is_none() && self.lane.is_none() && !self.gets
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir()?;
    let folder = arguments.folder.as_deref().unwrap_or(temporary.path());
    let mut figures = Figures::default();
    if arguments.only.is_all() {
        starting::measure(folder, arguments.keys, &mut figures)?;
    }
    calls::measure(folder, arguments.rounds, &arguments.only, &mut figures)?;
    figures.print();
    if let Some(json) = &arguments.json {
        figures.write(json)?;
        plot::draw(&figures, &json.with_extension("svg"))?;
    }
    Ok(())
}

/// Where `cargo xtask guests` leaves a guest; this program lies in `target/release`.
fn guest(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(2).unwrap_or(Path::new("target"));
    target
        .join("wasm32-unknown-unknown/wasm")
        .join(name)
        .with_extension("wasm")
}
