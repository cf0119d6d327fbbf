//! Processor time of single operations as bars, one group for each workload.

use super::{COLOURS, decades, legend, tick};
use crate::peer::Outcome;
use crate::results::Results;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

const GROUPS: [(&str, &str); 6] = [
    ("load", "bulk load"),
    ("write", "single writes"),
    ("read-ordered", "reads, in order"),
    ("read-shuffled", "reads, shuffled"),
    ("batch-read", "reads, 1,024 at once"),
    ("miss", "misses"),
];

/// One bar.
struct Bar {
    store: &'static str,
    left: f64,
    right: f64,
    ns: f64,
}

/// Draws the bars into an SVG file.
pub fn draw(results: &Results, path: &Path) -> Outcome {
    let bars = bars(results);
    let range = decades(bars.iter().map(|bar| bar.ns));
    let floor = range.start;
    let root = SVGBackend::new(path, (1200, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let heading = "Processor time of one operation: 24-byte keys, 150-byte values, writes buffered (median; lower is better)";
    let root = root.titled(heading, ("sans-serif", 18))?;
    let (area, beside) = root.split_horizontally(1030);
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(34)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..6.0_f64, range.log_scale())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_desc("processor time (log scale)")
        .y_label_formatter(&|ns| tick(*ns))
        .draw()?;
    let mut shown = Vec::new();
    for (store, colour) in COLOURS {
        let of_store: Vec<_> = bars.iter().filter(|bar| bar.store == store).collect();
        if of_store.is_empty() {
            continue;
        }
        shown.push((store, colour));
        chart.draw_series(of_store.into_iter().map(|bar| {
            Rectangle::new([(bar.left, floor), (bar.right, bar.ns)], colour.filled())
        }))?;
    }
    let under = ("sans-serif", 14)
        .into_text_style(&area)
        .pos(Pos::new(HPos::Center, VPos::Top));
    let above = ("sans-serif", 10)
        .into_text_style(&area)
        .pos(Pos::new(HPos::Center, VPos::Bottom));
    chart.draw_series(GROUPS.iter().enumerate().map(|(at, (_, words))| {
        EmptyElement::at((middle(at), floor)) + Text::new(*words, (0, 8), under.clone())
    }))?;
    chart.draw_series(bars.iter().map(|bar| {
        let top = (f64::midpoint(bar.left, bar.right), bar.ns);
        EmptyElement::at(top) + Text::new(figure(bar.ns), (0, -2), above.clone())
    }))?;
    legend(&shown, &beside)?;
    root.present()?;
    Ok(())
}

fn figure(ns: f64) -> String {
    if ns < 1000.0 {
        format!("{ns:.0}")
    } else if ns < 1e5 {
        format!("{:.1}k", ns / 1e3)
    } else {
        format!("{:.0}k", ns / 1e3)
    }
}

#[expect(clippy::cast_precision_loss, reason = "six groups")]
const fn middle(group: usize) -> f64 {
    group as f64 + 0.5
}

/// The bars of each group side by side, without gaps where a store has none.
fn bars(results: &Results) -> Vec<Bar> {
    let mut bars = Vec::new();
    for (group, (workload, _)) in GROUPS.iter().enumerate() {
        let of_group: Vec<_> = COLOURS
            .into_iter()
            .filter_map(|(store, _)| {
                let ns = results.find(workload, store)?.headline()?.median;
                Some((store, ns))
            })
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "a dozen stores")]
        let width = 0.9 / (of_group.len() as f64).max(6.0);
        #[expect(clippy::cast_precision_loss, reason = "a dozen stores")]
        let mut left = middle(group) - width * of_group.len() as f64 / 2.0;
        for (store, ns) in of_group {
            bars.push(Bar {
                store,
                left,
                right: left + width * 0.9,
                ns,
            });
            left += width;
        }
    }
    bars
}
