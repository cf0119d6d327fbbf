//! What the machine does without a store: what a figure is held against where a store's work has a floor.

use crate::data::{Order, Values};
use crate::engines::{Engine, TAILSTONE_FILE};
use crate::measured::{Rows, float, timed};
use crate::peer::Outcome;
use crate::workloads::{
    Durable, Job, Workload, count_of, durable_writes, in_folder, in_pieces, over_parts, same, size,
    source,
};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{self, File};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

/// One thing that it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// `pwrite` behind the end of a file and `fdatasync`.
    SyncExtending,
    /// The same within space that `fallocate` reserved.
    SyncReserved,
    /// The same over zeros that were written before.
    SyncOverwriting,
    /// `pwrite` alone.
    Pwrite,
    /// A copy from memory to memory.
    Memcpy,
    /// A comparison in memory, as every value read is compared.
    Memcmp,
    /// `crc32fast` over memory.
    Crc32,
    /// `std::fs::copy`.
    FsCopy,
    /// `read` and `write` of 1 MiB.
    ReadWrite,
}

/// What a record of 24 and 150 bytes takes in a file of this format.
const RECORD: [u8; 192] = [0x5a; 192];

impl Lane {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SyncExtending,
        Self::SyncReserved,
        Self::SyncOverwriting,
        Self::Pwrite,
        Self::Memcpy,
        Self::Memcmp,
        Self::Crc32,
        Self::FsCopy,
        Self::ReadWrite,
    ];

    /// What it is called in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SyncExtending => "file-sync (extending)",
            Self::SyncReserved => "file-sync (reserved)",
            Self::SyncOverwriting => "file-sync (overwriting)",
            Self::Pwrite => "pwrite",
            Self::Memcpy => "memcpy",
            Self::Memcmp => "memcmp",
            Self::Crc32 => "crc32fast",
            Self::FsCopy => "fs::copy",
            Self::ReadWrite => "read and write",
        }
    }

    /// Whether it is a floor of `workload`.
    pub const fn runs(self, workload: Workload) -> bool {
        match self {
            Self::SyncExtending | Self::SyncReserved | Self::SyncOverwriting => {
                matches!(workload, Workload::WriteDurable(_))
            }
            Self::Pwrite | Self::Memcmp => matches!(workload, Workload::Values(_)),
            Self::Memcpy => matches!(
                workload,
                Workload::Values(_) | Workload::Iterate | Workload::Verify(_)
            ),
            Self::Crc32 => matches!(workload, Workload::Verify(_)),
            Self::FsCopy | Self::ReadWrite => matches!(workload, Workload::Streams),
        }
    }

    /// Does it.
    pub fn run(self, job: &Job<'_>) -> Outcome<Rows> {
        match job.workload {
            Workload::WriteDurable(threads) => self.sync(job, threads),
            Workload::Values(bytes) if self == Self::Pwrite => pwrite(job, bytes),
            Workload::Values(bytes) => self.read(job, bytes),
            Workload::Iterate => self.pass(job, 1),
            Workload::Verify(threads) => self.pass(job, threads),
            Workload::Streams => self.copy(job),
            _ => Ok(Rows::new()),
        }
    }

    fn sync(self, job: &Job<'_>, threads: u8) -> Outcome<Rows> {
        let durable = Durable {
            threads,
            each: job.durable_writes,
        };
        in_folder(&job.scratch(), |folder| {
            let file = File::create(folder.join("file"))?;
            let space = u64::from(threads) * durable.each * RECORD.len() as u64;
            match self {
                Self::SyncReserved => fallocate(&file, FallocateFlags::empty(), 0, space)?,
                Self::SyncOverwriting => file.write_all_at(&vec![0; usize::try_from(space)?], 0)?,
                _ => (),
            }
            file.sync_all()?;
            let end = AtomicU64::new(0);
            let measured = durable_writes(durable, |share| {
                for _ in 0..share.len() {
                    let at = end.fetch_add(RECORD.len() as u64, Ordering::Relaxed);
                    file.write_all_at(&RECORD, at)?;
                    file.sync_data()?;
                }
                Ok(())
            })?;
            Ok(job.row(measured))
        })
    }

    /// Values that lie behind each other in memory, in another order than they lie.
    fn read(self, job: &Job<'_>, bytes: u64) -> Outcome<Rows> {
        let count = count_of(job, bytes);
        let length = usize::try_from(bytes)?;
        let mut values = Values::new(length);
        let mut all = Vec::with_capacity(length * usize::try_from(count)?);
        for record in 0..count {
            all.extend_from_slice(values.of(record));
        }
        let places: Vec<&[u8]> = all.chunks(length).collect();
        let order: Vec<(u64, &[u8])> = Order::shuffled(count, 7)
            .records
            .into_iter()
            .filter_map(|record| {
                let place = places.get(usize::try_from(record).ok()?)?;
                Some((record, *place))
            })
            .collect();
        let mut target = vec![0_u8; length];
        let mut pass = || {
            for (record, value) in &order {
                if self == Self::Memcpy {
                    target.copy_from_slice(value);
                    black_box(&mut target);
                } else if !values.is(*record, value) {
                    return Err("memory holds something else than was put there".into());
                }
            }
            Ok(())
        };
        pass()?;
        let measured = timed(count, pass)?.with("value_bytes", float(bytes));
        Ok(vec![(format!("read-{}", size(bytes)), measured)])
    }

    /// Once over the bytes of the loaded store.
    fn pass(self, job: &Job<'_>, threads: u8) -> Outcome<Rows> {
        let home = job.folder.join(Engine::Tailstone.home());
        let bytes = fs::read(home.join("loaded").join(TAILSTONE_FILE))?;
        let work = |bytes: &[u8]| {
            let mut buffer = vec![0_u8; 64 << 10];
            for piece in bytes.chunks(64 << 10) {
                let buffer = buffer.get_mut(..piece.len()).unwrap_or_default();
                if self == Self::Crc32 {
                    black_box(crc32fast::hash(piece));
                } else {
                    buffer.copy_from_slice(piece);
                    black_box(buffer);
                }
            }
        };
        let pass = || {
            over_parts(&bytes, threads, work);
            Ok(())
        };
        pass()?;
        Ok(job.row(timed(job.records, pass)?))
    }

    /// The values of a file into others.
    fn copy(self, job: &Job<'_>) -> Outcome<Rows> {
        in_folder(&job.scratch(), |folder| {
            let (source, count) = source(job, folder)?;
            let targets = ["first", "second", "third"].map(|name| folder.join(name));
            let measured = timed(count * targets.len() as u64, || {
                for target in &targets {
                    if self == Self::FsCopy {
                        fs::copy(&source, target)?;
                    } else {
                        in_pieces(File::open(&source)?, File::create(target)?)?;
                    }
                }
                Ok(())
            })?;
            for target in &targets {
                same(&source, target)?;
            }
            // It is the same work either way.
            let rows = ["stream-write", "stream-read"];
            Ok(rows.map(|row| (row.to_owned(), measured.clone())).into())
        })
    }
}

fn pwrite(job: &Job<'_>, bytes: u64) -> Outcome<Rows> {
    let count = count_of(job, bytes);
    let mut values = Values::new(usize::try_from(bytes)?);
    in_folder(&job.scratch(), |folder| {
        let file = File::create(folder.join("file"))?;
        let measured = timed(count, || {
            for record in 0..count {
                file.write_all_at(values.of(record), record * bytes)?;
            }
            Ok(())
        })?;
        let measured = measured.with("value_bytes", float(bytes));
        Ok(vec![(format!("write-{}", size(bytes)), measured)])
    })
}
