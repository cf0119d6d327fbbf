//! The table "Syncs that threads share" of ARCHITECTURE.md: writes of 150 bytes with `Durability::Sync` by 1 to 16 threads.
//!
//! Each number of threads writes for a while into a new file, in turns; shown is the median of the rounds (least to most), with the syncs
//! that the medium saw and the bytes that the file took. The disk's time is in it, so look at the syncs.
//!
//! `cargo bench -p tailstone --bench syncs`; `TAILSTONE_BENCH_ROUNDS` (15) and `TAILSTONE_BENCH_MS` (1000, each) make it shorter.

use std::error::Error;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tailstone::backing::{Backing, DefaultView, MmapBacking, OpenMode, PrivatePages, Spool};
use tailstone::{DataStoreWriter, Durability, Options, Store};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const THREADS: [u64; 5] = [1, 2, 4, 8, 16];
const VALUE: [u8; 150] = [7; 150];

/// One round of so many threads.
#[derive(Clone, Copy)]
struct Round {
    writes_per_second: f64,
    syncs_per_thousand: f64,
    bytes_per_write: f64,
}

fn main() -> Result<()> {
    let rounds = amount("TAILSTONE_BENCH_ROUNDS", 15)?.max(1);
    let time = Duration::from_millis(amount("TAILSTONE_BENCH_MS", 1000)?);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut all: [Vec<Round>; THREADS.len()] = Default::default();
    for round in 0..rounds {
        for (threads, rounds) in THREADS.into_iter().zip(&mut all) {
            let path = folder.path().join(format!("{round}-{threads}"));
            rounds.push(one_round(&path, threads, time)?);
            std::fs::remove_file(&path)?;
        }
    }
    println!(
        "threads       writes a second: median (least to most)  against one  syncs for 1,000  bytes a write"
    );
    let one = all.first().map_or(0.0, |rounds| median(rounds, WRITES));
    for (threads, rounds) in THREADS.into_iter().zip(&all) {
        let writes = median(rounds, WRITES);
        let least = rounds.iter().map(WRITES).fold(f64::INFINITY, f64::min);
        let most = rounds.iter().map(WRITES).fold(0.0, f64::max);
        println!(
            "{threads:>7}{:>46}{:>13.1}{:>17.0}{:>15.0}",
            format!("{writes:.0} ({least:.0} to {most:.0})"),
            writes / one,
            median(rounds, |round| round.syncs_per_thousand),
            median(rounds, |round| round.bytes_per_write),
        );
    }
    Ok(())
}

const WRITES: fn(&Round) -> f64 = |round| round.writes_per_second;

fn median(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    let mut figures: Vec<f64> = rounds.iter().map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn amount(name: &str, otherwise: u64) -> Result<u64> {
    Ok(match std::env::var(name) {
        Ok(text) => text.parse()?,
        Err(_) => otherwise,
    })
}

#[expect(clippy::cast_precision_loss, reason = "figures of three digits")]
fn one_round(path: &Path, threads: u64, time: Duration) -> Result<Round> {
    let syncs = Arc::new(AtomicU64::new(0));
    let backing = Counted {
        inner: MmapBacking::open(path, OpenMode::CreateNew)?,
        syncs: Arc::clone(&syncs),
    };
    let options = Options::new().durability(Durability::Sync).snapshots(false);
    let store = Store::open_with(backing, &options)?;
    // The folder is synced with the first one.
    store.write(b"first", &VALUE)?;
    let (tail, synced) = (store.tail(), syncs.load(Ordering::Relaxed));
    let begun = Instant::now();
    let writes = thread::scope(|scope| {
        let store = &store;
        let writers: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || -> Result<u64> {
                    let mut written = 0;
                    while begun.elapsed() < time {
                        let number: u64 = (thread << 40) + written;
                        let mut key = *b"a key of 24 bytes ......";
                        for (to, from) in key.iter_mut().rev().zip(number.to_be_bytes()) {
                            *to = from;
                        }
                        store.write(&key, &VALUE)?;
                        written += 1;
                    }
                    Ok(written)
                })
            })
            .collect();
        let mut all = 0;
        for writer in writers {
            all += writer.join().map_err(|_| "a writing thread stopped")??;
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(all)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let synced = syncs.load(Ordering::Relaxed) - synced;
    let writes = writes.max(1) as f64;
    let round = Round {
        writes_per_second: writes / seconds,
        syncs_per_thousand: synced as f64 * 1000.0 / writes,
        bytes_per_write: (store.tail() - tail) as f64 / writes,
    };
    store.close()?;
    Ok(round)
}

/// A mapped file that counts its syncs.
struct Counted {
    inner: MmapBacking,
    syncs: Arc<AtomicU64>,
}

impl Backing for Counted {
    type View = DefaultView;

    const IN_MEMORY: bool = MmapBacking::IN_MEMORY;
    const WRITES_BESIDE_SYNCS: bool = MmapBacking::WRITES_BESIDE_SYNCS;

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        self.inner.read(at, buf)
    }

    fn view(&self, range: Range<u64>) -> io::Result<Self::View> {
        self.inner.view(range)
    }

    fn private_pages(&self, range: Range<u64>) -> io::Result<Option<PrivatePages>> {
        self.inner.private_pages(range)
    }

    fn prefetch(&self, at: u64) {
        self.inner.prefetch(at);
    }

    fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.inner.write(at, parts)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.inner.truncate(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.inner.sync()
    }

    fn spool(&self) -> io::Result<Option<Box<dyn Spool>>> {
        self.inner.spool()
    }
}
