//! Plots of the kept figures. What a store cannot do, or what was not measured, is left out, not drawn as nothing.

mod bars;
mod lines;

use crate::peer::Outcome;
use crate::results::Results;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

/// Draws all plots of what lies in `folder` beside it.
pub fn draw(folder: &Path) -> Outcome {
    let results = Results::read(&folder.join("reference.json"))?;
    bars::draw(&results, &folder.join("operations.svg"))?;
    lines::sizes(&results, &folder.join("value-sizes.svg"))?;
    lines::threads(&results, &folder.join("threads.svg"))?;
    let growth = folder.join("growth.json");
    if growth.exists() {
        lines::growth(&Results::read(&growth)?, &folder.join("growth.svg"))?;
    }
    Ok(())
}

/// Every store in the same colour everywhere; this one's in two blues.
const COLOURS: [(&str, RGBColor); 13] = [
    ("tailstone", RGBColor(0, 84, 166)),
    ("tailstone-reader", RGBColor(86, 180, 233)),
    ("simd-r-drive", RGBColor(0, 158, 115)),
    ("emdb", RGBColor(230, 159, 0)),
    ("candystore", RGBColor(204, 121, 167)),
    ("redb", RGBColor(213, 94, 0)),
    ("heed", RGBColor(120, 190, 60)),
    ("fjall", RGBColor(140, 90, 40)),
    ("rusqlite", RGBColor(110, 80, 160)),
    ("rocksdb", RGBColor(200, 40, 60)),
    ("pwrite", RGBColor(60, 60, 60)),
    ("memcpy", RGBColor(60, 60, 60)),
    ("memcmp", RGBColor(160, 160, 160)),
];

/// What a store is called in a plot.
fn title(store: &str) -> &str {
    match store {
        "heed" => "LMDB (heed)",
        "rusqlite" => "SQLite (rusqlite)",
        "rocksdb" => "RocksDB",
        "tailstone-reader" => "tailstone, reader()",
        store => store,
    }
}

/// Who has which colour, from the top of `area` down.
fn legend(
    stores: &[(&'static str, RGBColor)],
    area: &DrawingArea<SVGBackend<'_>, Shift>,
) -> Outcome {
    let style = ("sans-serif", 14).into_text_style(area);
    let mut y = 30;
    for (store, colour) in stores {
        area.draw(&Rectangle::new([(6, y), (22, y + 10)], colour.filled()))?;
        area.draw_text(title(store), &style, (28, y - 2))?;
        y += 22;
    }
    Ok(())
}

/// A time beside an axis, on which there are powers of ten.
fn tick(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns} ns"),
        ns if ns < 1e6 => format!("{} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{} ms", ns / 1e6),
        ns => format!("{} s", ns / 1e9),
    }
}

/// From a power of ten to a power of ten around all figures.
fn decades(figures: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (mut low, mut high) = (f64::MAX, f64::MIN_POSITIVE);
    for figure in figures.filter(|figure| *figure > 0.0) {
        low = low.min(figure);
        high = high.max(figure);
    }
    if low > high {
        return 1.0..10.0;
    }
    let low = 10_f64.powf(low.log10().floor());
    low..10_f64.powf(high.log10().ceil()).max(low * 10.0)
}
