//! Filling an index with all entries of a store: gathered, dealt out by their tags, then stored range by range.
//!
//! Stored as they come, entries go to lines all over the index, each of them out of the processor's caches. Range by range, the
//! few lines of a range stay in them. Gathering costs 32 bytes for each of at most [`BATCH`] entries.

use super::extent::Extent;
use super::read::Index;
use super::write::IndexWriter;

/// Entries gathered at a time: enough for each line of a large index to be met several times, little where memory is scarce.
const BATCH: usize = if usize::BITS >= 64 { 1 << 22 } else { 1 << 16 };
/// Ranges of tags that a batch is dealt out to.
const RANGES: usize = 1 << RANGE_BITS;
const RANGE_BITS: u32 = 8;

/// Fills a new index from entries that come newest first: the first one of a key stays.
#[derive(Debug)]
pub struct BulkLoader {
    writer: IndexWriter,
    gathered: Vec<(u64, Extent)>,
    dealt: Vec<(u64, Extent)>,
    has_deletions: bool,
}

impl BulkLoader {
    /// A loader of an empty index.
    #[must_use]
    pub fn new() -> Self {
        let (_, mut writer) = Index::create();
        writer.grow_in_leaps();
        Self {
            writer,
            gathered: Vec::new(),
            dealt: Vec::new(),
            has_deletions: false,
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
        if self.gathered.len() >= BATCH {
            self.settle(is_of)?;
        }
        Ok(())
    }

    /// The index of all extents but deletions.
    pub fn finish<E>(
        mut self,
        is_of: impl FnMut(Extent, u64) -> Result<bool, E>,
    ) -> Result<IndexWriter, E> {
        self.settle(is_of)?;
        // The memory goes before more is taken.
        self.gathered = Vec::new();
        self.dealt = Vec::new();
        if self.writer.stop_leaping() && !self.has_deletions {
            return Ok(self.writer);
        }
        Ok(self.writer.settled(|extent| !extent.is_deletion()))
    }

    fn settle<E>(
        &mut self,
        mut is_of: impl FnMut(Extent, u64) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.writer.spread(self.gathered.len());
        self.deal();
        for (hash, extent) in self.dealt.drain(..) {
            self.writer
                .put_if_absent(hash, extent, |other| is_of(other, hash))?;
        }
        Ok(())
    }

    /// Moves what was gathered to `dealt`, range by range, each in the order it came in.
    fn deal(&mut self) {
        let mixer = self.writer.index.mixer;
        let range_of = |hash: u64| (mixer.tag(hash) >> (u32::BITS - RANGE_BITS)) as usize;
        let mut ends = [0_usize; RANGES];
        for (hash, _) in &self.gathered {
            if let Some(end) = ends.get_mut(range_of(*hash)) {
                *end += 1;
            }
        }
        let mut sum = 0;
        for end in &mut ends {
            let count = *end;
            *end = sum;
            sum += count;
        }
        self.dealt.clear();
        self.dealt
            .resize(self.gathered.len(), (0, Extent::new(1, 1)));
        for entry in self.gathered.drain(..) {
            if let Some(next) = ends.get_mut(range_of(entry.0)) {
                if let Some(place) = self.dealt.get_mut(*next) {
                    *place = entry;
                }
                *next += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let Ok(writer) = loader.finish(is_of);
        for key in 0..keys {
            let Ok(found) = writer
                .index()
                .find(hash(key), |extent| is_of(extent, hash(key)));
            let found = found.map(Extent::metadata_offset);
            let expected = (key % 4 != 0).then_some(offset(key, key % 3));
            assert_eq!(found, expected, "{key}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "counts memory of thousands of keys")]
    fn an_index_that_was_loaded_takes_little_memory() {
        for keys in [100_000_u64, 150_000, 222_222] {
            let hash = |key: u64| key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let is_of = |_, _| Ok::<_, Infallible>(false);
            let mut loader = BulkLoader::new();
            for key in 0..keys {
                let Ok(()) = loader.add(hash(key), Extent::new((key + 1) * 64, 1), is_of);
            }
            let Ok(writer) = loader.finish(is_of);
            assert_eq!(writer.index().len(), keys);
            let memory = writer.index().memory_bytes();
            assert!(memory < keys * 15, "{memory} bytes for {keys} keys");
        }
    }
}
