//! Rescue: every sound entry of a damaged file, oldest first.
//!
//! Entries come to light newest first, but must be handed out oldest first, so that a target that takes them in turn
//! ends with the newest version of each key. The file is therefore gone through twice: once to note every 4,096th
//! entry, then run by run from the oldest. Memory: 8 bytes per 4,096 entries and one run.

use super::survey::{Condition, Step, Survey};
use crate::backing::Backing;
use crate::format::{Entry, KeyEnd, hash_of_full_key};
use crate::{Error, Result};
use std::fmt;
use std::ops::Range;

const RUN_LENGTH: u64 = 4096;
/// How often progress is told, in bytes.
const PROGRESS_STEP: u64 = 4 << 20;

/// An entry worth keeping.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SalvagedEntry {
    /// The hash of its key.
    pub key_hash: u64,
    /// Where its payload lies in the damaged file.
    pub payload: Range<u64>,
    /// Whether it is a deletion.
    pub is_tombstone: bool,
}

/// What was rescued and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SalvageReport {
    /// How long the damaged file is.
    pub file_len: u64,
    /// Entries handed out, deletions included.
    pub entries: u64,
    /// Bytes of payload in them.
    pub payload_bytes: u64,
    /// Entries left out because their payload does not have its checksum.
    pub damaged_entries: u64,
    /// Bytes that belong to no entry.
    pub lost_bytes: u64,
    /// Entries of buckets whose key hash was damaged, and who got it back from the key they carry.
    pub renamed_entries: u64,
}

impl fmt::Display for SalvageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} entries rescued ({} bytes of payload), {} left out as damaged, {} bytes belong to no entry",
            self.entries, self.payload_bytes, self.damaged_entries, self.lost_bytes
        )?;
        if self.renamed_entries > 0 {
            write!(f, ", {} had their key hash put right", self.renamed_entries)?;
        }
        Ok(())
    }
}

/// Hands every sound entry of `source` to `sink`, oldest first.
///
/// An entry whose payload is sound and whose link is not is rescued too. One that carries its own key, and whose key hash is not that key's
/// but looks like what damage made of it (half of its bytes are right, or all are 0 or 255), is handed out under the right one. Entries inside the payloads of sound entries are left where they
/// are. `progress` is told how many bytes are done, and of how many (twice the file: it is read twice). What `sink` refuses comes back.
pub fn salvage<B: Backing>(
    source: &B,
    sink: &mut dyn FnMut(SalvagedEntry) -> Result<()>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<SalvageReport> {
    let file_len = source
        .len()
        .map_err(Error::io("find the length of the damaged store"))?;
    let mut progress = Progress {
        told: 0,
        total: file_len.saturating_mul(2),
        tell: progress,
    };
    let mut report = SalvageReport {
        file_len,
        ..SalvageReport::default()
    };

    let mut marks = Vec::new();
    let mut survey = Survey::new(source, file_len, false);
    while let Some(step) = survey.next()? {
        match step {
            Step::Entry(entry, Condition::DamagedPayload) => {
                report.damaged_entries += 1;
                progress.reach(file_len.saturating_sub(entry.metadata.prev_offset));
            }
            Step::Entry(entry, Condition::Sound | Condition::DamagedLink) => {
                if report.entries.is_multiple_of(RUN_LENGTH) {
                    marks.push(entry.end());
                }
                report.entries += 1;
                report.payload_bytes = report.payload_bytes.saturating_add(entry.payload_len());
                progress.reach(file_len.saturating_sub(entry.metadata.prev_offset));
            }
            Step::Gap { range, .. } => report.lost_bytes += range.end - range.start,
        }
    }
    drop(survey);

    let mut run = Vec::new();
    let mut low = 0;
    for &high in marks.iter().rev() {
        collect(source, low, high, &mut run)?;
        for entry in run.drain(..).rev() {
            let carried = carried_hash(source, &entry)?;
            report.renamed_entries += u64::from(carried.is_some());
            sink(SalvagedEntry {
                key_hash: carried.unwrap_or(entry.metadata.key_hash),
                payload: entry.payload(),
                is_tombstone: entry.is_tombstone,
            })?;
        }
        low = high;
        progress.reach(file_len.saturating_add(high));
    }
    (progress.tell)(progress.total, progress.total);
    Ok(report)
}

/// Puts the entries that end above `low`, up to the one that ends at `high`, into `run`, newest first.
fn collect<B: Backing>(source: &B, low: u64, high: u64, run: &mut Vec<Entry>) -> Result<()> {
    let mut survey = Survey::new(source, high, true);
    while let Some(step) = survey.next()? {
        let (end, entry) = match step {
            Step::Entry(entry, Condition::DamagedPayload) => (entry.end(), None),
            Step::Entry(entry, _) => (entry.end(), Some(entry)),
            Step::Gap { range, .. } => (range.end, None),
        };
        if end <= low {
            break;
        }
        run.extend(entry);
    }
    Ok(())
}

/// The hash of the key that a sound entry carries, if the one in its metadata is a damaged form of that.
///
/// A plain value may end like an entry of a bucket: one that was copied under another key. Its hash has hardly a byte in common.
fn carried_hash<B: Backing>(source: &B, entry: &Entry) -> Result<Option<u64>> {
    let mut end = [0; KeyEnd::BYTES];
    let payload = entry.payload();
    let Some(at) = payload.end.checked_sub(KeyEnd::BYTES as u64) else {
        return Ok(None);
    };
    if entry.is_tombstone || at < payload.start {
        return Ok(None);
    }
    let read = |at, buf: &mut [u8]| {
        let read = source.read(at, buf);
        read.map_err(Error::io("read an entry of the damaged store"))
    };
    read(at, &mut end)?;
    let Some(KeyEnd { key_len, .. }) = KeyEnd::parse(&end) else {
        return Ok(None);
    };
    let Some(at) = at
        .checked_sub(key_len as u64)
        .filter(|at| *at >= payload.start)
    else {
        return Ok(None);
    };
    let mut full_key = vec![0; key_len];
    read(at, &mut full_key)?;
    let stored = entry.metadata.key_hash;
    Ok(hash_of_full_key(&full_key).filter(|carried| is_damaged_form(stored, *carried)))
}

fn is_damaged_form(stored: u64, right: u64) -> bool {
    let pairs = stored.to_le_bytes().into_iter().zip(right.to_le_bytes());
    let alike = pairs.filter(|(a, b)| a == b).count();
    stored != right && (alike >= 4 || stored == 0 || stored == u64::MAX)
}

struct Progress<'a> {
    told: u64,
    total: u64,
    tell: &'a mut dyn FnMut(u64, u64),
}

