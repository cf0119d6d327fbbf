//! The decision at opening: where the store ends, or why it cannot be opened. The medium is not changed.
//!
//! Invariant: what is cut is never followed by a sound entry, and every entry of the chain that is kept has been visited, unless the visitor
//! knows those before.

use super::chain::trailer_at;
use super::report::{Outcome, RecoveryReport};
use super::scan::{Scan, has_its_checksum};
use super::sieve::{is_blank, length_without_zeros};
use super::walk::{Last, Walk, walk};
use super::window::Window;
use crate::backing::Backing;
use crate::format::{Entry, METADATA_SIZE, SNAPSHOT_HASH};
use crate::{Error, Result};
use std::ops::ControlFlow;

/// More batches than these that are not all there are not cut off one after the other: each costs a search of its own.
const MAX_TORN_BATCHES: u32 = 4;

/// What [`recover`] tells on its way.
#[derive(Debug, Clone, Copy)]
pub enum Step<'e> {
    /// The next older entry of the chain.
    Entry(&'e Entry),
    /// All entries so far belong to a batch that is not all there; those of the store follow, from the newest on.
    Again,
}

/// Finds the tail of the store in `backing` and gives every entry of its chain, newest first, to `visit`, until that breaks off: then what
/// lies before is not looked at.
///
/// The medium is left as it is: cutting it to [`tail`](RecoveryReport::tail) is the caller's. When this fails, what `visit` was
/// given is to be thrown away. [`Error::NotAStore`] and [`Error::Corrupt`] are verdicts on the content, errors of
/// `visit` and of the medium come back as they are.
pub fn recover<B, F>(backing: &B, mut visit: F) -> Result<RecoveryReport>
where
    B: Backing,
    F: FnMut(Step<'_>) -> Result<ControlFlow<()>>,
{
    let file_len = backing
        .len()
        .map_err(Error::io("find the length of the store"))?;
    let (mut outcome, mut tail) = find_tail(backing, file_len)?;
    let mut last = last_of(outcome);
    // One batch may be torn at a time, but where nothing was synced some more may be after a loss of power.
    let mut turns = 0;
    let walked = loop {
        match walk(backing, tail, last, &mut |entry| visit(Step::Entry(entry)))? {
            Walk::Whole(walked) => break walked,
            Walk::TornBatch(before) if turns == MAX_TORN_BATCHES => {
                return Err(Error::Corrupt {
                    offset: before,
                    what: "no entry ends where one should",
                });
            }
            Walk::TornBatch(before) => {
                turns += 1;
                // As the next opening will see it, so that it finds the same: what lies before a torn batch may be damaged too.
                let (left, end) = find_tail(backing, before)?;
                (outcome, tail, last) = (Outcome::TornBatch, end, last_of(left));
                let _ = visit(Step::Again)?;
            }
        }
    };
    Ok(RecoveryReport {
        outcome,
        file_len,
        tail,
        cut_bytes: file_len - tail,
        entries: walked.entries,
        damaged_entries: walked.damaged,
        first_damaged: walked.first_damaged,
        index_snapshot: None,
    })
}

fn last_of(outcome: Outcome) -> Last {
    match outcome {
        Outcome::DamagedLastPayload => Last::Damaged,
        _ => Last::Sound,
    }
}

fn find_tail<B: Backing>(backing: &B, file_len: u64) -> Result<(Outcome, u64)> {
    if file_len == 0 {
        return Ok((Outcome::Empty, 0));
    }
    let trailer = trailer_at(&mut Window::new(backing), file_len)?;
    let blank = trailer.as_ref().is_some_and(is_blank);
    let at_end = trailer.and_then(|trailer| Entry::parse(file_len, &trailer));
    // Zeros at the end are nearly always unused space, and as an entry they would span the whole file: leave them for later.
    if let Some(entry) = at_end
        && !blank
        && has_its_checksum(backing, &entry)?
    {
        return Ok((Outcome::Clean, file_len));
    }
    let used = length_without_zeros(backing, file_len)?;
    if used == 0 {
        return Ok((Outcome::Empty, 0));
    }
    // Metadata may end with zeros, but not be all zeros.
    let ceiling = file_len.min(used.saturating_add(METADATA_SIZE - 1));
    if let Some(last) = Scan::new(backing, ceiling).last_sound(0, ceiling)? {
        let tail = last.end();
        return Ok(match at_end {
            // A snapshot of the index is not worth keeping without its checksum.
            Some(entry)
                if entry.metadata.prev_offset == tail
                    && entry.metadata.key_hash != SNAPSHOT_HASH =>
            {
                (Outcome::DamagedLastPayload, file_len)
            }
            _ if used <= tail => (Outcome::UnusedSpace, tail),
            _ => (Outcome::TornTail, tail),
        });
    }
    match at_end {
        Some(entry) if blank && has_its_checksum(backing, &entry)? => {
            Ok((Outcome::Clean, file_len))
        }
        _ => Err(Error::NotAStore { length: file_len }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::sample::{Bytes, Sample};

    fn report(bytes: &[u8]) -> Result<RecoveryReport> {
        recover(&Bytes::new(bytes.to_vec()), |_| {
            Ok(ControlFlow::Continue(()))
        })
    }

    #[test]
    fn nothing_and_zeros_are_empty_stores() {
        for length in [0, 1, 20, 21, 22, 4096, 1 << 20] {
            let report = report(&vec![0; length]).unwrap();
            assert_eq!(
                (report.outcome, report.tail, report.entries),
                (Outcome::Empty, 0, 0)
            );
            assert_eq!(report.cut_bytes, length as u64);
        }
    }

    #[test]
    fn foreign_bytes_are_no_store() {
        for bytes in [
            &b"x"[..],
            b"just a text that is longer than an entry",
            &[0xff; 5000],
            &[1, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert!(
                matches!(report(bytes), Err(Error::NotAStore { length }) if length == bytes.len() as u64)
            );
        }
    }

    #[test]
    fn the_last_payload_may_be_damaged_but_not_the_only_one() {
        let mut sample = Sample::new();
        sample.put(1, b"one");
        let mut alone = sample.bytes.clone();
        alone[0] ^= 1;
        assert!(matches!(report(&alone), Err(Error::NotAStore { .. })));

        for size in [300, 30_000] {
            let mut sample = Sample::new();
            sample.put(1, b"one");
            sample.put(2, &vec![5; size]);
            sample.bytes[200] ^= 1;
            let report = report(&sample.bytes).unwrap();
            assert_eq!(
                (report.outcome, report.tail),
                (Outcome::DamagedLastPayload, sample.tail())
            );
            assert_eq!((report.entries, report.damaged_entries), (2, 1));
            assert_eq!(report.first_damaged, Some(sample.tail() - METADATA_SIZE));
        }
    }

    /// A fuzzer found a store that opened, and no longer did once its torn batch had been cut off.
    #[test]
    fn damage_before_a_torn_batch_is_taken_as_the_next_opening_will() {
        use crate::format::{BATCH_HASH, BatchMarker};
        for (damaged, kept) in [(&[][..], 3), (&[2], 3), (&[1, 2], 1), (&[0, 1, 2], 0)] {
            let mut sample = Sample::new();
            for key in 1..4 {
                sample.put(key, &[7; 100]);
            }
            let ends = sample.ends.clone();
            let marker = BatchMarker {
                offset: sample.tail().next_multiple_of(64),
                length: 1000,
                entries: 3,
            };
            sample.put(BATCH_HASH, &marker.serialize());
            for &which in damaged {
                let at = usize::try_from(ends[which]).unwrap() - 30;
                sample.bytes[at] ^= 1;
            }
            let Some(end) = ends[..kept].last() else {
                assert!(matches!(
                    report(&sample.bytes),
                    Err(Error::NotAStore { .. })
                ));
                continue;
            };
            let first = report(&sample.bytes).unwrap();
            assert_eq!((first.outcome, first.tail), (Outcome::TornBatch, *end));
            sample.bytes.truncate(usize::try_from(*end).unwrap());
            let second = report(&sample.bytes).unwrap();
            assert_eq!((second.tail, second.cut_bytes), (first.tail, 0));
            assert_eq!(second.damaged_entries, first.damaged_entries);
        }
    }

    #[test]
    fn a_broken_chain_is_refused() {
        let mut sample = Sample::new();
        for key in 1..9 {
            sample.put(key, &[7; 100]);
        }
        let at = usize::try_from(sample.ends[3]).unwrap() - 12;
        sample.bytes[at..at + 8].fill(0xff);
        let met = sample.ends[3];
        assert!(
            matches!(report(&sample.bytes), Err(Error::Corrupt { offset, .. }) if offset == met)
        );
        // Behind a torn tail too: the scan must find the sound entry whose predecessor is broken.
        sample.bytes.extend([9; 50]);
        sample.bytes.extend([0; 5000]);
        assert!(
            matches!(report(&sample.bytes), Err(Error::Corrupt { offset, .. }) if offset == met)
        );
    }

    /// CRC-32 of these bytes is 0, and the key hash may be 0 when a caller gives hashes: then the metadata are all zeros.
    #[test]
    fn blank_metadata_are_an_entry_where_one_must_end() {
        let payload = [0x9d, 0x0a, 0xd9, 0x6d];
        assert_eq!(crate::kernels::crc32::hash(&payload), 0);
        let mut sample = Sample::new();
        sample.put(0, &payload);
        assert_eq!(report(&sample.bytes).unwrap().entries, 1);
        sample.put(1, b"next");
        assert_eq!(report(&sample.bytes).unwrap().entries, 2);
    }

    #[test]
    fn what_the_visitor_and_the_medium_refuse_comes_back() {
        let mut sample = Sample::new();
        sample.put(1, b"one");
        sample.put(2, b"two");
        let backing = Bytes::new(sample.bytes.clone());
        assert!(matches!(
            recover(&backing, |_| Err(Error::Latched)),
            Err(Error::Latched)
        ));
        sample.bytes.extend([3; 9000]);
        for fails_at in 0..3 {
            let backing = Bytes::failing(sample.bytes.clone(), fails_at);
            assert!(
                matches!(
                    recover(&backing, |_| Ok(ControlFlow::Continue(()))),
                    Err(Error::Io { .. })
                ),
                "read {fails_at}"
            );
        }
    }
}
