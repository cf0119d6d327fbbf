//! Which entries were live at one tail, without holding a writer up.

use super::{Generation, Store};
use crate::backing::Backing;
use crate::error::Result;
use crate::format::{Entry, is_reserved_hash};
use crate::index::{Extent, Hashes, sort_by_offset};
use crate::recovery::Chain;
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
        LiveEntries::at(generation, tail)
    }
}

impl<B: Backing> LiveEntries<B> {
    /// The entries that were live at `tail`, at which an entry of `generation` ends: 8 bytes of memory each.
    ///
    /// What was written behind `tail` is walked through and, for the keys met there, the chain before it.
    pub(super) fn at(generation: Arc<Generation<B>>, tail: u64) -> Result<Self> {
        generation.wake_all()?;
        let capacity = usize::try_from(generation.index.len()).unwrap_or(0);
        let mut extents = Vec::with_capacity(capacity);
        generation.index.for_each(|extent| {
            if extent.metadata_offset() < tail {
                extents.push(extent);
            }
        });
        let now = generation.announced_tail();
        if now != tail {
            // Writers came by since, or one is at it: the index may have lost what they replaced. The log has not.
            restore(&generation, tail, now, &mut extents)?;
        }
        sort_by_offset(&mut extents);
        extents.dedup_by_key(|extent| extent.metadata_offset());
        Ok(Self {
            generation,
            tail,
            extents,
        })
    }
}

impl<B: Backing> LiveEntries<B> {
    /// Bytes of payload in all of them.
    pub(crate) fn payload_bytes(&self) -> Result<u64> {
        self.extents.iter().try_fold(0_u64, |sum, extent| {
            let len = match extent.payload_len() {
                Some(len) => len,
                None => self.generation.examine(*extent)?.payload_len(),
            };
            Ok(sum.saturating_add(len))
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
    let mut changed = Hashes::new();
    for entry in Chain::new(&generation.backing, now) {
        let entry = entry?;
        if entry.end() <= tail {
            break;
        }
        if !is_reserved_hash(entry.metadata.key_hash) {
            changed.insert(entry.metadata.key_hash, 0);
        }
    }
    let mut chain = Chain::new(&generation.backing, tail);
    while !changed.is_empty() {
        let Some(entry) = chain.next().transpose()? else {
            break;
        };
        if changed.remove(&entry.metadata.key_hash).is_some() {
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
    let (mut met, mut changes) = (Hashes::new(), Vec::new());
    for entry in Chain::new(&generation.backing, generation.tail()) {
        let entry = entry?;
        if entry.end() <= tail {
            break;
        }
        let key_hash = entry.metadata.key_hash;
        if !is_reserved_hash(key_hash) && met.insert(key_hash, 0).is_none() {
            changes.push(entry);
        }
    }
    changes.reverse();
    Ok(changes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests {
    use crate::store::MemoryStore;
    use crate::{DataStoreReader, DataStoreWriter, compute_hash};

    fn listed(store: &MemoryStore) -> Vec<Vec<u8>> {
        let mut values: Vec<_> = store
            .iter_entries()
            .map(|value| value.as_slice().to_vec())
            .collect();
        values.sort();
        values
    }

    /// A writer stopped at each of its steps: announced, one index change, the other, published.
    #[test]
    fn a_writer_at_work_does_not_show() {
        let store = MemoryStore::new();
        store.write(b"changed", b"before").unwrap();
        store.write(b"deleted", b"deleted later").unwrap();
        store.write(b"kept", b"kept").unwrap();
        let before = [&b"before"[..], b"deleted later", b"kept"];

        let mut writer = store.lock_writer();
        let generation = store.current.load_full();
        let (changes, tail) = {
            // The same commit on a store of its own tells where its entries lie.
            let twin = MemoryStore::new();
            twin.write(b"changed", b"before").unwrap();
            twin.write(b"deleted", b"deleted later").unwrap();
            twin.write(b"kept", b"kept").unwrap();
            twin.write(b"changed", b"after").unwrap();
            twin.delete(b"deleted").unwrap();
            let twin = twin.current.load_full();
            let bytes = twin.get(compute_hash(b"changed")).unwrap().len();
            assert_eq!(bytes, b"after".len());
            let changes = super::changes_since(&twin, generation.tail()).unwrap();
            let start = generation.tail();
            let mut appended = vec![0; usize::try_from(twin.tail() - start).unwrap()];
            crate::backing::Backing::read(&twin.backing, start, &mut appended).unwrap();
            crate::backing::Backing::write(&generation.backing, start, &[&appended]).unwrap();
            (changes, twin.tail())
        };
        assert_eq!(listed(&store), before);
        generation.announce_tail(tail);
        assert_eq!(listed(&store), before, "announced");
        for change in &changes {
            let key_hash = change.metadata.key_hash;
            let old = generation.locate(key_hash).unwrap().unwrap().extent;
            if change.is_tombstone {
                writer.index.remove(key_hash, |extent| extent == old);
            } else {
                let new = super::extent_of(change).unwrap();
                writer.index.put(key_hash, new, |extent| extent == old);
            }
            assert_eq!(listed(&store), before, "index changed");
        }
        generation.publish_tail(tail);
        assert_eq!(listed(&store), [&b"after"[..], b"kept"]);
    }

    #[test]
    fn the_last_entry_is_the_newest_that_was_not_deleted() {
        let store = MemoryStore::new();
        assert!(store.read_last_entry().unwrap().is_none());
        store.write(b"a", b"1").unwrap();
        store.write(b"b", b"2").unwrap();
        store.write(b"b", b"3").unwrap();
        let last = |store: &MemoryStore| {
            store
                .read_last_entry()
                .unwrap()
                .unwrap()
                .as_slice()
                .to_vec()
        };
        assert_eq!(last(&store), b"3");
        store.delete(b"b").unwrap();
        assert_eq!(last(&store), b"1");
        store.delete(b"a").unwrap();
        assert!(store.read_last_entry().unwrap().is_none());
        store.write(b"b", b"4").unwrap();
        assert_eq!(last(&store), b"4");
    }
}