impl Progress<'_> {
    fn reach(&mut self, done: u64) {
        if done.saturating_sub(self.told) >= PROGRESS_STEP {
            self.told = done;
            (self.tell)(done, self.total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::sample::{Bytes, Random, Sample};

    fn rescued(bytes: &[u8]) -> (Vec<u64>, SalvageReport) {
        let mut ends = Vec::new();
        let mut sink = |entry: SalvagedEntry| {
            ends.push(entry.payload.end + 20);
            Ok(())
        };
        let report = salvage(&Bytes::new(bytes.to_vec()), &mut sink, &mut |_, _| {}).unwrap();
        assert_eq!(report.entries, ends.len() as u64);
        (ends, report)
    }

    #[test]
    fn every_other_entry_survives_any_flipped_byte() {
        let sample = Sample::mixed();
        for at in (0..sample.bytes.len()).step_by(if cfg!(debug_assertions) { 5 } else { 1 }) {
            let mut bytes = sample.bytes.clone();
            bytes[at] ^= 0xff;
            let hit = sample
                .ends
                .iter()
                .position(|&end| (at as u64) < end)
                .unwrap();
            let (ends, report) = rescued(&bytes);
            let others = |ends: &[u64]| -> Vec<u64> {
                ends.iter()
                    .copied()
                    .filter(|&end| end != sample.ends[hit])
                    .collect()
            };
            assert_eq!(others(&ends), others(&sample.ends), "byte {at}");
            assert!(report.damaged_entries <= 1);
        }
    }

    #[test]
    fn many_entries_come_oldest_first_across_runs_and_holes() {
        let mut random = Random::new(17);
        let mut sample = Sample::new();
        for key in 0..20_000 {
            sample.put(key, &random.bytes(1 + usize::try_from(key % 90).unwrap()));
        }
        let mut expected = sample.ends.clone();
        let mut holes: Vec<usize> = (0..12).map(|_| random.below(20_000)).collect();
        let run = usize::try_from(RUN_LENGTH).unwrap();
        holes.extend([run, 20_000 - run, 0]);
        for &hole in &holes {
            let end = usize::try_from(sample.ends[hole]).unwrap();
            sample.bytes[end - 21..end].fill(0xf0);
        }
        let lost: Vec<u64> = holes.iter().map(|&hole| sample.ends[hole]).collect();
        expected.retain(|end| !lost.contains(end));
        sample.bytes.extend(random.bytes(777));
        assert_eq!(rescued(&sample.bytes).0, expected);
    }

    #[test]
    fn a_bucket_s_entry_gets_its_damaged_key_hash_back() {
        let full_key = crate::format::full_key(b"users", b"ada");
        let hash = crate::format::compute_hash(&full_key);
        let payload = [&b"1815"[..], &crate::format::behind_value(&full_key, 9)].concat();
        // One bit, four bytes, all of them; and hashes that nobody damaged.
        for (stored, found) in [
            (hash ^ 1 << 40, hash),
            (hash ^ 0xffff_ffff, hash),
            (0, hash),
            (u64::MAX, hash),
            (hash, hash),
            (!hash, !hash),
            (7, 7),
        ] {
            let mut sample = Sample::new();
            sample.put(1, b"plain");
            sample.put(stored, &payload);
            sample.delete(stored);
            let mut hashes = Vec::new();
            let mut sink = |entry: SalvagedEntry| {
                hashes.push(entry.key_hash);
                Ok(())
            };
            let backing = Bytes::new(sample.bytes);
            let report = salvage(&backing, &mut sink, &mut |_, _| {}).unwrap();
            // A deletion carries nothing to tell by.
            assert_eq!(hashes, [1, found, stored]);
            assert_eq!(report.renamed_entries, u64::from(stored != found));
            assert_eq!(report.to_string().contains("put right"), stored != found);
        }
        // Its end alone, with a key that would begin before the payload.
        let mut sample = Sample::new();
        sample.put(hash ^ 1, &payload[payload.len() - 30..]);
        let backing = Bytes::new(sample.bytes);
        let report = salvage(&backing, &mut |_| Ok(()), &mut |_, _| {}).unwrap();
        assert_eq!((report.entries, report.renamed_entries), (1, 0));
    }

    #[test]
    fn a_sink_that_refuses_stops_it() {
        let sample = Sample::mixed();
        let mut sink = |_| Err(Error::ReadOnly);
        let result = salvage(&Bytes::new(sample.bytes), &mut sink, &mut |_, _| {});
        assert!(matches!(result, Err(Error::ReadOnly)));
    }
}
