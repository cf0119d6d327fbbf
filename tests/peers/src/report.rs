//! The figures as a table and as JSON.

use crate::engines::Engine;
use crate::workloads::{Measured, Workload};
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;

type Figures = BTreeMap<(Workload, Engine), Vec<Measured>>;

/// The median, the lowest and the highest.
fn spread(mut figures: Vec<f64>) -> Option<(f64, f64, f64)> {
    figures.sort_by(f64::total_cmp);
    Some((
        *figures.get(figures.len() / 2)?,
        *figures.first()?,
        *figures.last()?,
    ))
}

/// Prints medians of processor time, and how many times as fast tailstone is.
pub fn print(figures: &Figures) {
    println!(
        "| workload | store | processor time per operation, ns (lowest to highest) | clock, ns | against tailstone |"
    );
    println!("|---|---|---:|---:|---:|");
    for ((workload, engine), measured) in figures {
        let cpu = spread(measured.iter().map(Measured::cpu_ns).collect());
        let wall = spread(measured.iter().map(Measured::wall_ns).collect());
        let ours = figures
            .get(&(*workload, Engine::Tailstone))
            .and_then(|ours| spread(ours.iter().map(Measured::cpu_ns).collect()));
        let (Some((cpu, low, high)), Some((wall, ..)), Some((ours, ..))) = (cpu, wall, ours) else {
            continue;
        };
        println!(
            "| {} | {} | {cpu:.0} ({low:.0} to {high:.0}) | {wall:.0} | {:.2} |",
            workload.name(),
            engine.name(),
            cpu / ours
        );
    }
}

/// Writes every figure with what it was measured on.
pub fn write(figures: &Figures, records: u64, path: &Path) -> Result<(), Box<dyn Error>> {
    let rows: Vec<_> = figures
        .iter()
        .map(|((workload, engine), measured)| {
            json!({ "workload": workload.name(), "store": engine.name(), "rounds": measured })
        })
        .collect();
    let document = json!({
        "records": records,
        "key_bytes": 24,
        "value_bytes": crate::data::VALUE_BYTES,
        "date": output_of("date", &["-u", "+%Y-%m-%d"]),
        "commit": output_of("git", &["rev-parse", "--short", "HEAD"]),
        "processor": processor(),
        "system": output_of("uname", &["-sr"]),
        "rustc": output_of("rustc", &["--version"]),
        "versions": { "tailstone": env!("CARGO_PKG_VERSION"), "simd-r-drive": "0.17.5-alpha" },
        "rows": rows,
    });
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, serde_json::to_string_pretty(&document)? + "\n")?;
    Ok(())
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let cores = text
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"))?;
    Some(format!(
        "{} × {cores}",
        model.trim_start_matches([' ', '\t', ':'])
    ))
}
