//! Building an index at once, from entries that are all there: grown in leaps, then settled in the memory that it needs.
//!
//! An index that lives grows by an eighth at a time, which keeps its memory low and moves each entry a dozen times. While one is
//! being built nobody reads it, and memory is only wanted low at the end.

use crate::atomic::Ordering;
use std::sync::Arc;

use super::bulk::RANGE_BITS;
use super::chunk::{CHUNK_PLACES, CHUNK_SIZE};
use super::extent::Extent;
use super::grow::Build;
use super::read::Index;
use super::segment::{DEPTH_MAX, SEGMENT_CHUNKS, Segment, chunks_at_ease, chunks_to_hold};
use super::tag::Mixer;
use super::word;
use super::write::IndexWriter;

/// Entries for which [`IndexWriter::spread`] makes a segment, at most: somewhat fewer than one holds.
const SPREAD: usize = (SEGMENT_CHUNKS * CHUNK_PLACES) as usize * 4 / 5;

/// An index is made in so many parts at most, between which memory of what it is made of is given back,
const PARTS: usize = if usize::BITS >= 64 { 4 } else { 1 };
/// ... each of which is worth large pages.
const PART_BYTES: usize = 16 << 20;

/// Bytes for each entry that a settled index may take.
const SETTLED_BYTES: u64 = 14;

impl IndexWriter {
    /// Spends up to twice the memory from now on, and moves each entry once or twice instead of a dozen times.
    pub const fn grow_in_leaps(&mut self) {
        self.in_leaps = true;
    }

    /// Gives an empty index a segment for every thousand or two of `entries` to come. Ranges of tags can then be filled
    /// one after the other: met in one segment, they would look like tags that are all alike.
    pub(super) fn spread(&mut self, entries: usize) {
        let segments = entries.div_ceil(SPREAD).next_power_of_two();
        let depth = segments.trailing_zeros().min(DEPTH_MAX);
        let index = Arc::clone(&self.index);
        let Some(first) = index.directory.segment(0) else {
            return;
        };
        if !self.index.is_empty() || first.depth() > 0 || depth == 0 {
            return;
        }
        // Evenly spread tags come this near to the mean nearly everywhere; where there are more, the segment grows.
        let mean = (entries >> depth) as u64;
        let chunks = chunks_to_hold(mean + 3 * mean.isqrt()).min(SEGMENT_CHUNKS);
        self.pool
            .reserve(&index.segments, 1 << depth, (chunks as usize) << depth);
        for nth in 0..1_u32 << depth {
            let segment = self.pool.make_empty(&index.segments, chunks, depth);
            index.directory.publish(nth << (u32::BITS - depth), segment);
        }
        self.pool.unmake(first);
        self.segment_count = 1 << depth;
        self.count_memory();
    }

    /// An index of `entries`, which are extents with the tags of different keys, in the order of the tags' uppermost bits
    /// ([`RANGE_BITS`] of them). Its segments are side by side. Memory of `entries` goes as the index takes its own.
    #[inline(never)]
    pub(super) fn made_of(mixer: Mixer, mut entries: Vec<(u64, Extent)>) -> Self {
        let (index, mut made) = Index::with_mixer(mixer);
        let entries_len = entries.len() as u64;
        let first = index.directory.segment(0);
        let segments = entries.len().div_ceil(SPREAD).next_power_of_two();
        let depth = segments.trailing_zeros().min(DEPTH_MAX);
        let segment_of = |tag: u64| (tag << depth >> u32::BITS) as usize;
        let mut counts = vec![0_u64; 1 << depth];
        for (tag, _) in &entries {
            if let Some(count) = counts.get_mut(segment_of(*tag)) {
                *count += 1;
            }
        }
        let chunks: Vec<u32> = counts.into_iter().map(chunks_at_ease).collect();
        let sum = |chunks: &[u32]| chunks.iter().map(|&chunks| chunks as usize).sum::<usize>();
        let parts = (sum(&chunks) * CHUNK_SIZE / PART_BYTES).clamp(1, PARTS);
        // The segments of one range are filled together, as their entries are mixed.
        let together = 1 << depth.saturating_sub(RANGE_BITS);
        let part = (chunks.len().div_ceil(parts).next_power_of_two()).max(together);
        for (nth, chunks) in chunks.chunks(part).enumerate().rev() {
            let before = nth * part;
            entries.shrink_to_fit();
            made.pool
                .reserve(&index.segments, chunks.len(), sum(chunks));
            for (nth, chunks) in chunks.chunks(together).enumerate().rev() {
                let start = before + nth * together;
                let segments: Vec<Segment<'_>> = chunks
                    .iter()
                    .map(|&chunks| made.pool.make(&index.segments, chunks, depth))
                    .collect();
                let mut builds: Vec<_> = segments
                    .iter()
                    .map(|&segment| Build::new(segment))
                    .collect();
                while let Some(&(tag, extent)) = entries.last()
                    && let Some(build) = builds.get_mut(segment_of(tag).wrapping_sub(start))
                {
                    let tag = (tag & 0xffff_ffff) as u32;
                    build.store(tag, word::new(tag, extent));
                    entries.pop();
                }
                builds.into_iter().for_each(Build::finish);
                for (nth, segment) in (start..).zip(segments) {
                    let tag = (nth as u64) << u32::BITS >> depth & 0xffff_ffff;
                    index.directory.publish(tag as u32, segment);
                }
            }
        }
        if let Some(first) = first {
            made.pool.unmake(first);
        }
        index.counters.len.store(entries_len, Ordering::Relaxed);
        made.segment_count = 1 << depth;
        made.count_memory();
        made
    }

