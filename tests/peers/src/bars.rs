//! The bars that were set for this store, and how the kept figures stand to them.

mod figures;

use self::figures::{Figures, Judged, REFERENCE};
use crate::results::{Results, Row};
use crate::rounds::TIMES_LARGER;
use std::fmt::Write as _;

/// This store's ways to read.
const BOTH: [&str; 2] = ["tailstone", "tailstone-reader"];
const OWN: [&str; 1] = ["tailstone"];

/// What the bar is about, what is wanted, and what came.
type Line = (&'static str, &'static str, Judged);

/// The bars as a table in Markdown.
pub fn table(results: &Results) -> String {
    let records = results.records();
    let figures = Figures { results, records };
    let larger = Figures {
        results,
        records: records * TIMES_LARGER,
    };
    let mut text = String::from("| bar | wanted | measured | reached |\n|---|---|---|---|\n");
    let all = [
        one_by_one(&figures),
        opening(&figures, &larger),
        in_bulk(&figures),
    ];
    for (bar, wanted, judged) in all.into_iter().flatten() {
        let (measured, reached) = match judged {
            Some((measured, true)) => (measured, "yes"),
            Some((measured, false)) => (measured, "no"),
            None => ("not measured".to_owned(), ""),
        };
        let _ = writeln!(text, "| {bar} | {wanted} | {measured} | {reached} |");
    }
    text
}

fn one_by_one(figures: &Figures<'_>) -> Vec<Line> {
    let faster = |workload, ours, wanted| figures.times_faster(workload, ours, wanted);
    let beside = figures.beside_a_writer();
    vec![
        (
            "bulk load, batches of 10,000, buffered",
            "1.5 times the best",
            faster("load", &OWN, 1.5),
        ),
        (
            "single writes, buffered",
            "3 times the best",
            faster("write", &OWN, 3.0),
        ),
        (
            "the same",
            "10 times the reference",
            figures.over_reference("write", 10.0),
        ),
        (
            "one durable write",
            "one sync of the disk",
            figures.durable(),
        ),
        (
            "durable writes by 8 threads",
            "5 times the rate of one",
            figures.shared_syncs(),
        ),
        (
            "reads in the order of writing",
            "2 times the best",
            faster("read-ordered", &BOTH, 2.0),
        ),
        (
            "shuffled reads",
            "2 times the best",
            faster("read-shuffled", &BOTH, 2.0),
        ),
        (
            "`batch_read` of 1,024, shuffled",
            "4 times its single reads",
            figures.batch(),
        ),
        (
            "2 readers beside a writer",
            "at most 10 % slower; twice the rate of one",
            beside,
        ),
        ("misses", "below 60 ns", figures.misses()),
    ]
}

fn opening(figures: &Figures<'_>, larger: &Figures<'_>) -> Vec<Line> {
    let below = |workload, seconds| figures.opening(workload, Some(seconds), REFERENCE);
    let unclosed = "reopen-without-snapshot";
    vec![
        (
            "reopening with a snapshot, until it has answered (until it is open)",
            "below LMDB's",
            figures.opening("reopen", None, "heed"),
        ),
        (
            "the same with ten million keys",
            "below LMDB's",
            larger.opening("reopen", None, "heed"),
        ),
        (
            "reopening without one",
            "0.15 s a million",
            below(unclosed, 0.15),
        ),
        (
            "the same with ten million keys",
            "0.15 s a million",
            larger.opening(unclosed, Some(1.5), REFERENCE),
        ),
        (
            "a torn tail, and no snapshot",
            "below 0.2 s",
            below("recover", 0.2),
        ),
        (
            "64 MiB of random bytes behind the end",
            "below 0.2 s",
            below("recover-random", 0.2),
        ),
        (
            "64 MiB of zeros behind the end",
            "below 0.5 s",
            below("recover-zeros", 0.5),
        ),
        (
            "a torn value of 64 MiB, the store's own tails",
            "below 5 s",
            below("recover-own-tails", 5.0),
        ),
        (
            "bytes of memory a key after opening",
            "below 16",
            figures.memory(),
        ),
        ("file size", "equal", figures.file_size()),
    ]
}

fn in_bulk(figures: &Figures<'_>) -> Vec<Line> {
    let bare = |workload, lane| figures.against_lane(workload, &BOTH, lane, Row::cpu);
    let waited_for = |workload, lane| figures.against_lane(workload, &OWN, lane, Row::wall);
    vec![
        (
            "a value of 1 MiB, written",
            "within 10 % of `pwrite`",
            bare("write-1MiB", "pwrite"),
        ),
        (
            "the same, read",
            "within 10 % of `memcpy`",
            figures.long_read("read-1MiB", &BOTH),
        ),
        (
            "the same, streamed in",
            "within 10 % of a copy",
            waited_for("stream-write", "fs::copy"),
        ),
        (
            "the same, streamed out",
            "within 10 % of a copy",
            waited_for("stream-read", "fs::copy"),
        ),
        ("iterate all, a record", "memory's speed", figures.iterate()),
        (
            "verify all, a record, both cores",
            "checksum's speed",
            waited_for("verify-2", "crc32fast"),
        ),
        (
            "redb's own phases, on the clock",
            "first in each",
            figures.phases(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::Measured;

    fn results(rows: &[(&str, &str, f64)]) -> Results {
        let mut results = Results::new(1);
        for &(workload, store, ns) in rows {
            let measured = Measured {
                operations: 1,
                wall_s: ns / 1e9,
                cpu_s: ns / 1e9,
                ..Measured::default()
            };
            let measured = measured.with("open_s", ns / 1e9);
            results
                .row(workload, store, 1)
                .unwrap()
                .rounds
                .push(measured);
        }
        results
    }

    #[test]
    fn a_bar_is_reached_or_not_and_says_against_whom() {
        let results = results(&[
            ("load", "tailstone", 200.0),
            ("load", "simd-r-drive", 320.0),
            ("load", "pwrite", 1.0),
            ("miss", "tailstone", 70.0),
            ("miss", "tailstone-reader", 61.0),
            ("miss", "simd-r-drive", 300.0),
            ("recover", "tailstone", 1e7),
        ]);
        let table = table(&results);
        let line = |bar: &str| {
            let mut lines = table.lines().filter(|line| line.contains(bar));
            lines.next().unwrap().to_owned()
        };
        assert!(
            line("bulk load")
                .ends_with("`tailstone` 200 ns: 1.6 times; simd-r-drive 320 ns | yes |")
        );
        assert!(line("| misses").ends_with("| no |"));
        assert!(line("a torn tail").ends_with("| 10.0 ms (10.0 ms) | yes |"));
        assert!(line("iterate all").ends_with("| not measured |  |"));
    }
}
