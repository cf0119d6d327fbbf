//! All samples, and what is made of them: a table, JSON, a plot.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::json;

/// Who answers a plugin's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    File,
    Memory,
    Called,
    Component,
    Wasmtime,
    Redb,
    Sqlite,
    Map,
    PlainFile,
}

impl Lane {
    pub const ALL: [Self; 9] = [
        Self::File,
        Self::Memory,
        Self::Called,
        Self::Component,
        Self::Wasmtime,
        Self::Redb,
        Self::Sqlite,
        Self::Map,
        Self::PlainFile,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "tailstone-host, file",
            Self::Memory => "tailstone-host, memory",
            Self::Called => "tailstone component, called by the host, file",
            Self::Component => "tailstone component, plugged into the plugin, file",
            Self::Wasmtime => "wasmtime-wasi-keyvalue, memory",
            Self::Redb => "redb behind the host's trait",
            Self::Sqlite => "SQLite behind the host's trait",
            Self::Map => "a map behind the host's trait, memory",
            Self::PlainFile => "a plain file behind the host's trait",
        }
    }
}

/// Samples by what was measured and who was.
#[derive(Default)]
pub struct Figures {
    /// Nanoseconds a call.
    calls: BTreeMap<String, BTreeMap<Lane, Vec<f64>>>,
    /// Everything else, by its name with its unit.
    others: BTreeMap<String, Vec<f64>>,
}

/// The median, the lowest and the highest.
pub fn spread(samples: &[f64]) -> (f64, f64, f64) {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
    (
        at(sorted.len() / 2),
        at(0),
        at(sorted.len().wrapping_sub(1)),
    )
}

impl Figures {
    pub fn add(&mut self, what: &str, lane: Lane, nanoseconds: f64) {
        let lanes = self.calls.entry(what.to_owned()).or_default();
        lanes.entry(lane).or_default().push(nanoseconds);
    }

    pub fn add_other(&mut self, what: &str, sample: f64) {
        self.others.entry(what.to_owned()).or_default().push(sample);
    }

    /// The medians of a kind of call by its bytes.
    pub fn medians(&self, kind: &str, lane: Lane) -> Vec<(u32, f64)> {
        let of_kind = self.calls.iter().filter_map(|(what, lanes)| {
            let bytes = what.strip_prefix(kind)?.strip_suffix(" B")?.trim();
            Some((bytes.parse().ok()?, spread(lanes.get(&lane)?).0))
        });
        let mut medians: Vec<_> = of_kind.collect();
        medians.sort_by_key(|(bytes, _)| *bytes);
        medians
    }

    pub fn print(&self) {
        println!(
            "| call | who answers | median of processor time, ns (lowest to highest) | times as long as a file's |"
        );
        println!("|---|---|---:|---:|");
        for (what, lanes) in &self.calls {
            let of_file = lanes.get(&Lane::File).map(|samples| spread(samples).0);
            for (lane, samples) in lanes {
                let (median, low, high) = spread(samples);
                let times = of_file.map_or(0.0, |of_file| median / of_file);
                let name = lane.name();
                println!("| {what} | {name} | {median:.0} ({low:.0} to {high:.0}) | {times:.2} |");
            }
        }
        println!("\n| what | median (lowest to highest) |\n|---|---:|");
        for (what, samples) in &self.others {
            let (median, low, high) = spread(samples);
            println!("| {what} | {median:.1} ({low:.1} to {high:.1}) |");
        }
    }

    /// Every sample with what it was measured on.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let calls: BTreeMap<_, BTreeMap<_, _>> = self
            .calls
            .iter()
            .map(|(what, lanes)| {
                let lanes = lanes.iter();
                (
                    what,
                    lanes
                        .map(|(lane, all)| (lane.name(), rounded(all)))
                        .collect(),
                )
            })
            .collect();
        let others: BTreeMap<_, _> = self
            .others
            .iter()
            .map(|(what, samples)| (what, rounded(samples)))
            .collect();
        let document = json!({
            "date": output_of("date", &["-u", "+%Y-%m-%d"]),
            "commit": output_of("git", &["rev-parse", "--short", "HEAD"]),
            "processor": processor(),
            "system": output_of("uname", &["-sr"]),
            "rustc": output_of("rustc", &["--version"]),
            "versions": { "wasmtime": "48", "redb": "4", "rusqlite": rusqlite::version() },
            "nanoseconds a call": calls,
            "others": others,
        });
        std::fs::write(path, serde_json::to_string_pretty(&document)? + "\n")
    }
}

/// To a tenth: files are read by people.
fn rounded(samples: &[f64]) -> Vec<f64> {
    let tenth = |sample: &f64| (sample * 10.0).round() / 10.0;
    samples.iter().map(tenth).collect()
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let processors = text.lines().filter(|line| line.starts_with("processor"));
    let processors = processors.count();
    let mut lines = text.lines();
    let model = lines.find_map(|line| line.strip_prefix("model name"))?;
    let model = model.trim_start_matches([' ', '\t', ':']);
    Some(format!("{model} × {processors}"))
}
