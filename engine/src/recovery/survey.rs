//! Every sound entry of a file, newest first, damaged or not: what `verify` reports and `salvage` rescues.
//!
//! Where a link leads to a sound entry it is followed; where it does not, the scan finds the next sound entry below. An
//! entry's payload is never searched once the entry is known to be sound, so entries of nested stores are not taken
//! for the file's own. Every region is scanned at most once: the time is linear in the file.

use super::chain::trailer_at;
use super::prefixes::checksum;
use super::scan::Scan;
use super::sieve::is_blank;
use crate::Result;
use crate::backing::Backing;
use crate::format::{Entry, EntryMetadata, METADATA_SIZE, align_to_payload};
use std::ops::Range;

/// How an entry was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// Its payload has its checksum.
    Sound,
    /// It follows the entry before it, but its payload does not have its checksum.
    DamagedPayload,
    /// Its payload, taken from where the entry before it ends, has its checksum; what it says of that place is wrong.
    /// The entry is handed out with the link put right.
    DamagedLink,
}

/// One step down the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// An entry.
    Entry(Entry, Condition),
    /// Bytes that belong to no entry. `expected` says that the entry above points to their end.
    Gap { range: Range<u64>, expected: bool },
}

/// Goes down a file.
pub(super) struct Survey<'b, B: Backing> {
    scan: Scan<'b, B>,
    /// Where the next entry should end.
    at: u64,
    /// No entry can end between here and the ones above. At most 63 bytes above `at`: a pre-pad belongs to nobody.
    ceiling: u64,
    expected: bool,
    /// The sound entry that ends at `at`, when a scan has just found it.
    found: Option<Entry>,
    /// While the links of damaged entries are followed: where they end up, and the sound entry there.
    damaged_down_to: Option<(u64, Option<Entry>)>,
}

impl<'b, B: Backing> Survey<'b, B> {
    /// A survey of the first `end` bytes; `expected` when an entry is known to end there.
    pub(super) const fn new(backing: &'b B, end: u64, expected: bool) -> Self {
        Self {
            scan: Scan::new(backing, end),
            at: end,
            ceiling: end,
            expected,
            found: None,
            damaged_down_to: None,
        }
    }

    /// The next step down, `None` at the start of the file.
    pub(super) fn next(&mut self) -> Result<Option<Step>> {
        if let Some((tail, below)) = self.damaged_down_to.take() {
            return self.step_over_damaged(tail, below);
        }
        if let Some(entry) = self.found.take() {
            return Ok(Some(self.step_over(entry, Condition::Sound)));
        }
        if self.at == 0 {
            return Ok(None);
        }
        let end = self.at;
        let trailer = trailer_at(self.scan.window(), end)?;
        // Zeros at the end of the file are unused space, not an entry over all of it.
        let blank = trailer.as_ref().is_some_and(is_blank);
        let entry = trailer.and_then(|trailer| Entry::parse(end, &trailer));
        if let Some(entry) = entry
            && (self.expected || !blank)
            && self.scan.is_sound(&entry)?
        {
            return Ok(Some(self.step_over(entry, Condition::Sound)));
        }
        let below = self.scan.last_sound(0, self.ceiling)?;
        let tail = below.map_or(0, |below| below.end());
        if !blank && tail < end {
            if self.links_lead_to(tail)? {
                return self.step_over_damaged(tail, below);
            }
            if let Some(metadata) =
                trailer.and_then(|[_, metadata @ ..]| EntryMetadata::deserialize(&metadata).into())
                && let Some(entry) = self.relinked(end, tail, metadata)?
            {
                return Ok(Some(self.step_to(
                    tail,
                    below,
                    Step::Entry(entry, Condition::DamagedLink),
                )));
            }
        }
        let gap = Step::Gap {
            range: tail.min(end)..end,
            expected: self.expected,
        };
        self.expected = false;
        Ok(Some(self.step_to(tail, below, gap)))
    }

    /// Whether well-formed entries, one behind the other, lead from here to `tail`.
    fn links_lead_to(&mut self, tail: u64) -> Result<bool> {
        let mut end = self.at;
        while end > tail {
            let trailer = trailer_at(self.scan.window(), end)?;
            let Some(entry) = trailer.and_then(|trailer| Entry::parse(end, &trailer)) else {
                return Ok(false);
            };
            end = entry.metadata.prev_offset;
        }
        Ok(end == tail)
    }

    /// The damaged entry that ends here; the scan that found `tail` covered all of them down to there.
    fn step_over_damaged(&mut self, tail: u64, below: Option<Entry>) -> Result<Option<Step>> {
        let end = self.at;
        let trailer = trailer_at(self.scan.window(), end)?;
        let Some(entry) = trailer.and_then(|trailer| Entry::parse(end, &trailer)) else {
            return Ok(Some(self.step_to(
                tail,
                below,
                Step::Gap {
                    range: tail..end,
                    expected: true,
                },
            )));
        };
        let prev = entry.metadata.prev_offset;
        let step = Step::Entry(entry, Condition::DamagedPayload);
        if prev <= tail {
            return Ok(Some(self.step_to(tail, below, step)));
        }
        self.at = prev;
        self.damaged_down_to = Some((tail, below));
        Ok(Some(step))
    }

