//! Filling an index with all entries of a store: gathered, dealt out by their tags, then stored range by range.
//!
//! Stored as they come, entries go to lines all over the index, each of them out of the processor's caches. Range by range, the
//! few lines of a range stay in them. Gathering takes 16 bytes for each of at most [`BATCH`] entries, which are dealt out where
//! they lie. When these are all there are, those that were replaced or deleted are sorted out first, and every segment is made at
//! once in the size it needs, while the memory of what it was made of is given back.

use super::extent::Extent;
use super::read::Index;
use super::tag::{LOST_BITS, Mixer};
use super::write::IndexWriter;
use crate::kernels;

/// Entries gathered at a time: all of them where one can, as two batches take three times as long as one; little where memory is scarce.
const BATCH: usize = if usize::BITS >= 64 { 1 << 24 } else { 1 << 18 };
/// Entries after which it is reckoned how many there are.
const SAMPLE: usize = 1024;
/// Ranges of tags that a batch is dealt out to.
const RANGES: usize = 1 << RANGE_BITS;
pub(super) const RANGE_BITS: u32 = 8;

/// Fills a new index from entries that come newest first: the first one of a key stays.
#[derive(Debug)]
pub struct BulkLoader {
    /// Made when it is needed: an index that comes from a snapshot does without.
    writer: Option<IndexWriter>,
    batch: usize,
    gathered: Vec<(u64, Extent)>,
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
    pub const fn new() -> Self {
        Self::by(BATCH)
    }

    /// One that gathers so many entries at a time.
    const fn by(batch: usize) -> Self {
        Self {
            writer: None,
            batch,
            gathered: Vec::new(),
            has_deletions: false,
            has_settled: false,
        }
    }

    /// Takes an entry of the key with this hash, older than all before and so below them in the file. `is_of` tells whether the entry at an extent is of a
    /// key with a hash; its first error ends the work.
    #[inline]
    pub fn add<E>(
        &mut self,
        hash: u64,
        extent: Extent,
        is_of: impl FnMut(Extent, u64) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.has_deletions |= extent.is_deletion();
        // A small batch gets its room by being pushed to.
        if usize::BITS >= 64 && self.gathered.len() == self.gathered.capacity() {
            self.make_room(extent);
        }
        self.gathered.push((hash, extent));
        if self.gathered.len() >= self.batch {
            self.settle(is_of)?;
        }
        Ok(())
    }

    /// Room for as many entries as there should be, from how far down the file those that came reach: this one is the next.
    #[cold]
    fn make_room(&mut self, next: Extent) {
        let len = self.gathered.len();
        let newest = self.gathered.first();
        let newest = newest.map_or(0, |(_, extent)| extent.metadata_offset());
        let walked = newest.saturating_sub(next.metadata_offset()).max(1);
        let expected = (len as u64).saturating_mul(newest / 8) / (walked / 8).max(1);
        let expected = usize::try_from(expected).map_or(self.batch, |room| room.min(self.batch));
        let room = if len < SAMPLE {
            SAMPLE
        } else {
            expected + expected / 16
        };
        let room = room.max(len * 3 / 2).min(self.batch);
        // Where so much cannot be had, pushing asks for less.
        if self
            .gathered
            .try_reserve_exact(room.saturating_sub(len))
            .is_ok()
        {
            kernels::prefer_large_pages(&self.gathered);
        }
    }

    /// What was added so far, newest first, while that is still as it came.
    #[must_use]
    pub fn gathered(&self) -> Option<&[(u64, Extent)]> {
        (!self.has_settled).then_some(&self.gathered)
    }

    /// The index of all extents but deletions, each of which is shown to `live`.
    pub fn finish<E>(
        mut self,
        is_of: impl FnMut(Extent, u64) -> Result<bool, E>,
        mut live: impl FnMut(Extent),
    ) -> Result<IndexWriter, E> {
        if !self.has_settled {
            let mixer = Mixer::random();
            self.keep_newest(mixer, true);
            self.gathered.iter().for_each(|(_, extent)| live(*extent));
            return Ok(IndexWriter::made_of(mixer, self.gathered));
        }
        self.settle(is_of)?;
        let writer = self.settled();
        writer.index.for_each(live);
        Ok(writer)
    }

