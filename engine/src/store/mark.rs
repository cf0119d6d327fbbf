//! Tails and versions that are told from those of before a compaction.

use super::Store;
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{METADATA_SIZE, compute_hash};
use std::sync::atomic::Ordering;

/// Offsets take so many bits; a mark lies above them.
const OFFSET_BITS: u32 = 48;

impl<B: Backing> Store<B> {
    /// How many compactions there were since the store was opened.
    #[must_use]
    pub fn compactions(&self) -> u64 {
        self.compactions.load(Ordering::Acquire)
    }

    /// `tail` with a mark in its upper 16 bits, which says what the entry is that ends there: for who keeps it for later, as a place
    /// to go on from in [`changes`](Self::changes), and must know by then whether there was a compaction. 0 has none.
    ///
    /// Fails where there are no entry's last bytes before `tail`.
    pub fn mark_tail(&self, tail: u64) -> Result<u64> {
        let Some(at) = tail.checked_sub(METADATA_SIZE) else {
            return Ok(tail);
        };
        let generation = self.current.load();
        if tail > generation.tail() {
            return Err(no_such(tail, generation.tail()));
        }
        let mut metadata = [0; 20];
        generation
            .backing
            .read(at, &mut metadata)
            .map_err(Error::io("read an entry's metadata"))?;
        Ok(tail | compute_hash(&metadata) >> OFFSET_BITS << OFFSET_BITS)
    }

    /// The tail that was marked, if the same entry ends there still; [`Error::NoSuchTail`] if not, as after most compactions.
    ///
    /// If another one ends just there after a compaction it is taken for the same in one of 65,536 cases, and always if it has the
    /// same key, the same bytes and the same place; what lies before it may be something else all the same.
    /// [`compactions`](Self::compactions) tells that for as long as the store is open.
    pub fn unmark_tail(&self, marked: u64) -> Result<u64> {
        let tail = marked & ((1 << OFFSET_BITS) - 1);
        match self.mark_tail(tail) {
            Ok(found) if found == marked => Ok(tail),
            Ok(_) => Err(no_such(tail, self.tail())),
            Err(error) => Err(error),
        }
    }
}

const fn no_such(tail: u64, maximum: u64) -> Error {
    Error::NoSuchTail {
        tail,
        nearest: 0,
        maximum,
    }
}

#[cfg(test)]
mod tests {
    use crate::{DataStoreWriter, Error, MemoryStore};

    #[test]
    fn a_marked_tail_is_good_until_its_entry_is_moved() {
        let store = MemoryStore::default();
        assert_eq!(store.mark_tail(0).unwrap(), 0);
        assert_eq!(store.unmark_tail(0).unwrap(), 0);
        assert!(store.mark_tail(100).is_err());
        let tails: Vec<u64> = (0..100_u8)
            .map(|at| store.write(&[at], &[at; 70]).unwrap())
            .collect();
        let marked: Vec<u64> = tails
            .iter()
            .map(|tail| store.mark_tail(*tail).unwrap())
            .collect();
        for (tail, marked) in tails.iter().zip(&marked) {
            assert_eq!(store.unmark_tail(*marked).unwrap(), *tail);
            let other = store.unmark_tail(*marked ^ 1 << 50);
            assert!(matches!(other, Err(Error::NoSuchTail { .. })), "{other:?}");
        }
        store.delete(&[50]).unwrap();
        assert_eq!(store.compactions(), 0);
        store.compact().unwrap();
        assert_eq!(store.compactions(), 1);
        for (at, marked) in marked.iter().enumerate() {
            let found = store.unmark_tail(*marked);
            assert_eq!(found.is_ok(), at < 50, "{at}: {found:?}");
        }
    }
}
