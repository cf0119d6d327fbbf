//! The figures as bars and ranges, as wide as the output.

use std::fmt::Write;

use super::figures::{Row, time};
use super::latency::LatencyRow;
use super::steps::Group;
use crate::terminal::Looks;

/// A label, and two blanks on either side of it.
const LABEL: usize = 28;
/// What a time takes at the end of a line.
const FIGURE: usize = 9;
/// A mark every so many nanoseconds, tenfold each.
const DECADES: [(f64, &str); 9] = [
    (1e1, "10 ns"),
    (1e2, "100 ns"),
    (1e3, "1 us"),
    (1e4, "10 us"),
    (1e5, "100 us"),
    (1e6, "1 ms"),
    (1e7, "10 ms"),
    (1e8, "100 ms"),
    (1e9, "1 s"),
];
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

const STORE: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[90m";
const RESET: &str = "\x1b[0m";

/// The median times of every group, as bars that begin at zero.
pub fn bars(rows: &[Row<'_>], looks: Looks) -> String {
    let mut text = String::new();
    for group in Group::ALL {
        let rows = rows.iter().filter(|row| row.group == group);
        let longest = rows.clone().map(|row| row.median_ns).fold(0.0, f64::max);
        if longest <= 0.0 {
            continue;
        }
        let title = group.title();
        // Writing to a string does not fail.
        let _written = writeln!(text, "\n{title}: time of one, shorter is better");
        for row in rows {
            let bar = bar(row.median_ns / longest, room(looks), looks.is_unicode);
            let colour = if row.is_plain { PLAIN } else { STORE };
            let _written = writeln!(
                text,
                "{:<LABEL$}{:>FIGURE$} {}",
                format!("  {}", row.name),
                time(row.median_ns),
                coloured(&bar, colour, looks)
            );
        }
    }
    text
}

/// From the median to what one in a thousand exceeds, on an axis on which every power of ten is as long.
pub fn ranges(rows: &[LatencyRow], looks: Looks) -> String {
    let least = rows.iter().map(|row| row.p50_ns).min().unwrap_or(0);
    let most = rows.iter().map(|row| row.p99_9_ns).max().unwrap_or(0);
    let (least, most) = (decade_below(least), decade_above(most));
    let room = room(looks);
    let place = |ns: f64| {
        let part = (ns.log10() - least.log10()) / (most.log10() - least.log10());
        columns(part.clamp(0.0, 1.0) * columns_as_float(room.saturating_sub(1)))
    };
    let mut axis = vec![' '; room];
    for (ns, name) in DECADES {
        let at = place(ns);
        let within = least <= ns && ns <= most;
        // A name that does not fit behind its mark, or would touch the next, is left out.
        let end = at + name.len() + 1;
        if within && end < room && axis.iter().skip(at).take(end - at).all(|&it| it == ' ') {
            let letters = std::iter::once('|').chain(name.chars());
            axis.iter_mut()
                .skip(at)
                .zip(letters)
                .for_each(|(to, letter)| *to = letter);
        }
    }
    let axis: String = axis.into_iter().collect();
    let [half, line, most_of, nearly_all] = if looks.is_unicode {
        ['●', '─', '┼', '┤']
    } else {
        ['o', '-', '+', '|']
    };
    let mut text = format!(
        "\nSingle operations: {half} half, {most_of} 99 %, {nearly_all} 99.9 % take no longer\n{:LABEL$}{:FIGURE$} {}\n",
        "",
        "",
        axis.trim_end()
    );
    for row in rows {
        let [from, to, end] = [row.p50_ns, row.p99_ns, row.p99_9_ns].map(|ns| place(as_float(ns)));
        let drawn: String = (0..=end)
            .map(|at| match at {
                _ if at < from => ' ',
                _ if at == from => half,
                _ if at == end => nearly_all,
                _ if at == to => most_of,
                _ => line,
            })
            .collect();
        let colour = if row.is_plain() { PLAIN } else { STORE };
        let _written = writeln!(
            text,
            "{:<LABEL$}{:>FIGURE$} {}",
            format!("  {}", row.name),
            time(as_float(row.p50_ns)),
            coloured(&drawn, colour, looks)
        );
    }
    text
}

/// What is left of a line for what is drawn.
fn room(looks: Looks) -> usize {
    looks
        .width
        .clamp(60, 160)
        .saturating_sub(LABEL + FIGURE + 2)
}

/// A bar of this part of the room; never nothing at all.
fn bar(part: f64, room: usize, is_unicode: bool) -> String {
    if !is_unicode {
        return "#".repeat(columns(part * columns_as_float(room)).max(1));
    }
    let eighths = columns(part * columns_as_float(room) * 8.0).max(1);
    let mut bar = "█".repeat(eighths / 8);
    bar.extend(EIGHTHS.get(eighths % 8).filter(|&&rest| rest != ' '));
    bar
}

fn coloured(drawn: &str, colour: &str, looks: Looks) -> String {
    if looks.is_coloured {
        format!("{colour}{drawn}{RESET}")
    } else {
        drawn.to_owned()
    }
}

fn decade_below(ns: u64) -> f64 {
    let decades = DECADES.iter().rev().map(|&(decade, _)| decade);
    decades
        .into_iter()
        .find(|&decade| decade <= as_float(ns))
        .unwrap_or(10.0)
}

fn decade_above(ns: u64) -> f64 {
    let mut decades = DECADES.iter().map(|&(decade, _)| decade);
    decades
        .find(|&decade| decade > as_float(ns))
        .unwrap_or(1e10)
}

#[expect(clippy::cast_precision_loss, reason = "drawn in columns")]
const fn as_float(ns: u64) -> f64 {
    ns as f64
}

#[expect(clippy::cast_precision_loss, reason = "some hundred at most")]
const fn columns_as_float(columns: usize) -> f64 {
    columns as f64
}

/// To the nearest; a negative one is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates"
)]
fn columns(figure: f64) -> usize {
    figure.round() as usize
}

