//! The figures as tables in Markdown: all of them, and the few that the README has.

use crate::engines::Engine;
use crate::measured::{Measured, float};
use crate::results::{Results, Row, Spread};
use std::fmt::Write as _;

/// Every row: medians with the lowest and the highest, and how many times as long as this store it took.
pub fn table(results: &Results) -> String {
    let mut text = String::from(
        "| workload | store | processor time of an operation | against tailstone | on the clock | against tailstone | further |\n\
         |---|---|---:|---:|---:|---:|---|\n",
    );
    for workload in results.workloads() {
        let mut rows: Vec<&Row> = results.of(workload).collect();
        rows.sort_by(|a, b| key(a).total_cmp(&key(b)));
        for row in rows {
            let ours = results
                .of(workload)
                .find(|other| other.store == "tailstone" && other.records == row.records);
            let ratio = |spread: fn(&Row) -> Option<Spread>| {
                let (theirs, ours) = (spread(row)?.median, spread(ours?)?.median);
                Some(format!("{:.2}", theirs / ours))
            };
            let records = several(results).then(|| format!(" of {}", row.records));
            let _ = writeln!(
                text,
                "| {workload}{} | {} | {} | {} | {} | {} | {} |",
                records.unwrap_or_default(),
                row.store,
                row.cpu().map_or_else(String::new, with_ends),
                ratio(Row::cpu).unwrap_or_default(),
                row.wall().map_or_else(String::new, with_ends),
                ratio(Row::wall).unwrap_or_default(),
                further(row)
            );
        }
    }
    if let Some(notes) = results
        .about
        .get("notes")
        .and_then(|notes| notes.as_object())
    {
        let is_told = |store: &str| results.rows.iter().any(|row| row.store == store);
        for (store, note) in notes.iter().filter(|(store, _)| is_told(store)) {
            let _ = writeln!(text, "\n{store}: {}", note.as_str().unwrap_or_default());
        }
    }
    text
}

/// Rows go by what they took, those of one number of records together.
fn key(row: &Row) -> f64 {
    let records = float(row.records) * 1e12;
    records
        + row
            .headline()
            .map_or(1e11, |spread| spread.median.min(1e11))
}

/// Whether stores of several sizes were measured.
fn several(results: &Results) -> bool {
    let mut records = results.rows.iter().map(|row| row.records);
    let first = records.next();
    records.any(|records| Some(records) != first)
}

fn further(row: &Row) -> String {
    let mut parts = Vec::new();
    if let Some(limit) = row.gave_up_after_s {
        parts.push(format!("given up after {limit:.0} s"));
    }
    let names = row.rounds.first().map(|round| round.figures.keys());
    for name in names.into_iter().flatten() {
        if let Some(spread) = row.figure(name) {
            parts.push(format!("{name} {}", short(spread.median)));
        }
    }
    let bytes = |round: &Measured| (round.file_bytes > 0).then(|| float(round.file_bytes));
    if let Some(spread) = row.spread(bytes) {
        parts.push(format!("{:.1} MiB of files", spread.median / 1_048_576.0));
    }
    parts.join(", ")
}

fn short(figure: f64) -> String {
    match figure {
        figure if figure >= 100.0 => format!("{figure:.0}"),
        figure if figure >= 1.0 => format!("{figure:.2}"),
        figure => format!("{figure:.5}"),
    }
}

fn with_ends(spread: Spread) -> String {
    format!(
        "{} ({} to {})",
        time(spread.median),
        time(spread.low),
        time(spread.high)
    )
}

