//! The full check of a file: every checksum and every link, also of files that opening refuses.

use super::chain::Chain;
use super::scan::{SMALL_PAYLOAD, has_its_checksum};
use super::survey::{Condition, Step, Survey};
use crate::backing::Backing;
use crate::format::Entry;
use crate::{Error, Result};
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

/// How many damaged entries, and unreferenced regions, a report lists; it counts all of them.
const MAX_LISTED: usize = 1000;
/// How often progress is told, in bytes.
const PROGRESS_STEP: u64 = 4 << 20;
/// What one thread takes at a time, in bytes of the file.
const RUN_LENGTH: u64 = 16 << 20;

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// The payload does not have its checksum.
    Payload,
    /// The payload is sound, but the entry points to a wrong place as the one before it.
    Link,
    /// The entry above points here, and no entry ends here.
    Missing,
}

/// One damaged place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// Where the entry's metadata lie; for a missing entry, where it should end.
    pub offset: u64,
    /// The hash of its key, where it is known.
    pub key_hash: Option<u64>,
    /// What is wrong.
    pub kind: DamageKind,
}

/// What a check found. Counts are of the whole file, the lists are the first thousand from its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// How long the file is.
    pub file_len: u64,
    /// Entries found, old versions, deletions and damaged ones included.
    pub entries: u64,
    /// How many of them are deletions.
    pub tombstones: u64,
    /// Bytes of payload in them.
    pub payload_bytes: u64,
    /// How many places are damaged.
    pub damaged_count: u64,
    /// The damaged places, newest first.
    pub damaged: Vec<Damage>,
    /// Bytes that belong to no entry: unused space or a torn write at the end, or the remains of lost entries.
    pub unreferenced_bytes: u64,
    /// Where they lie, newest first.
    pub unreferenced: Vec<Range<u64>>,
}

impl VerifyReport {
    /// Whether no entry is damaged or missing. Unreferenced bytes at the end are no damage.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.damaged_count == 0
    }

    const fn count(&mut self, entry: &Entry) {
        self.entries += 1;
        self.tombstones += entry.is_tombstone as u64;
        self.payload_bytes = self.payload_bytes.saturating_add(entry.payload_len());
    }

    fn damage(&mut self, offset: u64, key_hash: Option<u64>, kind: DamageKind) {
        self.damaged_count += 1;
        if self.damaged.len() < MAX_LISTED {
            self.damaged.push(Damage {
                offset,
                key_hash,
                kind,
            });
        }
    }

    fn gap(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        self.unreferenced_bytes += range.end - range.start;
        if self.unreferenced.len() < MAX_LISTED {
            self.unreferenced.push(range);
        }
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} entries ({} deletions), {} bytes of payload",
            self.entries, self.tombstones, self.payload_bytes
        )?;
        match self.damaged_count {
            0 => f.write_str(", all sound")?,
            1 => f.write_str(", 1 damaged")?,
            count => write!(f, ", {count} damaged")?,
        }
        if self.unreferenced_bytes > 0 {
            write!(f, "; {} bytes belong to no entry", self.unreferenced_bytes)?;
        }
        Ok(())
    }
}

