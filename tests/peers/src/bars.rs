//! The bars that were set for this store, and how the kept figures stand to them.

mod figures;

use self::figures::{Figures, Judged, REFERENCE};
use crate::data::VALUE_BYTES;
use crate::results::{Results, Row};
use std::fmt::Write as _;

/// The bars as a table in Markdown.
pub fn table(results: &Results) -> String {
    let figures = Figures(results);
    let both = ["tailstone", "tailstone-reader"];
    let own = ["tailstone"];
    let single = format!("single writes of {VALUE_BYTES} bytes, buffered");
    let rows: [(&str, &str, Judged); 25] = [
        (
            "bulk load, batches of 10,000, buffered",
            "1.5 times the best",
            figures.times_faster("load", &own, 1.5),
        ),
        (
            &single,
            "3 times the best",
            figures.times_faster("write", &own, 3.0),
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
            figures.times_faster("read-ordered", &both, 2.0),
        ),
        (
            "shuffled reads",
            "2 times the best",
            figures.times_faster("read-shuffled", &both, 2.0),
        ),
        (
            "`batch_read` of 1,024, shuffled",
            "4 times its single reads",
            figures.batch(),
        ),
        (
            "2 readers beside a writer",
            "at most 10 % slower; twice the rate of one",
            figures.beside_a_writer(),
        ),
        ("misses", "below 60 ns", figures.misses()),
        (
            "reopening with a snapshot",
            "below LMDB's",
            figures.opening("reopen", None, "heed"),
        ),
        (
            "reopening without one",
            "0.15 s a million",
            figures.opening("reopen-without-snapshot", Some(0.15), REFERENCE),
        ),
        (
            "a torn tail",
            "below 0.2 s",
            figures.opening("recover", Some(0.2), REFERENCE),
        ),
        (
            "64 MiB of random bytes behind the end",
            "below 0.2 s",
            figures.opening("recover-random", Some(0.2), REFERENCE),
        ),
        (
            "64 MiB of zeros behind the end",
            "below 0.5 s",
            figures.opening("recover-zeros", Some(0.5), REFERENCE),
        ),
        (
            "a torn value of 64 MiB, the store's own tails",
            "below 5 s",
            figures.opening("recover-own-tails", Some(5.0), REFERENCE),
        ),
        (
            "bytes of memory a key after opening",
            "below 16",
            figures.memory(),
        ),
        ("file size", "equal", figures.file_size()),
        (
            "a value of 1 MiB, written",
            "within 10 % of `pwrite`",
            figures.against_lane("write-1MiB", &own, "pwrite", Row::cpu),
        ),
        (
            "the same, read",
            "within 10 % of `memcpy`",
            figures.against_lane("read-1MiB", &both, "memcpy", Row::cpu),
        ),
        (
            "the same, streamed in",
            "within 10 % of a copy",
            figures.against_lane("stream-write", &own, "fs::copy", Row::wall),
        ),
        (
            "the same, streamed out",
            "within 10 % of a copy",
            figures.against_lane("stream-read", &own, "fs::copy", Row::wall),
        ),
        ("iterate all, a record", "memory's speed", figures.iterate()),
        (
            "verify all, a record, both cores",
            "checksum's speed",
            figures.against_lane("verify-2", &own, "crc32fast", Row::wall),
        ),
        (
            "redb's own phases, on the clock",
            "first in each",
            figures.phases(),
        ),
    ];
    let mut text = String::from("| bar | wanted | measured | reached |\n|---|---|---|---|\n");
    for (bar, wanted, judged) in rows {
        let (measured, reached) = match judged {
            Some((measured, true)) => (measured, "yes"),
            Some((measured, false)) => (measured, "no"),
            None => ("not measured".to_owned(), ""),
        };
        let _ = writeln!(text, "| {bar} | {wanted} | {measured} | {reached} |");
    }
    text
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
        assert!(line("a torn tail").ends_with("| 10.0 ms | yes |"));
        assert!(line("iterate all").ends_with("| not measured |  |"));
    }
}
