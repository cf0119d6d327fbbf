//! Runs every store on the same workloads, each in a process of its own, in shuffled order, several rounds.
//!
//! Prints a table of medians with their ratios and keeps all figures as JSON, of which it makes the plots and the README's table. Every
//! value read is compared with what was written. Buffered writes are held against buffered ones, durable against durable.

mod bars;
mod data;
mod engines;
mod files;
mod lanes;
mod measured;
mod peer;
mod plot;
mod report;
mod results;
mod rounds;
mod versions;
mod workloads;

use clap::Parser;
use peer::Outcome;
use results::Results;
use std::path::{Path, PathBuf};
use workloads::{Contender, Job};

#[derive(Parser, Debug, Clone)]
#[command(about = "Compare tailstone with other stores")]
struct Arguments {
    /// Records in the loaded store
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Rounds; the medians of them are told
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Only workloads whose name contains this; several may be given
    #[arg(long)]
    only: Vec<String>,
    /// Only this store or lane; several may be given
    #[arg(long)]
    store: Vec<String>,
    /// Durable writes of each thread
    #[arg(long, default_value_t = 1000)]
    durable_writes: u64,
    /// Seconds after which a measurement is given up
    #[arg(long, default_value_t = 180.0)]
    limit: f64,
    /// The folder to work in; a temporary one by default
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Where the figures go, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Measure how costs grow with the number of records instead
    #[arg(long)]
    grow: bool,
    /// The numbers of records for that
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000, 10_000_000])]
    records_list: Vec<u64>,
    #[command(flatten)]
    from_kept: FromKept,
    /// Where figures are kept
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/results"))]
    kept: PathBuf,
    /// Used by the program itself: the one measurement that this process is for, or only makes ready
    #[arg(long, hide = true, num_args = 2..=3)]
    child: Option<Vec<String>>,
}

/// What is made of kept figures; nothing is measured then.
#[derive(clap::Args, Debug, Clone)]
struct FromKept {
    /// Draw the plots of the kept figures instead
    #[arg(long)]
    plot: bool,
    /// Print a table of the kept figures instead
    #[arg(long)]
    table: Option<Table>,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy)]
enum Table {
    /// The README's
    Readme,
    /// The bars that were set, and how the figures stand to them
    Bars,
    /// What single operations took
    Latencies,
}

fn main() -> Outcome {
    let arguments = Arguments::parse();
    if let Some([contender, workload, prepare @ ..]) = arguments.child.as_deref() {
        return child(&arguments, contender, workload, !prepare.is_empty());
    }
    let FromKept { plot, table } = arguments.from_kept;
    if plot {
        return plot::draw(&arguments.kept);
    }
    if let Some(table) = table {
        let kept = Results::read(&arguments.kept.join("reference.json"))?;
        let text = match table {
            Table::Readme => report::readme(&kept),
            Table::Bars => bars::table(&kept),
            Table::Latencies => report::latencies(&kept),
        };
        print!("{text}");
        return Ok(());
    }
    let (results, failures) = rounds::run(&arguments)?;
    print!("{}", report::table(&results));
    if failures.is_empty() {
        return Ok(());
    }
    Err(failures.join("\n").into())
}

fn child(arguments: &Arguments, contender: &str, workload: &str, prepares: bool) -> Outcome {
    let contender: Contender = contender.parse()?;
    let job = Job {
        workload: workload.parse()?,
        prepares,
        folder: folder(arguments)?,
        name: contender.name(),
        home: contender.home(),
        records: arguments.records,
        durable_writes: arguments.durable_writes,
    };
    println!("{}", serde_json::to_string(&contender.run(&job)?)?);
    Ok(())
}

fn folder(arguments: &Arguments) -> Outcome<&Path> {
    let folder = arguments.folder.as_deref();
    folder.ok_or_else(|| "a child needs a folder".into())
}
