//! All figures of a run, as they are kept in JSON. Tables and plots are made of these alone.

use crate::data::{KEY_BYTES, VALUE_BYTES};
use crate::engines::Engine;
use crate::measured::Measured;
use crate::peer::Outcome;
use crate::versions;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

/// One workload on one store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// The workload.
    pub workload: String,
    /// Who did it.
    pub store: String,
    /// Records in the loaded store.
    #[serde(default)]
    pub records: u64,
    /// One for each time it was measured: once a round, or several times where it is short.
    pub rounds: Vec<Measured>,
    /// It was given up after so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gave_up_after_s: Option<f64>,
}

/// All rows, and whose they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Results {
    /// Machine, commit, versions.
    #[serde(flatten)]
    pub about: Map<String, Value>,
    /// In the order in which they are told.
    pub rows: Vec<Row>,
}

/// A median with the lowest and the highest.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// The one in the middle, or what lies between the two there.
    pub median: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

impl Row {
    /// The spread of what `figure` picks from each round; none where it picks nothing.
    pub fn spread(&self, figure: impl Fn(&Measured) -> Option<f64>) -> Option<Spread> {
        let mut figures: Vec<f64> = self.rounds.iter().filter_map(figure).collect();
        figures.retain(|figure| figure.is_finite());
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        let below = middle.saturating_sub(1 - figures.len() % 2);
        Some(Spread {
            median: f64::midpoint(*figures.get(below)?, *figures.get(middle)?),
            low: *figures.first()?,
            high: *figures.last()?,
        })
    }

    /// The figure that the workload is about: time on the clock where threads or the disk are waited for, and of the processor elsewhere;
    /// in nanoseconds for an operation.
    pub fn headline(&self) -> Option<Spread> {
        if is_waited_for(&self.workload) {
            self.wall()
        } else {
            self.cpu()
        }
    }

    /// Processor time of an operation, in nanoseconds; none where nothing was timed.
    pub fn cpu(&self) -> Option<Spread> {
        self.spread(|round| (round.wall_s > 0.0).then(|| round.cpu_ns()))
    }

    /// Time on the clock of an operation, in nanoseconds; none where nothing was timed.
    pub fn wall(&self) -> Option<Spread> {
        self.spread(|round| (round.wall_s > 0.0).then(|| round.wall_ns()))
    }

    /// A named figure.
    pub fn figure(&self, name: &str) -> Option<Spread> {
        self.spread(|round| round.figures.get(name).copied())
    }
}

/// Whether a workload's time is that on the clock.
pub fn is_waited_for(workload: &str) -> bool {
    const WAITED_FOR: [&str; 7] = [
        "write-durable",
        "read-shuffled-cold",
        "threads-",
        "stream-",
        "latency-",
        "verify-",
        "redb-",
    ];
    WAITED_FOR.iter().any(|start| workload.starts_with(start))
}

impl Results {
    /// Without rows yet.
    pub fn new(records: u64) -> Self {
        let mut about = Map::new();
        if let Value::Object(machine) = versions::machine() {
            about.extend(machine);
        }
        let notes = Engine::ALL
            .iter()
            .filter_map(|engine| Some((engine.name().to_owned(), engine.note()?.into())));
        about.insert("records".to_owned(), json!(records));
        about.insert("key_bytes".to_owned(), json!(KEY_BYTES));
        about.insert("value_bytes".to_owned(), json!(VALUE_BYTES));
        about.insert("versions".to_owned(), Value::Object(versions::stores()));
        about.insert("notes".to_owned(), Value::Object(notes.collect()));
        Self {
            about,
            rows: Vec::new(),
        }
    }

    /// The row of a workload on a store, made if it is not there.
    pub fn row(&mut self, workload: &str, store: &str, records: u64) -> Option<&mut Row> {
        let is = |row: &Row| {
            (row.workload.as_str(), row.store.as_str(), row.records) == (workload, store, records)
        };
        let at = self.rows.iter().position(is).unwrap_or_else(|| {
            self.rows.push(Row {
                workload: workload.to_owned(),
                store: store.to_owned(),
                records,
                rounds: Vec::new(),
                gave_up_after_s: None,
            });
            self.rows.len() - 1
        });
        self.rows.get_mut(at)
    }

    /// The rows of a workload.
    pub fn of<'a, 'w>(&'a self, workload: &'w str) -> impl Iterator<Item = &'a Row> + use<'a, 'w> {
        self.rows.iter().filter(move |row| row.workload == workload)
    }

    /// How many records the loaded store has where nothing else is said.
    pub fn records(&self) -> u64 {
        let records = self.about.get("records");
        records.and_then(Value::as_u64).unwrap_or_default()
    }

    /// The row of a workload on a store of so many records.
    pub fn find_of(&self, workload: &str, store: &str, records: u64) -> Option<&Row> {
        self.of(workload)
            .find(|row| row.store == store && row.records == records)
    }

    /// The row of a workload on a store.
    pub fn find(&self, workload: &str, store: &str) -> Option<&Row> {
        self.of(workload).find(|row| row.store == store)
    }

    /// All workloads, in the order of their first rows.
    pub fn workloads(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !names.contains(&row.workload.as_str()) {
                names.push(&row.workload);
            }
        }
        names
    }

    /// Reads what was kept.
    pub fn read(path: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("could not read {}: {error}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Keeps them.
    pub fn write(&self, path: &Path) -> Outcome {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_in_the_middle() {
        let mut row = Row {
            workload: "load".to_owned(),
            store: "tailstone".to_owned(),
            records: 1,
            rounds: Vec::new(),
            gave_up_after_s: None,
        };
        assert!(row.headline().is_none());
        for (seconds, median) in [(9.0, 9.0), (1.0, 5.0), (2.0, 2.0)] {
            row.rounds.push(Measured {
                operations: 1,
                wall_s: seconds,
                cpu_s: seconds,
                ..Measured::default()
            });
            let spread = row.headline().unwrap();
            assert!((spread.median / 1e9 - median).abs() < 1e-9, "{spread:?}");
        }
    }
}
