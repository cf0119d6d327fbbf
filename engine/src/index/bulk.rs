//! Filling an index with all entries of a store: dealt out by their tags as they come, then stored range by range.
//!
//! Stored as they come, entries go to lines all over the index, each of them out of the processor's caches. Range by range, the
//! few lines of a range stay in them. It takes 16 bytes for each of at most [`BATCH`] entries, until the end of it. When these are all there
//! are, those that were replaced or deleted are sorted out first, and every segment is made at once in the size it needs.

use super::extent::Extent;
use super::ranges::{Entry, Ranges};
use super::read::Index;
use super::tag::{LOST_BITS, Mixer};
use super::write::IndexWriter;

/// Entries gathered at a time: all of them where one can, as two batches take three times as long as one; little where memory is scarce.
const BATCH: usize = if usize::BITS >= 64 { 1 << 24 } else { 1 << 18 };

/// Fills a new index from entries that come newest first: the first one of a key stays.
#[derive(Debug)]
pub struct BulkLoader {
    writer: IndexWriter,
    batch: usize,
    gathered: Ranges,
    has_deletions: bool,
    /// Whether there was more than one batch can hold.
    has_settled: bool,
}

impl Default for BulkLoader {
    fn default() -> Self {
        Self::new()
    }
}

impl BulkLoader {
    /// A loader of an empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::by(BATCH)
    }

    /// One that gathers so many entries at a time.
    fn by(batch: usize) -> Self {
        let (index, mut writer) = Index::create();
        writer.grow_in_leaps();
        Self {
            writer,
            batch,
            gathered: Ranges::new(index.mixer),
            has_deletions: false,
            has_settled: false,
        }
    }

    /// Takes an entry of the key with this hash, older than all before. `is_of` tells whether the entry at an extent is of a
    /// key with a hash; its first error ends the work.
    #[inline]
    pub fn add<E>(
        &mut self,
        hash: u64,
        extent: Extent,
        is_of: impl FnMut(Extent, u64) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.has_deletions |= extent.is_deletion();
        self.gathered.push((hash, extent));
        if self.gathered.len() >= self.batch {
            self.settle(is_of)?;
        }
        Ok(())
    }

    /// What was added so far, those of a key oldest first, while that is still as it came.
    #[must_use]
    pub fn gathered(&self) -> Option<impl Iterator<Item = (u64, Extent)>> {
        (!self.has_settled).then(|| self.gathered.backwards())
    }

    /// The index of all extents but deletions, each of which is shown to `live`.
    pub fn finish<E>(
        mut self,
        is_of: impl FnMut(Extent, u64) -> Result<bool, E>,
        mut live: impl FnMut(Extent),
    ) -> Result<IndexWriter, E> {
        let mixer = self.writer.index.mixer;
        if !self.has_settled {
            let mut live_ones = LiveOnes::new(mixer);
            let mut parts = self.gathered.into_ranges();
            for parts in &mut parts {
                live_ones.keep(parts);
                let entries = parts.iter().flatten();
                entries.for_each(|(_, extent)| live(*extent));
            }
            return Ok(IndexWriter::made_of(mixer, &parts));
        }
        self.settle(is_of)?;
        let writer = if self.writer.stop_leaping() && !self.has_deletions {
            self.writer
        } else {
            self.writer.settled(|extent| !extent.is_deletion())
        };
        writer.index.for_each(live);
        Ok(writer)
    }

    fn settle<E>(
        &mut self,
        mut is_of: impl FnMut(Extent, u64) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.has_settled = true;
        let gathered = Ranges::new(self.writer.index.mixer);
        let gathered = std::mem::replace(&mut self.gathered, gathered);
        self.writer.spread(gathered.len());
        for (hash, extent) in gathered.into_ranges().into_iter().flatten().flatten() {
            self.writer
                .put_if_absent(hash, extent, |other| is_of(other, hash))?;
        }
        Ok(())
    }
}

/// Sorts out what was replaced or deleted, a range at a time, in memory that is kept.
struct LiveOnes {
    mixer: Mixer,
    entries: Vec<Entry>,
    /// Which entries were kept, by their tags.
    table: Vec<u32>,
}

impl LiveOnes {
    const fn new(mixer: Mixer) -> Self {
        Self {
            mixer,
            entries: Vec::new(),
            table: Vec::new(),
        }
    }

