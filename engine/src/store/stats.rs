//! Figures about a store.

use super::Store;
use crate::backing::Backing;
use crate::format::METADATA_SIZE;
use crate::store::generation::span_of;

/// Figures about a store at one moment, in bytes but for the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Keys that have a value.
    pub live_keys: u64,
    /// Length of the store: where its last entry ends.
    pub file_bytes: u64,
    /// What the store would take after a compaction.
    pub compacted_bytes: u64,
    /// What a compaction would free: the difference.
    pub compaction_savings: u64,
    /// Memory held by the index.
    pub index_bytes: u64,
    /// Memory held by the directory of buckets' keys, which is built when keys are first listed.
    pub directory_bytes: u64,
}

/// What a store takes, as it is known at any moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Entries in use: keys that have a value, those of buckets included.
    pub live_entries: u64,
    /// Bytes that these entries take: values, keys, metadata, and the pads to 64 bytes before them.
    pub live_bytes: u64,
    /// Length of the store: where its last entry ends.
    pub file_bytes: u64,
}

impl<B: Backing> Store<B> {
    /// What the store takes; costs nothing.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let generation = self.current.load();
        Usage {
            live_entries: generation.index.len(),
            live_bytes: generation.live_span(),
            file_bytes: generation.tail(),
        }
    }

    /// Figures about the store; takes one pass over the index.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let generation = self.current.load();
        let file_bytes = generation.tail();
        // What cannot be woken is missing in the last entry's pad alone.
        let _ = generation.wake_all();
        let mut newest = None;
        generation.index.for_each(|extent| {
            newest = newest
                .max(Some((extent.metadata_offset(), extent)).map(|(at, e)| (at, e.to_word())));
        });
        // Each live entry takes its span, but no pad follows the last one.
        let last = newest
            .and_then(|(_, word)| crate::index::Extent::from_word(word))
            .and_then(|extent| generation.examine(extent).ok())
            .map_or(0, |located| {
                span_of(located.payload_len()) - located.payload_len() - METADATA_SIZE
            });
        let compacted_bytes = generation.live_span().saturating_sub(last).min(file_bytes);
        Stats {
            live_keys: generation.index.len(),
            file_bytes,
            compacted_bytes,
            compaction_savings: file_bytes - compacted_bytes,
            index_bytes: generation.index.memory_bytes(),
            directory_bytes: self.directory.memory_bytes(),
        }
    }

    /// What a compaction would free, in bytes, pads included; exact while no writer is at work.
    #[must_use]
    pub fn estimate_compaction_savings(&self) -> u64 {
        self.stats().compaction_savings
    }
}