    /// The entry that ends at `end`, if its payload starts right behind `tail` in spite of what it says.
    fn relinked(&mut self, end: u64, tail: u64, metadata: EntryMetadata) -> Result<Option<Entry>> {
        let metadata_offset = end.saturating_sub(METADATA_SIZE);
        let metadata = EntryMetadata {
            prev_offset: tail,
            ..metadata
        };
        let is_tombstone = metadata_offset.checked_sub(tail) == Some(1);
        let payload_offset = if is_tombstone {
            tail
        } else {
            align_to_payload(tail)
        };
        if payload_offset >= metadata_offset {
            return Ok(None);
        }
        let actual = checksum(
            self.scan.window().backing(),
            payload_offset..metadata_offset,
        )?;
        let entry = Entry {
            metadata,
            metadata_offset,
            payload_offset,
            is_tombstone,
        };
        Ok((actual.to_le_bytes() == metadata.checksum).then_some(entry))
    }

    fn step_over(&mut self, entry: Entry, condition: Condition) -> Step {
        self.at = entry.metadata.prev_offset;
        self.ceiling = if entry.is_tombstone {
            self.at
        } else {
            entry.payload_offset
        };
        self.expected = true;
        Step::Entry(entry, condition)
    }

    fn step_to(&mut self, tail: u64, below: Option<Entry>, step: Step) -> Step {
        self.at = tail;
        self.ceiling = tail;
        self.found = below;
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::sample::{Bytes, Sample};

    fn steps(bytes: &[u8]) -> Vec<Step> {
        let backing = Bytes::new(bytes.to_vec());
        let mut survey = Survey::new(&backing, bytes.len() as u64, false);
        let mut steps = Vec::new();
        while let Some(step) = survey.next().unwrap() {
            steps.push(step);
        }
        steps
    }

    fn ends(steps: &[Step], wanted: Condition) -> Vec<u64> {
        let end = |step: &Step| match step {
            Step::Entry(entry, condition) if *condition == wanted => Some(entry.end()),
            _ => None,
        };
        steps.iter().rev().filter_map(end).collect()
    }

    #[test]
    fn a_whole_file_is_its_chain() {
        let sample = Sample::mixed();
        let steps = steps(&sample.bytes);
        assert_eq!(steps.len(), sample.ends.len());
        assert_eq!(ends(&steps, Condition::Sound), sample.ends);
    }

    #[test]
    fn each_kind_of_damage_costs_its_entry() {
        let sample = Sample::mixed();
        for (index, &end) in sample.ends.iter().enumerate() {
            let at = usize::try_from(end).unwrap();
            let others: Vec<u64> = sample
                .ends
                .iter()
                .copied()
                .filter(|&other| other != end)
                .collect();

            let mut bytes = sample.bytes.clone();
            bytes[at - 21] ^= 0x10;
            let found = steps(&bytes);
            assert_eq!(ends(&found, Condition::Sound), others, "payload {index}");
            assert_eq!(found.len(), sample.ends.len());

            let mut bytes = sample.bytes.clone();
            bytes[at - 12 + 5] ^= 0x10;
            let found = steps(&bytes);
            assert_eq!(ends(&found, Condition::Sound), others, "link {index}");
            assert_eq!(ends(&found, Condition::DamagedLink), [end], "link {index}");

            let mut bytes = sample.bytes.clone();
            bytes[at - 20..at].fill(0);
            let found = steps(&bytes);
            assert_eq!(ends(&found, Condition::Sound), others, "hole {index}");
        }
    }

    #[test]
    fn neighbours_that_are_damaged_are_told_apart() {
        let mut sample = Sample::mixed();
        for index in [3, 4, 5, 6, 12] {
            let at = usize::try_from(sample.ends[index]).unwrap();
            sample.bytes[at - 21] ^= 1;
        }
        let found = steps(&sample.bytes);
        let damaged: Vec<u64> = [3, 4, 5, 6, 12].map(|index| sample.ends[index]).to_vec();
        // The deletion among them is no longer one, so its payload would start behind it: no entry ends there.
        assert_eq!(
            ends(&found, Condition::Sound).len(),
            sample.ends.len() - damaged.len()
        );
        assert!(ends(&found, Condition::DamagedPayload).contains(&sample.ends[12]));

        let mut sample = Sample::mixed();
        for index in [4, 5, 6] {
            let at = usize::try_from(sample.ends[index]).unwrap();
            sample.bytes[at - 21] ^= 1;
        }
        let found = steps(&sample.bytes);
        assert_eq!(
            ends(&found, Condition::DamagedPayload),
            [sample.ends[4], sample.ends[5], sample.ends[6]]
        );
    }

    #[test]
    fn a_link_into_a_pad_loses_nothing() {
        let mut sample = Sample::new();
        sample.put(1, &[1; 50]);
        sample.put(2, &[2; 50]);
        sample.put(3, &[3; 50]);
        let at = usize::try_from(sample.ends[2]).unwrap() - 12;
        sample.bytes[at] ^= 1;
        let found = steps(&sample.bytes);
        assert_eq!(ends(&found, Condition::Sound), sample.ends);
        assert!(
            found
                .iter()
                .any(|step| matches!(step, Step::Gap { expected: true, .. }))
        );
    }

    #[test]
    fn rubbish_around_is_a_gap() {
        let mut sample = Sample::new();
        sample.put(1, &[1; 50]);
        let tail = sample.tail();
        sample.bytes.extend([0; 500]);
        assert_eq!(
            steps(&sample.bytes).first(),
            Some(&Step::Gap {
                range: tail..tail + 500,
                expected: false
            })
        );
        assert_eq!(
            steps(&[0; 100]),
            [Step::Gap {
                range: 0..100,
                expected: false
            }]
        );
        assert!(steps(&[]).is_empty());
    }
}
