//! Figures against something that grows: the size of values, the number of threads, the number of records.

use super::{COLOURS, decades, legend, tick};
use crate::measured::float;
use crate::peer::Outcome;
use crate::results::Results;
use crate::workloads::{SIZES, size};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

/// One store's points.
#[derive(Clone)]
struct Line {
    store: &'static str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// The lines of all stores that have any of the points.
fn lines(point: impl Fn(&str) -> Vec<(f64, f64)>) -> Vec<Line> {
    let all = COLOURS.into_iter().map(|(store, colour)| Line {
        store,
        colour,
        points: point(store),
    });
    all.filter(|line| !line.points.is_empty()).collect()
}

/// Who has a line in any panel.
fn shown(panels: &[Vec<Line>]) -> Vec<(&'static str, RGBColor)> {
    let has_line = |store| panels.iter().flatten().any(|line| line.store == store);
    let mut shown = COLOURS.to_vec();
    shown.retain(|(store, _)| has_line(*store));
    shown
}

/// How a panel is labelled.
struct Panel<'a> {
    caption: &'a str,
    x: &'a str,
    y: &'a str,
    x_label: &'a dyn Fn(&f64) -> String,
    y_label: &'a dyn Fn(&f64) -> String,
}

impl Panel<'_> {
    fn draw(&self, lines: &[Line], area: &DrawingArea<SVGBackend<'_>, Shift>) -> Outcome {
        let points = || lines.iter().flat_map(|line| &line.points);
        let (mut left, mut right) = (f64::MAX, 1.0_f64);
        for (x, _) in points() {
            left = left.min(*x);
            right = right.max(*x);
        }
        let mut chart = ChartBuilder::on(area)
            .caption(self.caption, ("sans-serif", 16))
            .margin(8)
            .margin_right(16)
            .x_label_area_size(40)
            .y_label_area_size(72)
            .build_cartesian_2d(
                (left..right.max(left * 2.0)).log_scale(),
                decades(points().map(|(_, y)| *y)).log_scale(),
            )?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&self.x_label)
            .y_label_formatter(&self.y_label)
            .draw()?;
        for line in lines {
            let (points, colour) = (&line.points, line.colour);
            let colour = colour.stroke_width(2);
            chart.draw_series(LineSeries::new(points.iter().copied(), colour))?;
            let dots = points
                .iter()
                .map(|point| Circle::new(*point, 3, line.colour.filled()));
            chart.draw_series(dots)?;
        }
        Ok(())
    }
}