/// Checks every checksum and every link of the file, damaged or not.
///
/// Reads the file once; `progress` is told how many bytes are done, and of how many.
pub fn verify<B: Backing>(backing: &B, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport> {
    verify_up_to(backing, length(backing)?, progress)
}

/// The same for the first `file_len` bytes.
pub(crate) fn verify_up_to<B: Backing>(
    backing: &B,
    file_len: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<VerifyReport> {
    let mut report = VerifyReport {
        file_len,
        ..VerifyReport::default()
    };
    let mut survey = Survey::new(backing, file_len, false);
    let mut told = 0;
    while let Some(step) = survey.next()? {
        let low = match step {
            Step::Entry(entry, condition) => {
                report.count(&entry);
                let kind = match condition {
                    Condition::Sound => None,
                    Condition::DamagedPayload => Some(DamageKind::Payload),
                    Condition::DamagedLink => Some(DamageKind::Link),
                };
                if let Some(kind) = kind {
                    report.damage(entry.metadata_offset, Some(entry.metadata.key_hash), kind);
                }
                entry.metadata.prev_offset
            }
            Step::Gap { range, expected } => {
                if expected {
                    report.damage(range.end, None, DamageKind::Missing);
                }
                let low = range.start;
                report.gap(range);
                low
            }
        };
        let done = file_len.saturating_sub(low);
        if done.saturating_sub(told) >= PROGRESS_STEP {
            told = done;
            progress(done, file_len);
        }
    }
    progress(file_len, file_len);
    Ok(report)
}

/// As [`verify`], on all processors.
///
/// The threads share the work only while everything is sound; on the first sign of damage the file is
/// checked again by [`verify`], which tells what it is.
pub fn verify_parallel<B: Backing + Sync>(
    backing: &B,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<VerifyReport> {
    let file_len = length(backing)?;
    let threads = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    if threads == 1 || file_len < 2 * RUN_LENGTH {
        return verify(backing, progress);
    }
    let Some(runs) = split(backing, file_len)? else {
        return verify(backing, progress);
    };
    let work = Work {
        backing,
        runs: &runs,
        next: AtomicUsize::new(0),
        done: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    };
    let parts = thread::scope(|scope| {
        // Where no thread can be started (wasm), this one does it all.
        let others: Vec<_> = (1..threads)
            .filter_map(|_| {
                thread::Builder::new()
                    .spawn_scoped(scope, || work.take_part(&mut |_| {}))
                    .ok()
            })
            .collect();
        let mut parts = vec![work.take_part(&mut |done| progress(done, file_len))];
        parts.extend(
            others
                .into_iter()
                .map(|other| other.join().unwrap_or(Ok(None))),
        );
        parts
    });
    let mut report = VerifyReport {
        file_len,
        ..VerifyReport::default()
    };
    for part in parts {
        let Some(part) = part? else {
            return verify(backing, progress);
        };
        report.entries += part.entries;
        report.tombstones += part.tombstones;
        report.payload_bytes += part.payload_bytes;
    }
    progress(file_len, file_len);
    Ok(report)
}

fn length<B: Backing>(backing: &B) -> Result<u64> {
    backing
        .len()
        .map_err(Error::io("find the length of the store"))
}

/// Cuts the chain into runs of about equal length, from their end to their start; `None` when it is broken.
fn split<B: Backing>(backing: &B, file_len: u64) -> Result<Option<Vec<Range<u64>>>> {
    let mut runs = Vec::new();
    let mut high = file_len;
    for entry in Chain::new(backing, file_len) {
        let prev = match entry {
            Ok(entry) => entry.metadata.prev_offset,
            Err(Error::Corrupt { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if high - prev >= RUN_LENGTH || prev == 0 {
            runs.push(prev..high);
            high = prev;
        }
    }
    Ok(Some(runs))
}

/// Runs of a chain that several threads check.
struct Work<'a, B> {
    backing: &'a B,
    runs: &'a [Range<u64>],
    next: AtomicUsize,
    done: AtomicU64,
    stop: AtomicBool,
}

impl<B: Backing> Work<'_, B> {
    /// Checks runs until none is left; `None` when something is damaged.
    fn take_part(&self, progress: &mut dyn FnMut(u64)) -> Result<Option<VerifyReport>> {
        let mut report = VerifyReport::default();
        while let Some(run) = self.runs.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let sound = self.check(run, &mut report);
            if !matches!(sound, Ok(true)) {
                self.stop.store(true, Ordering::Relaxed);
                return sound.map(|_| None);
            }
            let length = run.end - run.start;
            progress(self.done.fetch_add(length, Ordering::Relaxed) + length);
        }
        Ok(Some(report))
    }

    fn check(&self, run: &Range<u64>, report: &mut VerifyReport) -> Result<bool> {
        let mut chain = Chain::new(self.backing, run.end);
        while let Some(entry) = chain.next() {
            let entry = entry?;
            let sound = if entry.payload_len() <= SMALL_PAYLOAD {
                let actual = crate::kernels::crc32::hash(chain.window().bytes(entry.payload())?);
                actual.to_le_bytes() == entry.metadata.checksum
            } else {
                has_its_checksum(self.backing, &entry)?
            };
            if !sound {
                return Ok(false);
            }
            report.count(&entry);
            if entry.metadata.prev_offset <= run.start {
                return Ok(entry.metadata.prev_offset == run.start);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::sample::{Bytes, Random, Sample, Shared};

    fn check(bytes: &[u8]) -> VerifyReport {
        verify(&Bytes::new(bytes.to_vec()), &mut |_, _| {}).unwrap()
    }

    #[test]
    fn names_what_is_damaged() {
        let sample = Sample::mixed();
        let whole = check(&sample.bytes);
        assert!(whole.is_sound());
        assert_eq!(whole.entries, sample.ends.len() as u64);
        assert_eq!((whole.tombstones, whole.unreferenced_bytes), (3, 0));

        let mut bytes = sample.bytes.clone();
        let metadata_offset = sample.ends[4] - 20;
        bytes[usize::try_from(metadata_offset).unwrap() - 5] ^= 2;
        let report = check(&bytes);
        let damage = Damage {
            offset: metadata_offset,
            key_hash: Some(3),
            kind: DamageKind::Payload,
        };
        assert_eq!((report.damaged_count, report.damaged), (1, vec![damage]));

        bytes = sample.bytes.clone();
        bytes[usize::try_from(metadata_offset).unwrap()..][..20].fill(0xee);
        let report = check(&bytes);
        let damage = Damage {
            offset: sample.ends[4],
            key_hash: None,
            kind: DamageKind::Missing,
        };
        assert_eq!((report.damaged_count, report.damaged), (1, vec![damage]));
        assert_eq!(report.unreferenced, vec![sample.ends[3]..sample.ends[4]; 1]);
        assert_eq!(report.entries, whole.entries - 1);

        bytes = sample.bytes.clone();
        bytes.extend([1; 10]);
        let report = check(&bytes);
        assert!(report.is_sound());
        assert_eq!(
            report.unreferenced,
            vec![sample.tail()..sample.tail() + 10; 1]
        );
    }

    #[test]
    fn threads_come_to_the_same_report() {
        let mut random = Random::new(5);
        let mut sample = Sample::new();
        let block = random.bytes(700_000);
        while sample.bytes.len() < 40 << 20 {
            sample.put(random.next(), &block[..=random.below(block.len())]);
            sample.delete(random.next());
        }
        let middle = 20 << 20;
        for damaged in [false, true] {
            if damaged {
                sample.bytes[middle] ^= 1;
            }
            let alone = check(&sample.bytes);
            assert_eq!(alone.is_sound(), !damaged);
            let mut told = 0;
            let shared = Shared(sample.bytes.clone().into());
            let together = verify_parallel(&shared, &mut |done, total| {
                assert!(done <= total);
                told = done;
            });
            assert_eq!(together.unwrap(), alone);
            assert_eq!(told, sample.tail());
        }
    }
}
