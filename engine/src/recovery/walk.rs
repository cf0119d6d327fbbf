//! The walk at opening: the chain, with the checks that keep a damaged link from losing entries without a word.
//!
//! A link (`prev_offset`) has no checksum of its own, but the payload's range follows from it, so a wrong link shows as a wrong
//! checksum. Checking every payload would read the whole file; therefore:
//!
//! * payloads up to 4 KiB are checked: they lie where the walk reads anyway;
//! * an entry that says it is the first is checked whatever its length, because a hole of zeros says so;
//! * for longer ones the first 4 KiB behind the previous tail are searched for a sound entry with the same previous tail,
//!   which is what a link that skips entries leaves there; only if there is one, the payload is checked in full.
//!
//! When a checksum is wrong, the payload or the link is damaged. It is the link if another start of the payload has the
//! checksum, if sound entries lie inside the payload's range, or if one ends in the pre-pad behind the entry. Such a file is
//! refused; a damaged payload is kept and counted.
//!
//! What escapes: a link above 4 KiB of apparent payload that skips to a tail behind which an entry of more than 4 KiB starts.
//! [`verify`](super::verify()) finds that.

use super::batch;
use super::chain::Chain;
use super::polynomial::{multiply, power};
use super::prefixes::checksum;
use super::scan::{SMALL_PAYLOAD, Scan, has_its_checksum};
use super::window::{MAX_SPAN, slice};
use crate::backing::Backing;
use crate::format::{
    BATCH_HASH, ENTRY_TRAILER, Entry, MIN_ENTRY_SIZE, PAYLOAD_ALIGNMENT, TOMBSTONE,
    align_to_payload,
};
use crate::{Error, Result};
use std::ops::ControlFlow;

/// What is known of the entry at the tail before the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Sound,
    Damaged,
}

/// What came of a walk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Walk {
    /// It arrived at the first entry, or where the visitor broke off.
    Whole(Walked),
    /// The end of the chain is part of an atomic batch that is not all there, whose marker starts at this tail.
    TornBatch(u64),
}

/// What the walk counted.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Walked {
    pub(super) entries: u64,
    pub(super) damaged: u64,
    pub(super) first_damaged: Option<u64>,
}

/// Walks the chain of `tail`, newest first, and gives every entry to `visit`, until that breaks off.
pub(super) fn walk<B: Backing>(
    backing: &B,
    tail: u64,
    last: Last,
    visit: &mut dyn FnMut(&Entry) -> Result<ControlFlow<()>>,
) -> Result<Walk> {
    let mut walked = Walked::default();
    let mut chain = Chain::new(backing, tail);
    let mut suspicions = Suspicions { tail, scan: None };
    // An earlier batch cannot be torn: who opens a file with a torn one cuts it off.
    let mut seen_a_marker = false;
    while let Some(entry) = chain.next() {
        let checked = entry.and_then(|entry| {
            let payload_fits = match (walked.entries, last) {
                (0, Last::Sound) => true,
                (0, Last::Damaged) => false,
                _ => suspicions.payload_fits(&mut chain, &entry)?,
            };
            Ok((entry, payload_fits))
        });
        let (entry, payload_fits) = match checked {
            Ok(checked) => checked,
            Err(Error::Corrupt { offset, what }) if !seen_a_marker => {
                return match batch::torn_around(backing, tail)? {
                    Some(before) => Ok(Walk::TornBatch(before)),
                    None => Err(Error::Corrupt { offset, what }),
                };
            }
            Err(error) => return Err(error),
        };
        walked.entries += 1;
        if !payload_fits {
            walked.damaged += 1;
            walked.first_damaged = Some(entry.metadata_offset);
        }
        if entry.metadata.key_hash == BATCH_HASH && !seen_a_marker {
            seen_a_marker = true;
            let damaged = walked.damaged > 0;
            if batch::is_torn(chain.window(), tail, &entry, damaged)? {
                return Ok(Walk::TornBatch(entry.metadata.prev_offset));
            }
        }
        if visit(&entry)?.is_break() {
            break;
        }
    }
    Ok(Walk::Whole(walked))
}

