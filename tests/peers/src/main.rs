//! Runs every store on the same workloads, each in a process of its own, in shuffled order, several rounds.
//!
//! Prints a table of medians with their ratios and writes all figures as JSON. Every value read is compared with what was
//! written. All writes here are buffered: handed to the system, not synced.

mod data;
mod engines;
mod report;
mod workloads;

use clap::Parser;
use engines::Engine;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use workloads::{Measured, Workload};

#[derive(Parser, Debug, Clone)]
#[command(about = "Compare tailstone with other stores")]
struct Arguments {
    /// Records in the loaded store.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Rounds; the medians of them are told.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only workloads whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// The folder to work in; a temporary one by default.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Where the figures go, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Used by the program itself: the one measurement that this process is for.
    #[arg(long, hide = true, num_args = 2)]
    child: Option<Vec<String>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if let Some([engine, workload]) = arguments.child.as_deref() {
        let folder = arguments
            .folder
            .as_deref()
            .ok_or("a child needs a folder")?;
        let measured = workloads::run(
            engine.parse()?,
            workload.parse()?,
            folder,
            arguments.records,
        )?;
        println!("{}", serde_json::to_string(&measured)?);
        return Ok(());
    }
    let temporary = tempfile::tempdir()?;
    let folder = arguments
        .folder
        .clone()
        .unwrap_or_else(|| temporary.path().to_path_buf());
    let mut figures: BTreeMap<(Workload, Engine), Vec<Measured>> = BTreeMap::new();
    for round in 0..arguments.rounds {
        for workload in Workload::ALL {
            if arguments
                .only
                .as_ref()
                .is_some_and(|only| !workload.name().contains(only.as_str()))
            {
                continue;
            }
            let mut engines = workload.engines();
            data::shuffle(&mut engines, round as u64 + 1);
            for engine in engines {
                let measured = measure(&arguments, engine, workload, &folder)?;
                eprintln!(
                    "round {round}, {}, {}: {measured}",
                    workload.name(),
                    engine.name()
                );
                figures
                    .entry((workload, engine))
                    .or_default()
                    .push(measured);
            }
        }
    }
    report::print(&figures);
    if let Some(path) = &arguments.json {
        report::write(&figures, arguments.records, path)?;
    }
    Ok(())
}

fn measure(
    arguments: &Arguments,
    engine: Engine,
    workload: Workload,
    folder: &Path,
) -> Result<Measured, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--child", engine.name(), workload.name()])
        .arg("--records")
        .arg(arguments.records.to_string())
        .arg("--folder")
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!(
            "{} failed at {}: {}",
            engine.name(),
            workload.name(),
            output.status
        )
        .into());
    }
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().last().ok_or("a measurement said nothing")?;
    Ok(serde_json::from_str(line)?)
}
