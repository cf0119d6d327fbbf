//! From the times of the rounds to figures: medians with their spread, as a table or as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::latency::LatencyRow;
use super::steps::{Group, Step};

/// A row of the report.
#[derive(Serialize)]
pub struct Row<'a> {
    pub name: &'a str,
    pub group: Group,
    operations: u32,
    pub median_ns: f64,
    least_ns: f64,
    most_ns: f64,
    operations_per_second: f64,
    megabytes_per_second: Option<f64>,
    /// Time against that of a plain file, or of a copy of memory, in the same round, the median.
    time_to_plain: Option<f64>,
    /// There is no store in it.
    #[serde(skip)]
    pub is_plain: bool,
}

/// The rows of all steps, group by group.
pub fn rows(steps: &[Step]) -> Vec<Row<'static>> {
    let of = |group| steps.iter().filter(move |step| step.about.group == group);
    let grouped = Group::ALL.into_iter().flat_map(of);
    grouped.map(|step| row(step, steps)).collect()
}

fn row(step: &Step, steps: &[Step]) -> Row<'static> {
    let each: Vec<f64> = step.times.iter().map(|&time| per_one(step, time)).collect();
    let median_ns = median(&each);
    let per_second = 1e9 / median_ns;
    let bytes = u32::try_from(step.bytes).unwrap_or(u32::MAX);
    let find = |name| steps.iter().find(|plain| plain.about.name == name);
    let plain = step.about.plain.and_then(find);
    let is_plain = steps
        .iter()
        .any(|other| other.about.plain == Some(step.about.name));
    Row {
        name: step.about.name,
        group: step.about.group,
        operations: step.operations,
        median_ns,
        least_ns: each.iter().copied().fold(f64::INFINITY, f64::min),
        most_ns: each.iter().copied().fold(0.0, f64::max),
        operations_per_second: per_second,
        megabytes_per_second: (bytes > 0).then(|| per_second * f64::from(bytes) / 1e6),
        time_to_plain: plain.map(|plain| {
            let plain_each = plain.times.iter().map(|&time| per_one(plain, time));
            let ratios: Vec<f64> = each.iter().zip(plain_each).map(|(a, b)| a / b).collect();
            median(&ratios)
        }),
        is_plain,
    }
}

/// Nanoseconds of one operation; at least one, so that nothing is divided by zero.
fn per_one(step: &Step, time: Duration) -> f64 {
    (time.as_secs_f64() * 1e9).max(1.0) / f64::from(step.operations.max(1))
}

/// The middle one, or the mean of the two in the middle; 0 of none.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => low.midpoint(*high),
        _ => 0.0,
    }
}

/// The rows as a table.
pub fn table(rows: &[Row<'_>]) -> String {
    let mut text = format!(
        "{:<27}{:>11}{:>25}{:>14}{:>10}{:>10}\n",
        "", "median", "least to most", "operations/s", "MB/s", "to plain"
    );
    for row in rows {
        let spread = format!("{} to {}", time(row.least_ns), time(row.most_ns));
        let rate = row.megabytes_per_second.map(|rate| format!("{rate:.1}"));
        let plain = row.time_to_plain.map(|ratio| format!("{ratio:.2}"));
        // Writing to a string does not fail.
        let _written = writeln!(
            text,
            "{:<27}{:>11}{spread:>25}{:>14.0}{:>10}{:>10}",
            row.name,
            time(row.median_ns),
            row.operations_per_second,
            rate.unwrap_or_default(),
            plain.unwrap_or_default()
        );
    }
    text
}

/// The lengths of single operations as a table.
pub fn latencies(rows: &[LatencyRow]) -> String {
    let mut text = format!(
        "\n{:<27}{:>11}{:>12}{:>12}{:>12}{:>14}\n",
        "one at a time", "half", "99 %", "99.9 %", "most", "measured"
    );
    for row in rows {
        let times = [row.p50_ns, row.p99_ns, row.p99_9_ns, row.most_ns];
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let [half, most_of, nearly_all, most] = times.map(|ns| time(ns as f64));
        let _written = writeln!(
            text,
            "{:<27}{half:>11}{most_of:>12}{nearly_all:>12}{most:>12}{:>14}",
            row.name, row.operations
        );
    }
    text
}

/// `560 ns`, `1.25 ms`: three digits that mean something.
pub fn time(ns: f64) -> String {
    let (figure, unit) = match ns {
        ..1e3 => (ns, "ns"),
        1e3..1e6 => (ns / 1e3, "us"),
        1e6..1e9 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    match figure {
        ..10.0 => format!("{figure:.2} {unit}"),
        10.0..100.0 => format!("{figure:.1} {unit}"),
        _ => format!("{figure:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Step, median, row, time};
    use crate::bench::steps::{PLAIN, SINGLE};

    #[test]
    fn medians() {
        for (figures, middle) in [
            (&[][..], 0.0),
            (&[3.0], 3.0),
            (&[9.0, 1.0], 5.0),
            (&[9.0, 1.0, 2.0], 2.0),
        ] {
            assert!((median(figures) - middle).abs() < 1e-9, "{figures:?}");
        }
    }

    #[test]
    fn a_row_is_what_the_times_say() {
        let step = |about, millis: [u64; 3]| Step {
            about,
            operations: 1000,
            bytes: 500,
            times: millis.map(Duration::from_millis).to_vec(),
        };
        let steps = [step(PLAIN, [4, 4, 4]), step(SINGLE, [8, 2, 1])];
        assert!(row(&steps[0], &steps).is_plain);
        let row = row(&steps[1], &steps);
        assert!(!row.is_plain);
        for (figure, is) in [
            (row.median_ns, 2000.0),
            (row.least_ns, 1000.0),
            (row.most_ns, 8000.0),
            (row.operations_per_second, 500_000.0),
            (row.megabytes_per_second.unwrap(), 250.0),
            (row.time_to_plain.unwrap(), 0.5),
        ] {
            assert!((figure - is).abs() < 1e-6, "{figure} is not {is}");
        }
    }

    #[test]
    fn times_have_three_digits() {
        for (ns, text) in [
            (0.5, "0.50 ns"),
            (560.4, "560 ns"),
            (1250.0, "1.25 us"),
            (98_765_432.0, "98.8 ms"),
            (12e9, "12.0 s"),
        ] {
            assert_eq!(time(ns), text);
        }
    }
}
