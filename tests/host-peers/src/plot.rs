//! The medians as a plot: one panel for `get`, one for `set`.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::figures::{Figures, Lane};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Colours that people who see few of them tell apart, after Okabe and Ito.
const COLOURS: [RGBColor; 9] = [
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(120, 200, 80),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(120, 120, 120),
    RGBColor(0, 0, 0),
];

/// Draws both panels into an SVG file.
pub fn draw(figures: &Figures, path: &Path) -> Outcome {
    let root = SVGBackend::new(path, (1100, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let title =
        "Processor time of one call of a plugin, by who answers it (median; lower is better)";
    let root = root.titled(title, ("sans-serif", 20))?;
    let (left, right) = root.split_horizontally(550);
    panel(figures, "get", &left)?;
    panel(figures, "set", &right)?;
    root.present()?;
    Ok(())
}

fn panel(figures: &Figures, kind: &str, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Outcome {
    let lanes: Vec<_> = Lane::ALL
        .into_iter()
        .zip(COLOURS)
        .map(|(lane, colour)| (lane, colour, figures.medians(kind, lane)))
        .collect();
    let all = lanes.iter().flat_map(|(_, _, medians)| medians);
    let (mut low, mut high) = (f64::MAX, 1.0_f64);
    for (_, nanoseconds) in all {
        low = low.min(nanoseconds / 1e3);
        high = high.max(nanoseconds / 1e3);
    }
    let mut chart = ChartBuilder::on(area)
        .caption(kind, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(64)
        .build_cartesian_2d(
            (10_f64..2e6).log_scale(),
            (low / 1.5..high * 20.0).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("bytes of the value")
        .y_desc("microseconds of processor time a call")
        .x_label_formatter(&|bytes| bytes_in_words(*bytes))
        .y_label_formatter(&|us| format!("{us}"))
        .draw()?;
    for (lane, colour, medians) in lanes {
        let points = || {
            let medians = medians.iter();
            medians.map(|(bytes, nanoseconds)| (f64::from(*bytes), nanoseconds / 1e3))
        };
        chart
            .draw_series(LineSeries::new(points(), colour.stroke_width(2)))?
            .label(lane.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(points().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.2))
        .label_font(("sans-serif", 12))
        .draw()?;
    Ok(())
}

fn bytes_in_words(bytes: f64) -> String {
    match bytes {
        bytes if bytes >= 1e6 => format!("{} MB", bytes / 1e6),
        bytes if bytes >= 1e3 => format!("{} kB", bytes / 1e3),
        bytes => format!("{bytes}"),
    }
}
