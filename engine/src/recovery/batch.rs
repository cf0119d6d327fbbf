//! Atomic batches at the end of a file: whether all that a marker announces is there.
//!
//! Invariant: a batch is called torn only if nothing lies behind what its marker announces, so that cutting it off takes nothing
//! that was written after it.

use super::chain::Chain;
use super::scan::{SMALL_PAYLOAD, Scan, has_its_checksum};
use super::window::Window;
use crate::backing::Backing;
use crate::format::{BATCH_HASH, BATCH_MARKER_SIZE, BatchMarker, Entry, EntryMetadata};
use crate::{Error, Result};

/// Where what a marker announces ends; `None` for an entry that is no marker, or one that was copied from another place.
fn end_of_batch<B: Backing>(window: &mut Window<'_, B>, entry: &Entry) -> Result<Option<u64>> {
    if entry.metadata.key_hash != BATCH_HASH || entry.payload_len() != BATCH_MARKER_SIZE {
        return Ok(None);
    }
    let payload = window.bytes(entry.payload())?;
    let marker = BatchMarker::deserialize(entry.payload_offset, payload);
    Ok(marker.map(|marker| entry.end().saturating_add(marker.length)))
}

/// Whether the entries from `entry` to `tail`, of which the walk saw that some are `damaged` or not, are a batch that is not all
/// there. Payloads that the walk did not look at are looked at here.
pub(super) fn is_torn<B: Backing>(
    window: &mut Window<'_, B>,
    tail: u64,
    entry: &Entry,
    damaged: bool,
) -> Result<bool> {
    let Some(end) = end_of_batch(window, entry)? else {
        return Ok(false);
    };
    if end != tail || damaged {
        return Ok(end >= tail);
    }
    let backing = window.backing();
    for inside in Chain::new(backing, tail) {
        let inside = inside?;
        if inside.end() <= entry.end() {
            break;
        }
        if inside.payload_len() > SMALL_PAYLOAD && !has_its_checksum(backing, &inside)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where the marker starts of a batch that reaches from before `offset`, where the chain of `tail` is broken, to `tail` or beyond.
///
/// `met` is the entry there, if one ends there that is well-formed. A marker that lies in its payload is part of a value, unless its
/// metadata are zeros, as in a hole: then its payload is not known.
pub(super) fn torn_around<B: Backing>(
    backing: &B,
    tail: u64,
    offset: u64,
    met: Option<&Entry>,
) -> Result<Option<u64>> {
    let is_hole = |entry: &&Entry| entry.metadata == EntryMetadata::new(0, 0, [0; 4]);
    let before = met
        .filter(|entry| !is_hole(entry))
        .map_or(offset, |entry| entry.metadata.prev_offset);
    let Some(sound) = Scan::new(backing, tail).last_sound(0, offset)? else {
        return Ok(None);
    };
    let mut chain = Chain::new(backing, sound.end());
    while let Some(entry) = chain.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(Error::Corrupt { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if entry.metadata.key_hash == BATCH_HASH {
            let end = end_of_batch(chain.window(), &entry)?;
            return Ok(end
                .filter(|&end| end >= tail && entry.end() <= before)
                .map(|_| entry.metadata.prev_offset));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::Outcome;
    use crate::recovery::sample::{Sample, open};

    /// Some entries, and a batch of these sizes behind its marker; where the batch starts, which the marker belongs to.
    fn with_batch(sizes: &[usize]) -> (Sample, u64) {
        let mut sample = Sample::new();
        sample.put(1, b"before");
        sample.delete(1);
        sample.put(2, &[7; 200]);
        let start = sample.tail();
        put_batch(&mut sample, sizes);
        (sample, start)
    }

    fn put_batch(sample: &mut Sample, sizes: &[usize]) {
        let start = sample.tail();
        let mut alone = Sample::new();
        alone.bytes = sample.bytes.clone();
        let put_all = |sample: &mut Sample| {
            for (key, &size) in (10..).zip(sizes) {
                if size == 0 {
                    sample.delete(2);
                } else {
                    sample.put(key, &vec![u8::try_from(key).unwrap(); size]);
                }
            }
        };
        alone.put(BATCH_HASH, &[0; 32]);
        let after_marker = alone.tail();
        put_all(&mut alone);
        let marker = BatchMarker {
            offset: start.next_multiple_of(64),
            length: alone.tail() - after_marker,
            entries: sizes.len() as u64,
        };
        sample.put(BATCH_HASH, &marker.serialize());
        assert_eq!(sample.tail(), after_marker);
        put_all(sample);
    }

    #[test]
    fn a_batch_that_was_cut_counts_for_nothing() {
        for sizes in [&[30, 0, 1, 500][..], &[5000, 20], &[20, 5000], &[1, 1]] {
            let (sample, start) = with_batch(sizes);
            let whole = sample.bytes.len();
            let first = usize::try_from(start).unwrap();
            for cut in first..=whole {
                for junk in [&[][..], &[0; 100], &[0xa5; 33]] {
                    let bytes = [&sample.bytes[..cut], junk].concat();
                    let (report, _) = open(&bytes).unwrap();
                    let wanted = if cut == whole { sample.tail() } else { start };
                    assert_eq!(report.tail, wanted, "{sizes:?} cut at {cut}: {report}");
                }
            }
            assert_eq!(open(&sample.bytes).unwrap().0.outcome, Outcome::Clean);
            let behind_marker = sample.ends[3];
            let cut = &sample.bytes[..usize::try_from(behind_marker).unwrap()];
            assert_eq!(open(cut).unwrap().0.outcome, Outcome::TornBatch);
        }
    }

    /// As a loss of power leaves it: the end is there, and sectors before it are not.
    #[test]
    fn a_batch_with_a_hole_counts_for_nothing() {
        for sizes in [&[300, 0, 100, 500][..], &[5000, 20, 600], &[20, 9000]] {
            let (sample, start) = with_batch(sizes);
            let marker_end = usize::try_from(sample.ends[3]).unwrap();
            let mut at = marker_end;
            while at < sample.bytes.len() - 20 {
                let to = (at / 512 + 1) * 512;
                let to = to.min(sample.bytes.len());
                let mut bytes = sample.bytes.clone();
                bytes[at..to].fill(0);
                let (report, _) = open(&bytes).unwrap();
                assert_eq!(report.tail, start, "{sizes:?} without {at}..{to}: {report}");
                at = to;
            }
        }
    }

    #[test]
    fn what_follows_a_batch_stays() {
        let (mut sample, _) = with_batch(&[40, 50]);
        sample.put(5, b"after");
        assert_eq!(open(&sample.bytes).unwrap().0.tail, sample.tail());
        let mut damaged = sample.bytes.clone();
        let at = usize::try_from(sample.ends[4]).unwrap() - 25;
        damaged[at] ^= 1;
        let (report, _) = open(&damaged).unwrap();
        assert_eq!((report.tail, report.damaged_entries), (sample.tail(), 1));
    }

    #[test]
    fn a_marker_from_another_place_means_nothing() {
        let (sample, start) = with_batch(&[40, 50]);
        let marker = usize::try_from(start.next_multiple_of(64)).unwrap();
        let payload = sample.bytes[marker..marker + 32].to_vec();
        let mut copied = Sample::new();
        copied.put(1, b"another file");
        copied.put(2, &[1; 777]);
        copied.put(BATCH_HASH, &payload);
        copied.put(3, b"no batch");
        assert_eq!(open(&copied.bytes).unwrap().0.tail, copied.tail());
    }

    #[test]
    fn batch_after_batch_the_torn_one_goes() {
        let (mut sample, _) = with_batch(&[40, 50]);
        let start = sample.tail();
        put_batch(&mut sample, &[60, 70, 80]);
        let cut = sample.bytes.len() - 1;
        let (report, _) = open(&sample.bytes[..cut]).unwrap();
        assert_eq!(
            (report.tail, report.outcome),
            (start, Outcome::TornBatch),
            "{report}"
        );
        assert!(!report.is_clean());
        // And the first thing in a file may be one.
        let mut only = Sample::new();
        put_batch(&mut only, &[100, 200]);
        let (report, _) = open(&only.bytes[..only.bytes.len() - 5]).unwrap();
        assert_eq!((report.tail, report.entries), (0, 0));
    }

    /// A value may hold what looks like a marker for its own place. When one of its bits rots, that is no reason to cut off
    /// what was written after it.
    #[test]
    fn a_marker_within_a_value_cuts_nothing_off() {
        let mut sample = Sample::new();
        sample.put(1, b"before");
        let start = sample.tail();
        let offset = start.next_multiple_of(64);
        let marker = BatchMarker {
            offset,
            length: 1 << 40,
            entries: 1 << 20,
        };
        let payload = marker.serialize();
        let metadata =
            EntryMetadata::new(BATCH_HASH, start, crate::format::compute_checksum(&payload));
        let mut value = [&payload[..], &metadata.serialize()].concat();
        value.resize(700, 0xee);
        sample.put(2, &value);
        for key in 3..20 {
            sample.put(key, b"committed later");
        }
        let at = usize::try_from(sample.ends[1]).unwrap() - 100;
        sample.bytes[at] ^= 4;
        match open(&sample.bytes) {
            Ok((report, _)) => assert_eq!(report.tail, sample.tail()),
            Err(error) => assert!(matches!(error, Error::Corrupt { .. }), "{error}"),
        }
    }

    /// Each marker announces far more than there is, and each is behind a broken link: a search for every one of them would make
    /// opening quadratic.
    #[test]
    fn a_file_of_torn_batches_is_refused_in_time() {
        for broken in [false, true] {
            let mut sample = Sample::new();
            for _ in 0..2000 {
                let marker = BatchMarker {
                    offset: sample.tail().next_multiple_of(64),
                    length: 1 << 40,
                    entries: 1,
                };
                sample.put(BATCH_HASH, &marker.serialize());
                if broken {
                    // Metadata that say "the first entry", with another checksum than it has.
                    let first = EntryMetadata::new(7, 0, [1; 4]);
                    sample.bytes.extend(first.serialize());
                }
            }
            assert!(matches!(open(&sample.bytes), Err(Error::Corrupt { .. })));
        }
    }
}