/// Reading and writing against the size of values.
pub fn sizes(results: &Results, path: &Path) -> Outcome {
    let of = |kind: &str| {
        lines(|store| {
            let point = |bytes: &u64| {
                let row = results.find(&format!("{kind}-{}", size(*bytes)), store)?;
                Some((float(*bytes), row.headline()?.median))
            };
            SIZES.iter().filter_map(point).collect()
        })
    };
    let panels = [of("write"), of("read")];
    if panels.iter().any(Vec::is_empty) {
        return Ok(());
    }
    let root = SVGBackend::new(path, (1300, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.titled(
        "Processor time of one value, by its size (median; lower is better)",
        ("sans-serif", 18),
    )?;
    let (left, beside) = root.split_horizontally(1120);
    let areas = left.split_evenly((1, 2));
    let captions = ["single buffered writes", "shuffled reads"];
    for ((area, caption), lines) in areas.iter().zip(captions).zip(&panels) {
        let panel = Panel {
            caption,
            x: "bytes of the value",
            y: "processor time",
            x_label: &|bytes| bytes_in_words(*bytes),
            y_label: &|ns| tick(*ns),
        };
        panel.draw(lines, area)?;
    }
    legend(&shown(&panels), &beside)?;
    root.present()?;
    Ok(())
}

fn bytes_in_words(bytes: f64) -> String {
    match bytes {
        bytes if bytes >= 1e6 => format!("{:.0} MB", bytes / 1e6),
        bytes if bytes >= 1e3 => format!("{:.0} kB", bytes / 1e3),
        bytes => format!("{bytes:.0} B"),
    }
}

/// Reads a second against the number of threads.
pub fn threads(results: &Results, path: &Path) -> Outcome {
    let lines = lines(|store| {
        let point = |threads: u32| {
            let workload = match threads {
                1 => "read-shuffled".to_owned(),
                threads => format!("threads-{threads}"),
            };
            let row = results.find(&workload, store)?;
            let rate = row.spread(|round| Some(1e9 / round.wall_ns()))?.median;
            Some((f64::from(threads), rate))
        };
        [1, 2, 4, 8].into_iter().filter_map(point).collect()
    });
    if lines.is_empty() {
        return Ok(());
    }
    let root = SVGBackend::new(path, (900, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let cores = results
        .about
        .get("processor")
        .and_then(|text| text.as_str());
    let caption = format!(
        "Shuffled reads by several threads on {} (median; higher is better)",
        cores.unwrap_or("one machine")
    );
    let panel = Panel {
        caption: &caption,
        x: "threads",
        y: "reads a second, all threads together",
        x_label: &|threads| format!("{threads:.0}"),
        y_label: &|rate| {
            if *rate >= 1e6 {
                format!("{} M", rate / 1e6)
            } else {
                format!("{} k", rate / 1e3)
            }
        },
    };
    let (left, beside) = root.split_horizontally(730);
    panel.draw(&lines, &left)?;
    legend(&shown(&[lines]), &beside)?;
    root.present()?;
    Ok(())
}

/// What grows, and what it is called.
const GROWING: [(&str, &str); 11] = [
    ("load", "bulk load"),
    ("write", "single buffered writes, a fifth of the records"),
    ("read-ordered", "reads in the order of writing"),
    ("read-shuffled", "shuffled reads"),
    ("batch-read", "batches of 1,024 shuffled reads"),
    ("miss", "misses"),
    ("iterate", "every value, a record"),
    ("reopen", "reopening after a clean close"),
    ("reopen-without-snapshot", "reopening after a kill"),
    ("recover", "reopening with a torn tail"),
    ("compact", "compaction, half overwritten, a record"),
];

/// What operations cost against the number of records in the store.
pub fn growth(results: &Results, path: &Path) -> Outcome {
    let measured = GROWING.map(|(workload, caption)| {
        let lines = lines(|store| {
            let mut points: Vec<_> = results
                .of(workload)
                .filter(|row| row.store == store)
                .filter_map(|row| Some((float(row.records), row.headline()?.median)))
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            points
        });
        (caption, lines)
    });
    let measured = measured.iter().filter(|(_, lines)| !lines.is_empty());
    let (captions, panels): (Vec<&str>, Vec<Vec<Line>>) = measured.cloned().unzip();
    // One more place, for the legend.
    let rows = (panels.len() + 1).div_ceil(COLUMNS);
    let size = (1500, 450 * u32::try_from(rows)?);
    let root = SVGBackend::new(path, size).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.titled(
        "Processor time of one operation, by the number of records (median; lower is better)",
        ("sans-serif", 18),
    )?;
    let areas = root.split_evenly((rows, COLUMNS));
    for ((area, caption), lines) in areas.iter().zip(captions).zip(&panels) {
        let panel = Panel {
            caption,
            x: "records",
            y: "processor time",
            x_label: &|records| match *records {
                records if records >= 1e6 => format!("{:.0} M", records / 1e6),
                records => format!("{:.0} k", records / 1e3),
            },
            y_label: &|ns| tick(*ns),
        };
        panel.draw(lines, area)?;
    }
    if let Some(free) = areas.get(panels.len()) {
        legend(&shown(&panels), free)?;
    }
    root.present()?;
    Ok(())
}

/// Panels beside each other.
const COLUMNS: usize = 3;
