//! What the faces reported, and the table of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// What a face did with the sample.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// Files stored and compared.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Time spent storing them all.
    pub stored_in: Duration,
    /// Time spent reading them all.
    pub read_in: Duration,
    /// Length of the store's file.
    pub store_bytes: u64,
}

/// One line of the table.
pub struct Row {
    /// Which face, in a few words.
    pub face: &'static str,
    /// What it reported.
    pub report: Report,
    /// What its keys begin with, before the path of the file.
    pub key_prefix: &'static str,
    /// The bucket that its keys are in; plain entries where there is none.
    pub bucket: Option<&'static str>,
    /// What it left behind, for who wants to look: the store first.
    pub left: Vec<PathBuf>,
}

impl Report {
    /// Takes the last line of `output`, in which every face says the same in JSON; one that did not compare what it
    /// read is refused.
    pub fn parse(output: &str) -> Result<Self> {
        let line = output.lines().next_back().unwrap_or_default();
        if !field::<bool>(line, "verified")? {
            bail!("what was read back was not compared: {line}");
        }
        Ok(Self {
            files: field(line, "files")?,
            bytes: field(line, "bytes")?,
            stored_in: millis(line, "put_ms")?,
            read_in: millis(line, "get_ms")?,
            store_bytes: field(line, "store_bytes")?,
        })
    }
}

impl Row {
    /// The file of its store.
    pub fn store(&self) -> Result<&Path> {
        let store = self.left.first().map(PathBuf::as_path);
        store.with_context(|| format!("{} left no store", self.face))
    }
}

/// The table, with a line below it for each file that the faces left.
pub fn table(rows: &[Row]) -> Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "{:<32}{:>15}{:>9}{:>15}{:>9}{:>11}",
        "", "store, files/s", "MB/s", "read, files/s", "MB/s", "file, MB"
    )?;
    for Row { face, report, .. } in rows {
        writeln!(
            text,
            "{face:<32}{:>15}{:>9}{:>15}{:>9}{:>11}",
            per_second(report.files, report.stored_in),
            megabytes(per_second(report.bytes, report.stored_in)),
            per_second(report.files, report.read_in),
            megabytes(per_second(report.bytes, report.read_in)),
            megabytes(report.store_bytes),
        )?;
    }
    writeln!(text)?;
    for Row { face, left, .. } in rows {
        for (path, at) in left.iter().zip(0..) {
            let face = if at == 0 { face } else { "" };
            writeln!(text, "{face:<32}{}", path.display())?;
        }
    }
    Ok(text)
}

/// Millions of bytes, with tenths.
pub fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

fn per_second(count: u64, time: Duration) -> u64 {
    let micros = time.as_micros().max(1);
    u64::try_from(u128::from(count) * 1_000_000 / micros).unwrap_or(u64::MAX)
}

fn millis(line: &str, name: &str) -> Result<Duration> {
    let millis: f64 = field(line, name)?;
    Duration::try_from_secs_f64(millis / 1e3).with_context(|| format!("{name} is no time: {line}"))
}

/// The number or truth value called `name` in a flat JSON object. Nothing else is in these lines, so no parser is.
fn field<T: FromStr>(line: &str, name: &str) -> Result<T> {
    let value = line
        .split_once(&format!("\"{name}\":"))
        .and_then(|(_, rest)| rest.split([',', '}']).next());
    value
        .and_then(|value| value.trim().parse().ok())
        .with_context(|| format!("no {name} in what a face reported: {line}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Report, Row, megabytes, per_second, table};

    const LINE: &str = r#"{"files":3,"bytes":4000000,"skipped":0,"put_ms":1000.5,"get_ms": 2e3,"verified":true,"store_bytes":4000128}"#;

    #[test]
    fn a_report_is_the_last_line() {
        let report = Report::parse(&format!("building\n{LINE}\n")).unwrap();
        assert_eq!(
            report,
            Report {
                files: 3,
                bytes: 4_000_000,
                stored_in: Duration::from_micros(1_000_500),
                read_in: Duration::from_secs(2),
                store_bytes: 4_000_128,
            }
        );
    }

    #[test]
    fn what_says_too_little_is_no_report() {
        for (word, instead) in [
            ("true", "false"),
            ("\"files\"", "\"fills\""),
            ("1000.5", "null"),
            ("2e3", "-1"),
            ("4000128", ""),
        ] {
            let line = LINE.replace(word, instead);
            assert!(Report::parse(&line).is_err(), "{line}");
        }
        assert!(Report::parse("").is_err());
    }

    #[test]
    fn every_row_is_in_the_table_with_what_it_left() {
        let row = Row {
            face: "a face",
            report: Report::parse(LINE).unwrap(),
            key_prefix: "",
            bucket: None,
            left: vec!["one.tsl".into(), "two.png".into()],
        };
        let text = table(&[row]).unwrap();
        for word in ["a face", "2.0", "3.9", "one.tsl", "two.png"] {
            assert!(text.contains(word), "{word} is missing:\n{text}");
        }
    }

    #[test]
    fn rates_need_no_time() {
        assert_eq!(per_second(10, Duration::from_secs(2)), 5);
        assert_eq!(per_second(0, Duration::ZERO), 0);
        assert_eq!(per_second(1, Duration::ZERO), 1_000_000);
    }

    #[test]
    fn small_samples_have_a_size() {
        assert_eq!(megabytes(99_999), "0.0");
        assert_eq!(megabytes(1_250_000), "1.2");
    }
}
