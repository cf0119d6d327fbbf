//! Which entries were live at one tail, without holding a writer up.

use super::{Generation, Store};
use crate::backing::Backing;
use crate::error::Result;
use crate::format::{Entry, is_reserved_hash};
use crate::index::Extent;
use crate::recovery::Chain;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The live entries at one tail, in the order they were written.
pub(crate) struct LiveEntries<B> {
    pub(crate) generation: Arc<Generation<B>>,
    pub(crate) tail: u64,
    pub(crate) extents: Vec<Extent>,
}

impl<B: Backing> Store<B> {
    /// The entries that are live now, 8 bytes of memory each.
    pub(crate) fn live_entries(&self) -> Result<LiveEntries<B>> {
        let generation = self.current.load_full();
        let tail = generation.tail();
        let capacity = usize::try_from(generation.index.len()).unwrap_or(0);
        let mut extents = Vec::with_capacity(capacity);
        generation.index.for_each(|extent| {
            if extent.metadata_offset() < tail {
                extents.push(extent);
            }
        });
        let now = generation.tail();
        if now != tail {
            // A writer came by: the index may already have lost what it replaced. The log has not.
            restore(&generation, tail, now, &mut extents)?;
        }
        extents.sort_unstable_by_key(|extent| extent.metadata_offset());
        extents.dedup_by_key(|extent| extent.metadata_offset());
        Ok(LiveEntries {
            generation,
            tail,
            extents,
        })
    }
}

/// Adds, for every key that was changed between `tail` and `now`, the entry that was live at `tail`.
fn restore<B: Backing>(
    generation: &Generation<B>,
    tail: u64,
    now: u64,
    extents: &mut Vec<Extent>,
) -> Result<()> {
    let mut changed: HashSet<u64> = HashSet::new();
    for entry in Chain::new(&generation.backing, now) {
        let entry = entry?;
        if entry.end() <= tail {
            break;
        }
        changed.insert(entry.metadata.key_hash);
    }
    let mut chain = Chain::new(&generation.backing, tail);
    while !changed.is_empty() {
        let Some(entry) = chain.next().transpose()? else {
            break;
        };
        if changed.remove(&entry.metadata.key_hash) {
            extents.extend(extent_of(&entry));
        }
    }
    Ok(())
}

/// The extent of an entry that holds a value for readers.
fn extent_of(entry: &Entry) -> Option<Extent> {
    let hidden = entry.is_tombstone || is_reserved_hash(entry.metadata.key_hash);
    (!hidden).then(|| Extent::new(entry.metadata_offset, entry.payload_len()))
}

/// Values and deletions written after `tail`, oldest first; of each key only the last.
pub(crate) fn changes_since<B: Backing>(
    generation: &Generation<B>,
    tail: u64,
) -> Result<Vec<Entry>> {
    let mut newest: HashMap<u64, Entry> = HashMap::new();
    for entry in Chain::new(&generation.backing, generation.tail()) {
        let entry = entry?;
        if entry.end() <= tail {
            break;
        }
        if !is_reserved_hash(entry.metadata.key_hash) {
            newest.entry(entry.metadata.key_hash).or_insert(entry);
        }
    }
    let mut changes: Vec<Entry> = newest.into_values().collect();
    changes.sort_unstable_by_key(|entry| entry.metadata_offset);
    Ok(changes)
}
