//! Atomic batches at the end of a file: whether all that a marker announces is there.
//!
//! Invariant: a batch is called torn only if nothing lies behind what its marker announces, so that cutting it off takes nothing
//! that was written after it.

use super::chain::{Chain, entry_at};
use super::scan::{SMALL_PAYLOAD, Scan, has_its_checksum};
use super::window::Window;
use crate::Result;
use crate::backing::Backing;
use crate::format::{BATCH_HASH, BATCH_MARKER_SIZE, BatchMarker, Entry};
use std::ops::Range;

/// What a medium writes whole or not at all, in bytes; or a multiple of it.
const SECTOR: u64 = 512;
/// Where the previous tail lies in metadata.
const LINK: Range<usize> = 8..16;

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

/// Where the marker starts of a batch that reaches to `tail` or beyond, for a chain that is broken somewhere.
///
/// Every part of such a batch may be missing, so that there can be many holes with sound entries between them. A marker within a
/// payload is part of a value and does not count.
pub(super) fn torn_around<B: Backing>(backing: &B, tail: u64) -> Result<Option<u64>> {
    let mut scan = Scan::new(backing, tail);
    let mut at = tail;
    while at > 0 {
        let met = entry_at(scan.window(), at)?;
        at = match met {
            Some(entry) if scan.is_sound(&entry)? => {
                if let Some(end) = end_of_batch(scan.window(), &entry)? {
                    return Ok(Some(entry.metadata.prev_offset).filter(|_| end >= tail));
                }
                entry.metadata.prev_offset
            }
            // Its payload was hit, and goes from where it says.
            Some(entry) if !is_hole(&entry) => entry.metadata.prev_offset,
            _ => scan.last_sound(0, at - 1)?.map_or(0, |sound| sound.end()),
        };
    }
    Ok(None)
}

/// Whether the link of an entry is missing: all metadata, or the part of them in one sector, are zeros.
fn is_hole(entry: &Entry) -> bool {
    let bytes = entry.metadata.serialize();
    let to_boundary = SECTOR - entry.metadata_offset % SECTOR;
    let boundary = usize::try_from(to_boundary).map_or(bytes.len(), |to| to.min(bytes.len()));
    let (first, second) = bytes.split_at(boundary);
    let is_lost = |part: &[u8]| !part.is_empty() && part.iter().all(|&byte| byte == 0);
    (boundary > LINK.start && is_lost(first)) || (boundary < LINK.end && is_lost(second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::format::EntryMetadata;
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

    /// Sectors are lost in any number: behind one hole there are whole entries whose chain runs into the next.
    #[test]
    fn a_batch_with_holes_counts_for_nothing() {
        // From the second on, each entry fills a sector.
        let marker_end = with_batch(&[]).0.tail();
        let first = (marker_end.next_multiple_of(64) + 21).next_multiple_of(512);
        let first = usize::try_from(first - marker_end.next_multiple_of(64)).unwrap() - 20;
        for sizes in [
            &[first, 492, 492, 492, 492, 492][..],
            &[300, 5000, 20, 0, 600],
        ] {
            let (sample, start) = with_batch(sizes);
            let marker_end = usize::try_from(marker_end).unwrap();
            let sectors = sample.bytes.len().div_ceil(512) - marker_end / 512;
            for lost in 1..1_u64 << sectors {
                // Unoptimised builds take a part of them.
                if cfg!(debug_assertions) && lost % 5 != 0 && lost > 200 {
                    continue;
                }
                let mut bytes = sample.bytes.clone();
                for sector in (0..sectors).filter(|sector| lost >> sector & 1 == 1) {
                    let from = (marker_end / 512 + sector) * 512;
                    let range = from.max(marker_end)..(from + 512).min(bytes.len());
                    bytes[range].fill(0);
                }
                let (report, _) = open(&bytes)
                    .unwrap_or_else(|error| panic!("{sizes:?} without {lost:b}: {error}"));
                assert_eq!(report.tail, start, "{sizes:?} without {lost:b}: {report}");
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