/// Walks the chain of a tail that an index snapshot was made at, as opening without that had done.
pub(crate) fn walk_from<B: Backing>(
    backing: &B,
    tail: u64,
    mut visit: impl FnMut(&Entry),
) -> Result<()> {
    let walked = walk(backing, tail, Last::Sound, &mut |entry| {
        visit(entry);
        Ok(ControlFlow::Continue(()))
    })?;
    match walked {
        Walk::Whole(_) => Ok(()),
        Walk::TornBatch(offset) => Err(Error::Corrupt {
            offset,
            what: "an atomic batch before an index snapshot is not all there",
        }),
    }
}

/// The checks, and the scan they share.
struct Suspicions<'b, B: Backing> {
    tail: u64,
    scan: Option<Scan<'b, B>>,
}

impl<'b, B: Backing> Suspicions<'b, B> {
    /// Whether the payload has its checksum, as far as that is looked at; a damaged link is an error.
    #[inline]
    fn payload_fits(&mut self, chain: &mut Chain<'b, B>, entry: &Entry) -> Result<bool> {
        let window = chain.window();
        let fits = if entry.payload_len() <= SMALL_PAYLOAD {
            crate::kernels::crc32::hash(window.bytes(entry.payload())?).to_le_bytes()
                == entry.metadata.checksum
        } else if entry.metadata.prev_offset == 0 {
            has_its_checksum(window.backing(), entry)?
        } else if skips_an_entry(chain, entry)? {
            if !has_its_checksum(chain.window().backing(), entry)? {
                return Err(damaged_link(entry));
            }
            true
        } else {
            true
        };
        if !fits && self.link_is_damaged(chain.window().backing(), entry)? {
            return Err(damaged_link(entry));
        }
        Ok(fits)
    }

    #[cold]
    fn link_is_damaged(&mut self, backing: &'b B, entry: &Entry) -> Result<bool> {
        if another_start_fits(backing, entry)? {
            return Ok(true);
        }
        let scan = self
            .scan
            .get_or_insert_with(|| Scan::new(backing, self.tail));
        let inside = scan.last_sound(entry.metadata.prev_offset, entry.metadata_offset - 1)?;
        if inside.is_some() {
            return Ok(true);
        }
        // The link above may miss the true end by so little that its payload starts where it should.
        let behind = scan.last_sound_of(0, entry.end() + 1, align_to_payload(entry.end()))?;
        Ok(behind.is_some())
    }
}

