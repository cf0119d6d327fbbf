//! The order of measurements, and the processes that make them.

use crate::Arguments;
use crate::data;
use crate::engines::Engine;
use crate::files;
use crate::lanes::Lane;
use crate::measured::Rows;
use crate::peer::Outcome;
use crate::results::Results;
use crate::workloads::{Contender, Tail, Workload};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What growth is shown of, and by whom.
const GROWING: [Workload; 11] = [
    Workload::Load,
    Workload::Write,
    Workload::ReadOrdered,
    Workload::ReadShuffled,
    Workload::BatchRead,
    Workload::Miss,
    Workload::Iterate,
    Workload::Reopen,
    Workload::ReopenWithoutSnapshot,
    Workload::Recover(Tail::Torn),
    Workload::Compact,
];
const GROWN: [&str; 6] = [
    "tailstone",
    "tailstone-reader",
    "simd-r-drive",
    "emdb",
    "heed",
    "redb",
];

/// What is measured with more records too, and of whom.
const LARGER: [Workload; 2] = [Workload::Reopen, Workload::ReopenWithoutSnapshot];
const LARGER_OF: [&str; 3] = ["tailstone", "simd-r-drive", "heed"];
/// So many times more.
pub const TIMES_LARGER: u64 = 10;

/// A store is opened so many times, or for so long.
const OPENINGS: u32 = 15;
const OPENING_FOR: Duration = Duration::from_secs(2);

/// A run under way.
struct Run<'a> {
    arguments: &'a Arguments,
    folder: PathBuf,
    records: u64,
    results: Results,
    /// Homes with a loaded store, and those with one whose process was ended.
    loaded: BTreeSet<&'static str>,
    killed: BTreeSet<&'static str>,
    /// What failed or took too long is not tried again.
    out: BTreeSet<(Workload, &'static str)>,
    failures: Vec<String>,
}

/// All measurements that were asked for; and what failed of them.
pub fn run(arguments: &Arguments) -> Outcome<(Results, Vec<String>)> {
    let temporary = tempfile::tempdir()?;
    let folder = arguments.folder.clone();
    let mut run = Run {
        arguments,
        folder: folder.unwrap_or_else(|| temporary.path().to_path_buf()),
        records: arguments.records,
        results: Results::new(arguments.records),
        loaded: BTreeSet::new(),
        killed: BTreeSet::new(),
        out: BTreeSet::new(),
        failures: Vec::new(),
    };
    for round in 0..arguments.rounds {
        if arguments.grow {
            run.grow(round)?;
        } else {
            run.round(round);
            run.round_of_larger(round)?;
        }
        run.keep()?;
    }
    run.remove_stores()?;
    files::remove(&run.folder.join(Contender::Lane(Lane::Pwrite).home()))?;
    Ok((run.results, run.failures))
}

