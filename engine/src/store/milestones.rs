//! Tails that lie far apart, noted while the chain was walked, so that who goes up the log need not walk all of it each time.
//!
//! Invariant: between two of them lie at least 1,024 entries, so they take at most 8 bytes for as many. They belong to a generation, and
//! go with it.

use super::Generation;
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::Entry;
use crate::recovery::Chain;
use std::sync::{Mutex, PoisonError};

/// Entries between two milestones, at least.
const APART: usize = 1024;

/// Some tails of a generation, in their order.
#[derive(Debug, Default)]
pub(crate) struct Milestones(Mutex<Vec<u64>>);

impl<B: Backing> Generation<B> {
    /// Some entries right behind `since`, oldest first: at least one, unless `since` is `tail`, and two thousand at most.
    ///
    /// [`Error::NoSuchTail`] if no entry ends at `since`. Walks through two thousand entries or so, at most, where the chain was walked
    /// before, and up to `tail` where it was not.
    pub(super) fn entries_behind(&self, since: u64, tail: u64) -> Result<Vec<Entry>> {
        if since == tail {
            return Ok(Vec::new());
        }
        let start = self.milestones.first_behind(since).unwrap_or(tail);
        let start = start.min(tail);
        // While one goes down, only the lowest are kept: a walk may begin millions of entries above.
        let (mut lowest, mut noted) = (Vec::new(), Vec::new());
        let (mut count, mut at) = (0_usize, start);
        for entry in Chain::new(&self.backing, start) {
            if at <= since {
                break;
            }
            let entry = entry?;
            if count > 0 && count.is_multiple_of(APART) {
                noted.push((at, count));
            }
            if lowest.len() == 2 * APART {
                lowest.drain(..APART);
            }
            lowest.push(entry);
            count += 1;
            at = entry.metadata.prev_offset;
        }
        if at != since {
            return Err(Error::NoSuchTail {
                tail: since,
                nearest: at,
                maximum: tail,
            });
        }
        // The lowest of these may come too near to one below.
        noted.retain(|(_, above)| count - above >= APART);
        self.milestones
            .note(since..start, noted.iter().rev().map(|(tail, _)| *tail));
        lowest.reverse();
        Ok(lowest)
    }
}

impl Milestones {
    /// The first one behind `tail`.
    fn first_behind(&self, tail: u64) -> Option<u64> {
        let milestones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = milestones.partition_point(|milestone| *milestone <= tail);
        milestones.get(at).copied()
    }

    /// Takes tails in that lie within `range`, in their order, unless somebody else noted some there meanwhile.
    fn note(&self, range: std::ops::Range<u64>, tails: impl Iterator<Item = u64>) {
        let mut milestones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = milestones.partition_point(|milestone| *milestone <= range.start);
        let next = milestones.get(from).copied();
        if next.is_none_or(|next| next >= range.end) {
            milestones.splice(from..from, tails);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests {
    use super::*;
    use crate::{DataStoreWriter, MemoryStore};

    #[test]
    #[cfg_attr(miri, ignore = "thousands of entries")]
    fn tails_are_noted_far_apart_and_walks_become_short() {
        let store = MemoryStore::new();
        let mut tails = vec![0];
        let grow = |tails: &mut Vec<u64>, count: usize| {
            for n in 0..count {
                tails.push(store.write(&n.to_le_bytes(), b"v").unwrap());
            }
        };
        let generation = store.current.load_full();
        let walk = |since: u64| {
            generation
                .entries_behind(since, generation.tail())
                .unwrap()
                .len()
        };
        grow(&mut tails, 20_000);
        walk(tails[7000]);
        // From everywhere, in no order, with the log growing a little between.
        for nth in 0..300 {
            let since = tails[nth * 7919 % tails.len()];
            let entries = generation.entries_behind(since, generation.tail()).unwrap();
            assert!(entries.is_empty() || entries[0].metadata.prev_offset == since);
            grow(&mut tails, nth % 5 * 20);
        }
        let noted = generation.milestones.0.lock().unwrap().clone();
        let places: Vec<usize> = noted
            .iter()
            .map(|tail| tails.binary_search(tail).unwrap())
            .collect();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= APART));
        assert!(noted.len() > 10 && places[0] >= APART);
        for nth in (0..15_000).step_by(111) {
            assert!(walk(tails[nth]) <= 2 * APART);
            let start = generation.milestones.first_behind(tails[nth]).unwrap();
            assert!(tails.binary_search(&start).unwrap() - nth <= 2 * APART);
        }
        for wrong in [1, tails[500] + 1, tails[500] - 1, u64::MAX] {
            let refused = generation.entries_behind(wrong, generation.tail());
            assert!(matches!(refused, Err(Error::NoSuchTail { .. })), "{wrong}");
        }
    }
}