/// Whether the first 4 KiB behind the previous tail hold a sound entry that starts at that tail too.
fn skips_an_entry<B: Backing>(chain: &mut Chain<'_, B>, entry: &Entry) -> Result<bool> {
    let prev = entry.metadata.prev_offset;
    let end = entry
        .metadata_offset
        .min(prev.saturating_add(SMALL_PAYLOAD));
    // The first entry that can end here has one byte of payload.
    let bytes = chain.window().bytes(prev..end)?;
    let [a, b, c, d, ..] = prev.to_le_bytes();
    let low = u32::from_le_bytes([a, b, c, d]);
    let mut any = false;
    for phase in 0..4 {
        let (words, _) = bytes.get(phase..).unwrap_or_default().as_chunks();
        any |= words
            .iter()
            .fold(false, |any, word| any | (u32::from_le_bytes(*word) == low));
    }
    if !any {
        return Ok(false);
    }
    for (end, trailer) in (prev + MIN_ENTRY_SIZE..).zip(bytes.array_windows::<ENTRY_TRAILER>()) {
        let Some(inner) =
            Entry::parse(end, trailer).filter(|inner| inner.metadata.prev_offset == prev)
        else {
            continue;
        };
        let payload = slice(bytes, prev, &inner.payload()).unwrap_or_default();
        if crate::kernels::crc32::hash(payload).to_le_bytes() == inner.metadata.checksum {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the bytes from some other multiple of 64 up to the metadata have the checksum: then the link is wrong.
///
/// Looks between the previous tail and the metadata, and at least 4 KiB back; goes downwards, because the checksum of a longer
/// range follows from that of a shorter one.
fn another_start_fits<B: Backing>(backing: &B, entry: &Entry) -> Result<bool> {
    let m = entry.metadata_offset;
    let stored = u32::from_le_bytes(entry.metadata.checksum);
    if !entry.is_tombstone
        && stored == crate::kernels::crc32::hash(&TOMBSTONE)
        && m > 1
        && checksum(backing, m - 1..m)? == stored
    {
        return Ok(true);
    }
    let lowest = align_to_payload(
        entry
            .metadata
            .prev_offset
            .min(m.saturating_sub(SMALL_PAYLOAD)),
    );
    let step = power(PAYLOAD_ALIGNMENT);
    let (mut suffix, mut weight) = (0, power(0));
    let mut high = m;
    while high > lowest {
        let low = (high - 1 - (high - 1) % MAX_SPAN).max(lowest);
        let view = backing
            .view(low..high)
            .map_err(Error::io("read the store"))?;
        let mut at = high;
        while at > low {
            let start = (at - 1 - (at - 1) % PAYLOAD_ALIGNMENT).max(low);
            let piece = slice(view.as_ref(), low, &(start..at)).unwrap_or_default();
            suffix ^= multiply(crate::kernels::crc32::hash(piece), weight);
            weight = if at - start == PAYLOAD_ALIGNMENT {
                multiply(weight, step)
            } else {
                power(m - start)
            };
            if suffix == stored && start != entry.payload_offset {
                return Ok(true);
            }
            at = start;
        }
        high = low;
    }
    Ok(false)
}

fn damaged_link(entry: &Entry) -> Error {
    Error::Corrupt {
        offset: entry.metadata_offset,
        what: "the entry here points back past others, which would be lost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::METADATA_SIZE;
    use crate::recovery::sample::{Bytes, Sample};

    fn walked(bytes: &[u8]) -> Result<Walked> {
        let bytes = Bytes::new(bytes.to_vec());
        match walk(&bytes, bytes.len().unwrap(), Last::Sound, &mut |_| {
            Ok(ControlFlow::Continue(()))
        })? {
            Walk::Whole(walked) => Ok(walked),
            Walk::TornBatch(before) => panic!("no batch was written, but one is torn at {before}"),
        }
    }

    /// Entries of the sizes given and a small one behind them.
    fn store(sizes: &[usize]) -> Sample {
        let mut sample = Sample::new();
        for (key, &size) in (1..).zip(sizes) {
            sample.put(key, &vec![u8::try_from(key).unwrap() | 0x80; size]);
        }
        sample.put(99, b"the last");
        sample
    }

    fn relink(sample: &mut Sample, entry: usize, prev: u64) {
        let at = usize::try_from(sample.ends[entry]).unwrap() - 12;
        sample.bytes[at..at + 8].copy_from_slice(&prev.to_le_bytes());
    }

    #[test]
    fn a_link_that_skips_small_entries_is_refused() {
        for sizes in [
            &[10, 20, 30, 40][..],
            &[10, 20, 30, 9000],
            &[5000, 100, 9000, 9000],
        ] {
            let mut sample = store(sizes);
            assert!(walked(&sample.bytes).is_ok_and(|walked| walked.damaged == 0));
            let to = sample.ends[0];
            relink(&mut sample, 3, to);
            let met = sample.ends[3] - METADATA_SIZE;
            assert!(
                matches!(walked(&sample.bytes), Err(Error::Corrupt { offset, .. }) if offset == met),
                "{sizes:?}"
            );
            relink(&mut sample, 3, 0);
            assert!(
                matches!(walked(&sample.bytes), Err(Error::Corrupt { .. })),
                "{sizes:?}"
            );
        }
    }

    #[test]
    fn a_damaged_payload_is_counted_and_kept() {
        for (damaged, first) in [(1, 100), (0, 3), (2, 300)] {
            let mut sample = store(&[10, 20, 300]);
            let at = usize::try_from(sample.ends[damaged]).unwrap() - 22;
            sample.bytes[at] ^= 1;
            let walked = walked(&sample.bytes).unwrap();
            assert_eq!((walked.entries, walked.damaged), (4, 1), "{first}");
            assert_eq!(
                walked.first_damaged,
                Some(sample.ends[damaged] - METADATA_SIZE)
            );
        }
    }

    #[test]
    fn a_large_first_payload_is_checked_too() {
        let mut sample = store(&[20_000, 10]);
        sample.bytes[70] ^= 1;
        assert_eq!(walked(&sample.bytes).unwrap().damaged, 1);
    }

    #[test]
    fn a_payload_that_begins_with_an_entry_is_no_damage() {
        let mut inner = Sample::new();
        inner.put(1, b"inside");
        inner.bytes.resize(9000, 0xaa);
        let mut sample = Sample::new();
        sample.put(7, &inner.bytes);
        sample.put(8, b"after");
        let walked = walked(&sample.bytes).unwrap();
        assert_eq!((walked.entries, walked.damaged), (2, 0));
    }
}
