//! Up to where a file is as it was written: what tells a write that a loss of power left in part from damage, for those who know
//! what had been flushed.

use super::survey::{Condition, Step, Survey};
use crate::Result;
use crate::backing::Backing;

/// Where the last of the entries ends that are sound and linked to each other from `from`, the end of an entry or 0, up to `end`, given
/// as if the file ended there.
///
/// Less than `from` if damage reaches below that. Every entry behind `from` is read and checked, with its whole payload.
pub fn intact_up_to<B: Backing>(backing: &B, from: u64, end: u64) -> Result<u64> {
    let mut intact = end;
    let mut survey = Survey::new(backing, end, false);
    if end <= from {
        return Ok(end);
    }
    while let Some(step) = survey.next()? {
        let bottom = match step {
            Step::Entry(entry, condition) => {
                let before = entry.metadata.prev_offset;
                // No entry ends at `from`.
                let straddles = before < from && entry.end() > from;
                if condition != Condition::Sound || straddles {
                    intact = before;
                }
                before
            }
            Step::Gap { range, .. } => {
                intact = range.start;
                range.start
            }
        };
        if bottom <= from {
            break;
        }
    }
    Ok(intact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::METADATA_SIZE;
    use crate::recovery::sample::{Bytes, Sample, open};

    fn intact(bytes: &[u8], from: u64) -> u64 {
        let backing = Bytes::new(bytes.to_vec());
        intact_up_to(&backing, from, bytes.len() as u64).unwrap()
    }

    fn place(offset: u64) -> usize {
        usize::try_from(offset).unwrap()
    }

    /// Where the entry before the one with this byte ends, and where that does.
    fn around(sample: &Sample, at: u64) -> (u64, u64) {
        let nth = sample.ends.iter().position(|end| *end > at).unwrap();
        let from = nth.checked_sub(1).map_or(0, |before| sample.ends[before]);
        (from, sample.ends[nth])
    }

    #[test]
    fn ends_before_the_first_damage() {
        let sample = Sample::mixed();
        let tail = sample.tail();
        assert_eq!(intact(&sample.bytes, 0), tail);
        let mut covered = 0;
        for at in (0..sample.bytes.len()).step_by(if cfg!(debug_assertions) { 7 } else { 1 }) {
            let mut bytes = sample.bytes.clone();
            bytes[at] ^= 0xff;
            let (from, to) = around(&sample, at as u64);
            // Padding and key hashes have no checksum.
            let metadata = to - METADATA_SIZE;
            let is_bare = from.next_multiple_of(64) > at as u64
                || (metadata..metadata + 8).contains(&(at as u64));
            let found = intact(&bytes, 0);
            assert!(
                found == from || is_bare && found == tail,
                "byte {at}: {found}, not {from}"
            );
            covered += u64::from(found == from);
            assert_eq!(intact(&bytes, tail), tail, "nothing behind the tail");
        }
        assert!(covered > 100);
    }

    #[test]
    fn looks_at_nothing_before_the_given_end() {
        let sample = Sample::mixed();
        for (nth, &end) in sample.ends.iter().enumerate().skip(2) {
            let mut bytes = sample.bytes.clone();
            let below = place(sample.ends[nth - 2]);
            bytes[below - 10] ^= 0xff;
            assert_eq!(intact(&bytes, end), sample.tail());
            let at = place(end) - 1;
            bytes[at] ^= 0xff;
            assert_eq!(intact(&bytes, sample.ends[nth - 1]), sample.ends[nth - 1]);
            // The end of no entry.
            assert!(intact(&sample.bytes, end - 1) < end - 1);
        }
    }

    #[test]
    fn what_is_cut_there_opens_whatever_sectors_are_lost() {
        let mut sample = Sample::new();
        for key in 1..60_u64 {
            sample.put(key, &vec![7; 40 * place(key)]);
        }
        for round in 0..200_usize {
            let mut bytes = sample.bytes.clone();
            bytes.extend([0; 3000]);
            let flushed = sample.ends[10];
            for sector in place(flushed).div_ceil(512)..bytes.len() / 512 {
                if round.wrapping_mul(2_654_435_761 + sector * 40_503) & 0x400 != 0 {
                    bytes[sector * 512..(sector + 1) * 512].fill(0);
                }
            }
            let found = intact(&bytes, 0);
            assert!(found >= flushed);
            let (report, ends) = open(&bytes[..place(found)]).unwrap();
            assert_eq!((report.cut_bytes, report.damaged_entries), (0, 0));
            assert!(sample.ends.starts_with(&ends));
        }
    }

    #[test]
    fn nothing_and_zeros_are_intact_up_to_0() {
        assert_eq!(intact(&[], 0), 0);
        assert_eq!(intact(&[0; 5000], 0), 0);
    }
}
