//! A pinned read view for hot loops.

use super::{Generation, Store};
use crate::backing::{Backing, Resident};
use crate::format::compute_hash;
use std::sync::Arc;

/// A read view that is pinned once and then reads without touching a lock or a counter that other threads write.
///
/// It sees every write that was complete when a read began. A compaction puts new bytes in the place of those it
/// pinned: from then on it stays as it was at that moment, until [`refresh`](Self::refresh) or a new view.
pub struct Reader<B> {
    generation: Arc<Generation<B>>,
}

impl<B: Backing> Store<B> {
    /// A read view for hot loops.
    #[must_use]
    pub fn reader(&self) -> Reader<B> {
        Reader {
            generation: self.current.load_full(),
        }
    }
}

impl<B: Backing> Reader<B> {
    /// Goes over to the bytes that a compaction put in place; tells whether there were any.
    pub fn refresh(&mut self, store: &Store<B>) -> bool {
        let current = store.current.load_full();
        let stale = !Arc::ptr_eq(&current, &self.generation);
        self.generation = current;
        stale
    }

    /// The number of live keys.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.generation.index.len()
    }

    /// Whether no key is live.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<B: Resident> Reader<B> {
    /// The value of `key` where it lies, borrowed from the view: no lock, no allocation, no shared counter.
    #[must_use]
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.get_with_key_hash(compute_hash(key))
    }

    /// The values of several keys, in the order asked. Several times as fast as one by one where the store is larger than the
    /// processor's caches: what one key waits for is fetched while others are looked at.
    #[must_use]
    pub fn get_many(&self, keys: &[&[u8]]) -> Vec<Option<&[u8]>> {
        let hashes: Vec<u64> = keys.iter().map(|key| compute_hash(key)).collect();
        self.get_many_with_key_hashes(&hashes)
    }

    /// The values of the keys that hash to `key_hashes`, in the order asked.
    #[must_use]
    pub fn get_many_with_key_hashes(&self, key_hashes: &[u64]) -> Vec<Option<&[u8]>> {
        self.generation.get_several(key_hashes)
    }

    /// The value of the key that hashes to `key_hash`.
    #[must_use]
    #[inline]
    pub fn get_with_key_hash(&self, key_hash: u64) -> Option<&[u8]> {
        self.generation.get(key_hash)
    }
}

impl<B> Clone for Reader<B> {
    fn clone(&self) -> Self {
        Self {
            generation: Arc::clone(&self.generation),
        }
    }
}

impl<B: Backing> std::fmt::Debug for Reader<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("tail", &self.generation.tail())
            .finish_non_exhaustive()
    }
}