    /// The index of what was settled.
    #[inline(never)]
    fn settled(self) -> IndexWriter {
        drop(self.gathered);
        let mut writer = self.writer.unwrap_or_else(growing);
        if !writer.stop_leaping() || self.has_deletions {
            writer = writer.settled(|extent| !extent.is_deletion());
        }
        writer
    }

    /// Leaves the newest entry of each key, range by range; if these are all, only what is no deletion, as its tag.
    #[inline(never)]
    fn keep_newest(&mut self, mixer: Mixer, are_all: bool) {
        let (mut start, mut kept) = (0, 0);
        // Which entries of a range are the newest, by their tags; as large as the largest range needs it.
        let mut table: Vec<u32> = Vec::new();
        for end in self.deal(mixer) {
            let places = ((end - start) * 2).next_power_of_two();
            table.clear();
            table.resize(places, u32::MAX);
            let mut newest = start;
            for at in start..end {
                let Some(&entry) = self.gathered.get(at) else {
                    return;
                };
                let mut place = (mixer.tag(entry.0) >> LOST_BITS) as usize;
                loop {
                    let Some(other) = table.get_mut(place % places) else {
                        return;
                    };
                    if *other == u32::MAX {
                        *other = u32::try_from(newest).unwrap_or(0);
                        if let Some(to) = self.gathered.get_mut(newest) {
                            *to = entry;
                        }
                        newest += 1;
                        break;
                    }
                    if let Some(other) = self.gathered.get_mut(*other as usize)
                        && other.0 == entry.0
                    {
                        if other.1.metadata_offset() < entry.1.metadata_offset() {
                            *other = entry;
                        }
                        break;
                    }
                    place += 1;
                }
            }
            for at in start..newest {
                if let Some(&(hash, extent)) = self.gathered.get(at)
                    && !(are_all && extent.is_deletion())
                    && let Some(to) = self.gathered.get_mut(kept)
                {
                    let tag = u64::from(mixer.tag(hash));
                    *to = (if are_all { tag } else { hash }, extent);
                    kept += 1;
                }
            }
            start = end;
        }
        self.gathered.truncate(kept);
    }

    fn settle<E>(
        &mut self,
        mut is_of: impl FnMut(Extent, u64) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.make_ready();
        if let Some(writer) = &mut self.writer {
            for (hash, extent) in self.gathered.drain(..) {
                writer.put_if_absent(hash, extent, |other| is_of(other, hash))?;
            }
        }
        Ok(())
    }

    /// Readies what was gathered, and the index, for the one to go into the other.
    #[inline(never)]
    fn make_ready(&mut self) {
        self.has_settled = true;
        let writer = self.writer.get_or_insert_with(growing);
        writer.spread(self.gathered.len());
        let mixer = writer.index.mixer;
        self.keep_newest(mixer, false);
    }

    /// Moves what was gathered so that its ranges follow each other, and says where each ends. Within a range the order is
    /// lost; what is newer is still told by the offset.
    fn deal(&mut self, mixer: Mixer) -> [usize; RANGES] {
        let range_of = |hash: u64| (mixer.tag(hash) >> (u32::BITS - RANGE_BITS)) as usize;
        let mut next = [0_usize; RANGES];
        for (hash, _) in &self.gathered {
            if let Some(count) = next.get_mut(range_of(*hash)) {
                *count += 1;
            }
        }
        let mut ends = next;
        let mut sum = 0;
        for (next, end) in next.iter_mut().zip(&mut ends) {
            *next = sum;
            sum += *end;
            *end = sum;
        }
        for (range, &end) in ends.iter().enumerate() {
            while let Some(&at) = next.get(range)
                && at < end
                && let Some(&first) = self.gathered.get(at)
            {
                // Puts an entry into its range, takes the one that was there, and so on, until one comes that belongs here.
                let mut moved = first;
                loop {
                    let to = range_of(moved.0);
                    let Some(next) = next.get_mut(to) else { break };
                    let Some(place) = self.gathered.get_mut(*next) else {
                        break;
                    };
                    std::mem::swap(place, &mut moved);
                    *next += 1;
                    if let Some(soon) = self.gathered.get(*next + 8) {
                        kernels::prefetch(soon);
                    }
                    if to == range {
                        break;
                    }
                }
            }
        }
        ends
    }
}

/// An empty index that grows fast.
fn growing() -> IndexWriter {
    let (_, mut writer) = Index::create();
    writer.grow_in_leaps();
    writer
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