#[cfg(test)]
mod tests {
    use super::{LatencyRow, Looks, bar, ranges};

    const UNICODE: Looks = Looks {
        width: 100,
        is_unicode: true,
        is_coloured: true,
    };

    #[test]
    fn bars_are_as_long_as_their_part() {
        for (part, ascii, unicode) in [
            (0.0, "#", "▏"),
            (0.5, "#####", "█████"),
            (0.53, "#####", "█████▎"),
            (1.0, "##########", "██████████"),
        ] {
            assert_eq!(bar(part, 10, false), ascii);
            assert_eq!(bar(part, 10, true), unicode);
        }
    }

    fn row(name: &'static str, p50_ns: u64, p99_ns: u64, p99_9_ns: u64) -> LatencyRow {
        LatencyRow {
            name,
            operations: 1,
            p50_ns,
            p99_ns,
            p99_9_ns,
            most_ns: p99_9_ns,
        }
    }

    #[test]
    fn ranges_lie_on_one_axis() {
        let rows = [
            row("a", 100, 1_000, 10_000),
            row("b", 9_999_999, 10_000_000, 99_000_000),
        ];
        let text = ranges(&rows, Looks::PLAIN);
        assert!(text.is_ascii(), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        let [.., axis, a, b] = lines[..] else {
            panic!("{text}");
        };
        // Where the marks of 1 us and 10 us stand, 99 % and 99.9 % of the first do.
        assert_eq!(axis.find("|1 us"), a.find('+'), "{text}");
        assert_eq!(axis.find("|10 us"), a.find('|'), "{text}");
        assert_eq!(axis.find("|10 ms"), b.find('o'), "{text}");
        for line in lines {
            assert!(line.len() <= 80, "{line}");
        }
    }

    #[test]
    fn nothing_is_out_of_bounds() {
        for ns in [0, 1, 9, 10, 1_000_000_000, u64::MAX] {
            for looks in [Looks::PLAIN, UNICODE] {
                let text = ranges(&[row("it", ns, ns, ns)], looks);
                assert!(text.contains("it"), "{text}");
            }
        }
        assert!(!ranges(&[], Looks::PLAIN).is_empty());
    }
}
