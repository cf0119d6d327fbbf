//! The table "Stores or `pwritev`" of ARCHITECTURE.md: records of many lengths through `Backing::write`, all of them by stores into the
//! window, all by `pwritev`, and as the engine chooses.
//!
//! Processor time of the thread in nanoseconds per record with its pad and metadata, median and least of rounds in which the three take
//! turns, each into a new file whose space is set aside in doubling steps. Where nothing is stored to (anything but ext4, XFS and
//! tmpfs on Linux) the ways do not differ; beyond Unix the time is the clock's.
//!
//! `cargo bench -p tailstone --bench appends`; `TAILSTONE_BENCH_ROUNDS` (7) and `TAILSTONE_BENCH_MIB` (192, the most that a round writes)
//! make it shorter.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use tailstone::backing::{Backing, MmapBacking, OpenMode};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Payloads of records, and how many go with one write.
const SHAPES: [(usize, usize); 20] = [
    (24, 1),
    (64, 1),
    (150, 1),
    (1 << 10, 1),
    (4 << 10, 1),
    (8 << 10, 1),
    (16 << 10, 1),
    (32 << 10, 1),
    (64 << 10, 1),
    (128 << 10, 1),
    (256 << 10, 1),
    (1 << 20, 1),
    (16, 1024),
    (64, 511),
    (150, 511),
    (256, 511),
    (512, 511),
    (1 << 10, 511),
    (2 << 10, 511),
    (4 << 10, 511),
];
const METADATA: [u8; 20] = [1; 20];
const PAD: [u8; 63] = [0; 63];
/// More records do not tell more.
const RECORDS_MAX: usize = 200_000;

/// By stores alone, by `pwritev` alone, as it is.
const WAYS: [(&str, Option<bool>); 3] = [
    ("pwritev", Some(false)),
    ("stores", Some(true)),
    ("as it is", None),
];

fn main() -> Result<()> {
    let rounds = amount("TAILSTONE_BENCH_ROUNDS", 7)?.max(1);
    let bytes_max = amount("TAILSTONE_BENCH_MIB", 192)?.max(1) << 20;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!("processor time, ns per record: median (least) of {rounds} rounds\n");
    print!("{:>9}{:>10}", "payload", "per write");
    for (name, _) in WAYS {
        print!("{name:>22}");
    }
    println!();
    for (payload, per_write) in SHAPES {
        let mut times: [Vec<f64>; 3] = Default::default();
        for round in 0..rounds {
            for (turn, (_, forced)) in WAYS.iter().enumerate() {
                let path = folder.path().join(format!("{payload}-{round}-{turn}"));
                let each = one_round(&path, *forced, (payload, per_write), bytes_max)?;
                std::fs::remove_file(&path)?;
                if let Some(times) = times.get_mut(turn) {
                    times.push(each);
                }
            }
        }
        print!("{payload:>9}{per_write:>10}");
        for mut times in times {
            times.sort_by(f64::total_cmp);
            let (least, median) = (times.first(), times.get(times.len() / 2));
            let figures = format!(
                "{:.0} ({:.0})",
                median.copied().unwrap_or_default(),
                least.copied().unwrap_or_default()
            );
            print!("{figures:>22}");
        }
        println!();
    }
    Ok(())
}

fn amount(name: &str, otherwise: usize) -> Result<usize> {
    Ok(match std::env::var(name) {
        Ok(text) => text.parse()?,
        Err(_) => otherwise,
    })
}

/// Nanoseconds per record.
#[expect(clippy::cast_precision_loss, reason = "figures of three digits")]
fn one_round(
    path: &Path,
    forced: Option<bool>,
    (payload, per_write): (usize, usize),
    bytes_max: usize,
) -> Result<f64> {
    let backing = MmapBacking::open(path, OpenMode::CreateNew)?;
    if let Some(is_stored) = forced {
        backing.force_stores(is_stored)?;
    }
    let span = (payload + METADATA.len()).next_multiple_of(64);
    let pad = PAD
        .get(..span - payload - METADATA.len())
        .unwrap_or_default();
    let writes = (bytes_max / span)
        .min(RECORDS_MAX)
        .div_ceil(per_write)
        .max(1);
    let value = vec![7; payload];
    // As the engine puts them together: what lies between two values is one part.
    let between = [&METADATA, pad].concat();
    let parts: Vec<&[u8]> = (0..per_write)
        .flat_map(|_| [&value[..], &between[..]])
        .collect();
    let mut at = 0;
    let begun = thread_time();
    for _ in 0..writes {
        backing.write(at, &parts)?;
        at += u64::try_from(span * per_write)?;
    }
    let time = thread_time().saturating_sub(begun);
    Ok(time.as_secs_f64() * 1e9 / (writes * per_write) as f64)
}

/// The processor time of this thread.
#[cfg(unix)]
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The clock.
#[cfg(not(unix))]
fn thread_time() -> Duration {
    static BEGUN: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    BEGUN.elapsed()
}