/// Nanoseconds, in the unit that they are read in.
pub fn time(ns: f64) -> String {
    let (figure, unit) = match ns {
        ns if ns < 10_000.0 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    let digits = match figure {
        figure if figure >= 100.0 => 0,
        figure if figure >= 10.0 => 1,
        _ => 2,
    };
    format!("{figure:.digits$} {unit}")
}

/// What the README says of a workload.
const TOLD: [(&str, &str); 19] = [
    ("load", "bulk load, batches of 10,000"),
    ("write", "single writes"),
    ("write-durable-1", "single durable writes, one thread"),
    ("write-durable-8", "the same, eight threads"),
    ("read-ordered", "reads in the order of writing"),
    ("read-shuffled", "shuffled reads"),
    ("read-shuffled-cold", "the same from the disk"),
    ("batch-read", "batches of 1,024, shuffled"),
    ("miss", "misses"),
    ("threads-2", "shuffled reads by two threads"),
    ("reopen", "reopening after a clean close"),
    ("reopen-without-snapshot", "reopening after a kill"),
    ("write-4KiB", "values of 4 KiB, writing"),
    ("read-4KiB", "the same, reading"),
    ("write-1MiB", "values of 1 MiB, writing"),
    ("read-1MiB", "the same, reading"),
    ("iterate", "every value"),
    ("compact", "compaction, half overwritten"),
    ("redb-removals", "removals"),
];

/// The stores of the README's table, in its order.
const COLUMNS: [(&str, &str); 10] = [
    ("tailstone", "`store`"),
    ("tailstone-reader", "`reader()`"),
    ("simd-r-drive", "simd-r-drive"),
    ("emdb", "emdb"),
    ("candystore", "candystore"),
    ("redb", "redb"),
    ("heed", "LMDB"),
    ("fjall", "fjall"),
    ("rusqlite", "SQLite"),
    ("rocksdb", "RocksDB"),
];

/// The README's table: medians, and how many times as fast this store's best is as the best of the others.
pub fn readme(results: &Results) -> String {
    let columns: Vec<_> = COLUMNS
        .into_iter()
        .filter(|(store, _)| results.rows.iter().any(|row| row.store == *store))
        .collect();
    let mut text = String::from("| |");
    for (_, title) in &columns {
        let _ = write!(text, " {title} |");
    }
    text.push_str(" times as fast as the best other |\n|---|");
    text.push_str(&"---:|".repeat(columns.len() + 1));
    text.push('\n');
    for (workload, words) in TOLD {
        let median = |store: &str| {
            // What shares its syncs is how this store makes single writes durable.
            let ours = ["tailstone-sync", store];
            let from =
                usize::from(!(store == "tailstone" && workload.starts_with("write-durable")));
            let mut rows = ours.iter().skip(from);
            let row = rows.find_map(|store| results.find(workload, store))?;
            Some(row.headline()?.median)
        };
        if median("tailstone").is_none() {
            continue;
        }
        let _ = write!(text, "| {words} |");
        let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
        for (store, _) in &columns {
            let Some(ns) = median(store) else {
                text.push_str(" |");
                continue;
            };
            let best = if store.starts_with("tailstone") {
                &mut ours
            } else {
                &mut theirs
            };
            *best = best.min(ns);
            let _ = write!(text, " {} |", time(ns));
        }
        let ratio = theirs / ours;
        if ratio.is_finite() {
            let digits = if ratio < 0.1 { 3 } else { 1 };
            let _ = writeln!(text, " {ratio:.digits$} |");
        } else {
            text.push_str(" |\n");
        }
    }
    text
}

/// What single operations took at most, half of them, 99 of a hundred and 999 of a thousand, with a clock of their own each.
pub fn latencies(results: &Results) -> String {
    const OPERATIONS: [(&str, &str); 3] = [
        ("latency-read", "shuffled read"),
        ("latency-write", "write"),
        ("latency-write-durable", "durable write"),
    ];
    let mut text = String::from("| store |");
    for (_, title) in OPERATIONS {
        let _ = write!(text, " {title} p50 | p99 | p99.9 |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(OPERATIONS.len() * 3));
    text.push('\n');
    let told = |store: &str| {
        let rows = OPERATIONS.map(|(workload, _)| results.find(workload, store));
        let cells = rows.map(|row| {
            ["p50_ns", "p99_ns", "p999_ns"]
                .map(|name| row.and_then(|row| row.figure(name)))
                .map(|spread| spread.map_or_else(String::new, |spread| time(spread.median)))
        });
        rows.iter()
            .any(Option::is_some)
            .then(|| cells.as_flattened().join(" | "))
    };
    for store in Engine::ALL.iter().map(|engine| engine.name()) {
        if let Some(cells) = told(store) {
            let _ = writeln!(text, "| {store} | {cells} |");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_or_so() {
        let times = [0.5, 42.25, 9876.0, 12_345.0, 1.5e6, 2e9].map(time);
        assert_eq!(
            times,
            [
                "0.50 ns", "42.2 ns", "9876 ns", "12.3 µs", "1.50 ms", "2.00 s"
            ]
        );
    }

    #[test]
    fn what_a_store_cannot_do_is_left_out_of_the_table() {
        let mut results = Results::new(1);
        for (store, seconds) in [("tailstone", 1e-6), ("emdb", 3e-6)] {
            let rounds = &mut results.row("miss", store, 1).unwrap().rounds;
            rounds.push(Measured {
                operations: 1,
                wall_s: seconds,
                cpu_s: seconds,
                ..Measured::default()
            });
        }
        let table = readme(&results);
        assert!(
            table.contains("| misses | 1000 ns | 3000 ns | 3.0 |"),
            "{table}"
        );
        assert!(!table.contains("single writes"), "{table}");
    }
}