    /// Leaves the first entry of each key in the parts of a range, with its tag in the place of its hash, unless it is a deletion.
    fn keep(&mut self, parts: &mut Vec<Vec<Entry>>) {
        let len: usize = parts.iter().map(Vec::len).sum();
        let places = (len * 2).next_power_of_two();
        self.table.clear();
        self.table.resize(places, u32::MAX);
        self.entries.clear();
        for &(hash, extent) in parts.iter().flatten() {
            let mut place = (self.mixer.tag(hash) >> LOST_BITS) as usize;
            loop {
                let Some(other) = self.table.get_mut(place % places) else {
                    return;
                };
                let Some(other) = self.entries.get(*other as usize) else {
                    *other = u32::try_from(self.entries.len()).unwrap_or(0);
                    self.entries.push((hash, extent));
                    break;
                };
                if other.0 == hash {
                    break;
                }
                place += 1;
            }
        }
        let live = self
            .entries
            .iter()
            .filter(|(_, extent)| !extent.is_deletion());
        let mut live = live.map(|&(hash, extent)| (u64::from(self.mixer.tag(hash)), extent));
        for part in &mut *parts {
            let len = part.len();
            part.clear();
            part.extend(live.by_ref().take(len));
        }
        parts.retain(|part| !part.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::convert::Infallible;

    #[test]
    fn the_first_entry_of_a_key_stays() {
        let keys: u64 = if cfg!(miri) { 300 } else { 30_000 };
        let hash = |key: u64| key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let offset = |key: u64, version: u64| (version * keys + key + 1) * 64;
        let is_of = |extent: Extent, of: u64| {
            let key = (extent.metadata_offset() / 64 - 1) % keys;
            Ok::<_, Infallible>(hash(key) == of)
        };
        // Every fourth key was deleted last.
        let mut loader = BulkLoader::new();
        for version in (0..3).rev() {
            for key in (0..keys).filter(|key| key % 3 >= version) {
                let extent = if version == key % 3 && key % 4 == 0 {
                    Extent::deletion(offset(key, version))
                } else {
                    Extent::new(offset(key, version), 1)
                };
                let Ok(()) = loader.add(hash(key), extent, is_of);
            }
        }
        let mut shown = HashSet::new();
        let Ok(writer) = loader.finish(is_of, |extent| {
            assert!(shown.insert(extent.metadata_offset()), "{extent:?} twice");
        });
        assert_eq!(writer.index().len(), shown.len() as u64);
        for key in 0..keys {
            let Ok(found) = writer
                .index()
                .find(hash(key), |extent| is_of(extent, hash(key)));
            let found = found.map(Extent::metadata_offset);
            let expected = (key % 4 != 0).then_some(offset(key, key % 3));
            assert_eq!(found, expected, "{key}");
            assert!(found.is_none_or(|found| shown.contains(&found)));
        }
    }

    /// More than one batch, and the same keys in all of them; then keys that go on after opening.
    #[test]
    #[cfg_attr(miri, ignore = "thousands of entries")]
    fn batches_are_joined() {
        let batch = 1 << 16;
        let keys = batch as u64 / 4;
        let hash = |key: u64| key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let is_of = |extent: Extent, of: u64| {
            Ok::<_, Infallible>(hash((extent.metadata_offset() / 64 - 1) % keys) == of)
        };
        let mut loader = BulkLoader::by(batch);
        for at in (0..keys * 5).rev() {
            let Ok(()) = loader.add(hash(at % keys), Extent::new((at + 1) * 64, 9), is_of);
        }
        let mut shown = 0;
        let Ok(mut writer) = loader.finish(is_of, |_| shown += 1);
        assert_eq!((writer.index().len(), shown), (keys, keys));
        for key in (0..keys).step_by(13) {
            let Ok(found) = writer
                .index()
                .find(hash(key), |extent| is_of(extent, hash(key)));
            assert_eq!(
                found.map(Extent::metadata_offset),
                Some((keys * 4 + key + 1) * 64)
            );
        }
        writer.put(hash(keys), Extent::new(64, 9), |_| false);
        assert_eq!(writer.index().len(), keys + 1);
    }

    #[test]
    fn few_entries_and_none_make_an_index() {
        for keys in [0_u64, 1, 2, 100] {
            let is_of = |_, _| Ok::<_, Infallible>(false);
            let mut loader = BulkLoader::new();
            for key in 0..keys {
                let Ok(()) = loader.add(key << 50, Extent::new((key + 1) * 64, 1), is_of);
            }
            let Ok(mut writer) = loader.finish(is_of, |_| {});
            assert_eq!(writer.index().len(), keys);
            for key in keys..keys + 500 {
                writer.put(key << 50, Extent::new((key + 1) * 64, 1), |_| false);
            }
            for key in 0..keys + 500 {
                let Ok(found) = writer.index().find(key << 50, |extent| {
                    Ok::<_, Infallible>(extent.metadata_offset() == (key + 1) * 64)
                });
                assert!(found.is_some(), "{key} of {keys}");
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "counts memory of thousands of keys")]
    fn an_index_that_was_loaded_takes_little_memory() {
        for keys in [100_000_u64, 130_000, 150_000, 222_222] {
            let hash = |key: u64| key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let is_of = |_, _| Ok::<_, Infallible>(false);
            let mut loader = BulkLoader::new();
            for key in 0..keys {
                let Ok(()) = loader.add(hash(key), Extent::new((key + 1) * 64, 1), is_of);
            }
            let Ok(mut writer) = loader.finish(is_of, |_| {});
            assert_eq!(writer.index().len(), keys);
            let memory = writer.index().memory_bytes();
            assert!(memory < keys * 15, "{memory} bytes for {keys} keys");
            for key in keys..keys * 5 / 2 {
                writer.put(hash(key), Extent::new((key + 1) * 64, 1), |_| false);
                let (memory, len) = (writer.index().memory_bytes(), writer.index().len());
                assert!(
                    memory < len * 16,
                    "{memory} bytes for {len} keys, {keys} at first"
                );
            }
        }
    }
}