impl Run<'_> {
    fn round(&mut self, round: u64) {
        for workload in Workload::all() {
            let mut contenders = workload.contenders();
            data::shuffle(&mut contenders, round + 1);
            for contender in contenders {
                self.measure(round, workload, contender);
            }
        }
    }

    /// What depends on the number of records most, of a store that is ten times as large.
    fn round_of_larger(&mut self, round: u64) -> Outcome {
        let mut engines = Engine::ALL.to_vec();
        engines.retain(|engine| {
            let contender = Contender::Engine(*engine);
            LARGER_OF.contains(&engine.name())
                && LARGER
                    .iter()
                    .any(|workload| self.is_wanted(*workload, contender))
        });
        data::shuffle(&mut engines, round + 1);
        self.records = self.arguments.records * TIMES_LARGER;
        for engine in engines {
            self.remove_stores()?;
            for workload in LARGER {
                self.measure(round, workload, Contender::Engine(engine));
            }
            self.remove_stores()?;
        }
        self.records = self.arguments.records;
        Ok(())
    }

    /// One store after the other, so that only one lies on the disk at a time.
    fn grow(&mut self, round: u64) -> Outcome {
        for records in self.arguments.records_list.clone() {
            self.records = records;
            let mut engines = Engine::ALL.to_vec();
            engines.retain(|engine| GROWN.contains(&engine.name()));
            data::shuffle(&mut engines, round + 1);
            for engine in engines {
                for workload in GROWING {
                    let contender = Contender::Engine(engine);
                    if workload.contenders().contains(&contender) {
                        self.measure(round, workload, contender);
                    }
                }
                self.remove_stores()?;
            }
            self.out.clear();
            self.keep()?;
        }
        Ok(())
    }

    /// So that a run that is broken off leaves what it has.
    fn keep(&self) -> Outcome {
        match &self.arguments.json {
            Some(path) => self.results.write(path),
            None => Ok(()),
        }
    }

    fn remove_stores(&mut self) -> Outcome {
        for home in self.loaded.union(&self.killed) {
            files::remove(&self.folder.join(home))?;
        }
        self.loaded.clear();
        self.killed.clear();
        Ok(())
    }

    fn is_wanted(&self, workload: Workload, contender: Contender) -> bool {
        let (name, only) = (workload.to_string(), &self.arguments.only);
        let stores = &self.arguments.store;
        (only.is_empty() || only.iter().any(|part| name.contains(part.as_str())))
            && (stores.is_empty() || stores.iter().any(|store| store == contender.name()))
            && !self.out.contains(&(workload, contender.name()))
    }

    fn measure(&mut self, round: u64, workload: Workload, contender: Contender) {
        if !self.is_wanted(workload, contender) {
            return;
        }
        self.measure_once(round, workload, contender);
        if workload == Workload::Reopen {
            // It is short, and each process opens a store for the first time once.
            let (begun, mut times) = (Instant::now(), 1);
            while times < OPENINGS && begun.elapsed() < OPENING_FOR {
                self.measure_once(round, workload, contender);
                times += 1;
            }
        }
    }

    fn measure_once(&mut self, round: u64, workload: Workload, contender: Contender) {
        let name = contender.name();
        match self.prepared(workload, contender) {
            Ok(Ended::Said(rows)) => {
                for (row, measured) in rows {
                    eprintln!(
                        "round {round}, {row} of {}, {name}: {measured}",
                        self.records
                    );
                    if let Some(row) = self.results.row(&row, name, self.records) {
                        row.rounds.push(measured);
                    }
                }
            }
            Ok(Ended::TookTooLong) => {
                let limit = self.arguments.limit;
                eprintln!("round {round}, {workload}, {name}: given up after {limit} s");
                if let Some(row) = self.results.row(&workload.to_string(), name, self.records) {
                    row.gave_up_after_s = Some(limit);
                }
                self.out.insert((workload, name));
            }
            Err(error) => {
                let failure = format!("{workload} of {} by {name}: {error}", self.records);
                eprintln!("round {round}, {failure}");
                self.failures.push(failure);
                self.out.insert((workload, name));
            }
        }
    }

    /// Measures, once what that needs is there.
    fn prepared(&mut self, workload: Workload, contender: Contender) -> Outcome<Ended> {
        let home = contender.reads();
        if workload.needs_load() && !self.loaded.contains(home) {
            let owner = Engine::ALL.iter().find(|engine| engine.home() == home);
            let owner = owner.copied().ok_or("a folder of no store")?;
            self.child(Workload::Load, Contender::Engine(owner), false)?;
            self.loaded.insert(home);
        }
        if workload.needs_kill() && self.killed.insert(home) {
            self.child(workload, contender, true)?;
        }
        let loaded = self.folder.join(home).join("loaded");
        match workload {
            Workload::ReadShuffledCold => files::forget(&loaded)?,
            Workload::Reopen => files::fetch(&loaded)?,
            _ => (),
        }
        let ended = self.child(workload, contender, false)?;
        if workload == Workload::Load {
            self.loaded.insert(home);
        }
        Ok(ended)
    }

    fn child(&self, workload: Workload, contender: Contender, prepares: bool) -> Outcome<Ended> {
        let arguments = self.arguments;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["--child", contender.name(), &workload.to_string()])
            .args(prepares.then_some("prepare"))
            .args(["--records", &self.records.to_string()])
            .args(["--durable-writes", &arguments.durable_writes.to_string()])
            .arg("--folder")
            .arg(&self.folder);
        let limit = Duration::from_secs_f64(arguments.limit);
        let Some(text) = output_within(&mut command, limit)? else {
            files::remove(&scratch(&self.folder, contender))?;
            return Ok(Ended::TookTooLong);
        };
        match text.lines().last() {
            Some(line) => Ok(Ended::Said(serde_json::from_str(line)?)),
            None if prepares => Ok(Ended::Said(Rows::new())),
            None => Err("it said nothing".into()),
        }
    }
}

/// How a measurement ended.
enum Ended {
    Said(Rows),
    TookTooLong,
}

fn scratch(folder: &Path, contender: Contender) -> PathBuf {
    folder.join(contender.home()).join("scratch")
}

/// What a program prints, unless it takes longer than `limit`.
fn output_within(command: &mut Command, limit: Duration) -> Outcome<Option<String>> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    };
    let mut text = String::new();
    if let Some(mut output) = child.stdout.take() {
        output.read_to_string(&mut text)?;
    }
    if status.success() {
        return Ok(Some(text));
    }
    Err(format!("the process ended with {status}").into())
}
