//! The demonstration: a folder of real files goes into a store through each face, comes out again, and is compared.
//!
//! A face is a function that takes the sample and returns one row of the table.

mod native;
mod sample;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::demo::sample::Sample;
use crate::{setup, web};

/// What one face did with the sample.
pub struct Row {
    /// Which face, in a few words.
    pub face: &'static str,
    /// Time spent storing all files, until they were on stable storage.
    pub stored_in: Duration,
    /// Time spent reading all files back and comparing each byte.
    pub checked_in: Duration,
    /// Length of the store in bytes.
    pub store_bytes: u64,
    /// Where the store is for who wants to look.
    pub place: String,
}

type Face = fn(&Context, &Sample, &Path) -> Result<Row>;

const FACES: [Face; 1] = [native::run];

/// Runs every face on `folder`, or on the default sample, and prints the table.
pub fn run(ctx: &Context, folder: Option<&Path>, serve: bool) -> Result<()> {
    if cfg!(debug_assertions) {
        return again_optimised(ctx, folder, serve);
    }
    setup::run(ctx)?;
    let place = ctx.target_dir.join("demo");
    fs::create_dir_all(&place).with_context(|| format!("could not make {}", place.display()))?;
    let sample = Sample::collect(ctx, folder)?;
    println!("{sample}");
    let mut rows = Vec::new();
    for face in FACES {
        rows.push(face(ctx, &sample, &place)?);
    }
    print(&sample, &rows);
    if serve {
        web::pages(ctx, true)?;
    }
    Ok(())
}

/// Rates of a debug build would say nothing.
fn again_optimised(ctx: &Context, folder: Option<&Path>, serve: bool) -> Result<()> {
    let mut command = ctx.cargo([
        "run",
        "--quiet",
        "--release",
        "--package",
        "xtask",
        "--",
        "demo",
    ]);
    if let Some(folder) = folder {
        // The command starts in the root, the folder was named from where the user is.
        command.arg(
            fs::canonicalize(folder).with_context(|| format!("no folder {}", folder.display()))?,
        );
    }
    if serve {
        command.arg("--serve");
    }
    ctx.run(&mut command)
}

fn print(sample: &Sample, rows: &[Row]) {
    println!();
    println!(
        "{:<24}{:>14}{:>10}{:>14}{:>10}{:>12}",
        "face", "store files/s", "MB/s", "read files/s", "MB/s", "file MB"
    );
    for row in rows {
        println!(
            "{:<24}{:>14}{:>10}{:>14}{:>10}{:>12}",
            row.face,
            per_second(sample.files(), row.stored_in),
            megabytes(per_second(sample.bytes(), row.stored_in)),
            per_second(sample.files(), row.checked_in),
            megabytes(per_second(sample.bytes(), row.checked_in)),
            megabytes(row.store_bytes),
        );
    }
    println!(
        "\nEach of {} files was read back and is the same, byte for byte.",
        sample.files()
    );
    for row in rows {
        println!("  {:<24}{}", row.face, row.place);
    }
}

/// Millions of bytes, with tenths.
fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

fn per_second(count: u64, time: Duration) -> u64 {
    let micros = time.as_micros().max(1);
    u64::try_from(u128::from(count) * 1_000_000 / micros).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{megabytes, per_second};

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