    /// Goes back to growing in small steps; says whether the index takes little more memory than a
    /// [`settled`](Self::settled) one.
    pub(super) fn stop_leaping(&mut self) -> bool {
        self.in_leaps = false;
        self.index.memory_bytes() <= self.index.len().saturating_mul(SETTLED_BYTES)
    }

    /// Another index, of those extents for which `keep` says true, in no more memory than they need.
    #[must_use]
    pub fn settled(&self, keep: impl Fn(Extent) -> bool) -> Self {
        let (index, mut settled) = Index::with_mixer(self.index.mixer);
        let first = index.directory.segment(0);
        let mut len = 0_u64;
        let kept = |word| word::extent(word).is_some_and(&keep);
        // How many chunks each segment needs, so that all can be had side by side.
        let mut chunks = Vec::new();
        self.index.for_each_segment(|_, segment| {
            let mut entries = 0;
            segment.for_each(|_, word| entries += u64::from(kept(word)));
            len += entries;
            chunks.push(chunks_to_hold(entries));
        });
        let sum = chunks.iter().map(|&chunks| chunks as usize).sum();
        settled.pool.reserve(&index.segments, chunks.len(), sum);
        let mut chunks = chunks.into_iter();
        self.index.for_each_segment(|tag, segment| {
            let chunks = chunks.next().unwrap_or(1);
            let target = settled.pool.make(&index.segments, chunks, segment.depth());
            let mut build = Build::new(target);
            segment.for_each(|tag, word| {
                if kept(word) {
                    build.store(tag, word);
                }
            });
            build.finish();
            index.directory.publish(tag, target);
        });
        // Every tag has its segment now, so nothing names the one that the index was made with.
        if let Some(first) = first {
            settled.pool.unmake(first);
        }
        index.counters.len.store(len, Ordering::Relaxed);
        settled.segment_count = self.segment_count;
        settled.count_memory();
        debug_assert!(Arc::ptr_eq(&index, &settled.index));
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A segment that was just full got a chunk more than any snapshot takes, so that the next opening was a long one.
    #[test]
    #[cfg_attr(miri, ignore = "thousands of keys, hundreds of times")]
    fn an_index_can_be_put_away_however_full_its_segments_are() {
        let hash = |key: u64| key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let same = |_: Extent| Ok::<_, ()>(true);
        let (_, mut writer) = Index::create();
        writer.grow_in_leaps();
        for key in 1..=2_400 {
            writer.put(hash(key), Extent::new(key * 64, 1), |_| false);
            if key < 2_250 {
                continue;
            }
            let settled = writer.settled(|_| true);
            assert!(settled.index().snapshot_size().is_some(), "{key} keys");
            for key in 1..=key {
                assert!(settled.index().find(hash(key), same).unwrap().is_some());
            }
        }
        // Two segments, of which one gets more than its share.
        for more in 0..500_u32 {
            let tags = |count: u32, top: u32| {
                (1..=count).map(move |nth| u64::from(top | nth.wrapping_mul(0x9e37_79b9) >> 1))
            };
            let tags = tags(2_000 + more, 0).chain(tags(1_700, 1 << 31));
            let entries = tags
                .zip(1..)
                .map(|(tag, nth)| (tag, Extent::new(nth * 64, 1)));
            let mut made = IndexWriter::made_of(Mixer::random(), entries.collect());
            assert!(made.index().snapshot_size().is_some(), "{more} more");
            // Room for what comes then.
            for key in 1..=1_000 {
                made.put(hash(key), Extent::new(key * 64 + (1 << 30), 1), |_| false);
            }
            assert_eq!(made.index().len(), u64::from(4_700 + more));
            assert!(made.index().snapshot_size().is_some(), "{more} more");
        }
    }

    #[test]
    fn settled_holds_what_was_kept_in_less_memory() {
        let count: u64 = if cfg!(miri) { 600 } else { 120_000 };
        let hash = |key: u64| key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (_, mut writer) = Index::create();
        writer.grow_in_leaps();
        for key in 1..=count {
            writer.put(hash(key), Extent::new(key * 64, key % 100 + 1), |_| false);
        }
        let settled = writer.settled(|extent| extent.metadata_offset() / 64 % 3 != 0);
        let mut kept = 0;
        for key in 1..=count {
            let same = |extent: Extent| Ok::<_, ()>(extent.metadata_offset() == key * 64);
            let found = settled.index().find(hash(key), same).unwrap();
            assert_eq!(found.is_some(), key % 3 != 0, "{key}");
            kept += u64::from(found.is_some());
        }
        assert_eq!(settled.index().len(), kept);
        if !cfg!(miri) {
            assert!(settled.index().memory_bytes() < kept * 16);
        }
        let mut settled = settled;
        settled.put(hash(0), Extent::new(1, 1), |_| false);
        assert_eq!(settled.index().len(), kept + 1);
    }
}
