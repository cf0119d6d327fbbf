//! Growing: a full segment is rebuilt with more chunks, or as two.
//!
//! Its entries are moved in the order of its lines, which is that of their new lines too, so the cost is that of two
//! passes over some tens of KiB. Readers go on in the old segment until the new one is published, and only then are its
//! parts recycled.

use std::sync::Arc;

use super::arena::bytes_of;
use super::chunk::{CHUNK_LINES, Chunk};
use super::line::Draft;
use super::segment::{DEPTH_MAX, SEGMENT_CHUNKS, Segment, chunks_for};
use super::write::IndexWriter;

/// Slots there may be for each segment. Evenly spread tags need two to four; where more were needed, tags are so much
/// alike that splitting does not help, and the segment grows instead.
const SLOTS_PER_SEGMENT: u64 = 8;

/// Tenths of bytes that a key may take for the sake of speed.
const BUDGET: u64 = 142;

impl IndexWriter {
    /// Makes room for one more entry, at least, in the segment of `tag`.
    #[cold]
    #[inline(never)]
    pub(super) fn grow(&mut self, tag: u32) {
        let index = Arc::clone(&self.index);
        let Some(full) = index.directory.segment(tag) else {
            return;
        };
        if full.chunks() >= SEGMENT_CHUNKS && self.may_split(full) {
            self.split(tag, full);
        } else {
            let grown = self
                .pool
                .make(&index.segments, self.grown(full), full.depth());
            full.prefetch();
            grown.prefetch();
            let mut build = Build::new(grown);
            full.for_each(|tag, word| build.store(tag, word));
            build.finish();
            index.directory.publish(tag, grown);
        }
        self.pool.unmake(full);
        self.count_memory();
    }

    /// How many chunks a full segment gets. A quarter more at most keeps memory low in all of them; while others are well filled,
    /// one may have half as much again, and is not moved again so soon.
    fn grown(&self, full: Segment<'_>) -> u32 {
        let chunks = full.chunks();
        if chunks >= SEGMENT_CHUNKS {
            return chunks + chunks / 8;
        }
        let more = if self.in_leaps {
            chunks
        } else if self.may_spend(chunks / 2) {
            chunks / 2
        } else {
            chunks / 4
        };
        SEGMENT_CHUNKS.min(chunks + more.max(1))
    }

    /// Whether so many chunks more leave the whole index within its budget.
    fn may_spend(&self, chunks: u32) -> bool {
        let more = bytes_of::<Chunk>(chunks as usize);
        let budget = self.index.len().saturating_mul(BUDGET) / 10;
        self.index.memory_bytes() + more <= budget
    }

    fn may_split(&self, segment: Segment<'_>) -> bool {
        let depth = self.index.directory.depth();
        let slots_then = 1 << (depth + 1);
        segment.depth() < DEPTH_MAX
            && (segment.depth() < depth || slots_then <= SLOTS_PER_SEGMENT * self.segment_count)
    }

    /// Deals the entries of `full` out to two segments by the first bit below its prefix.
    fn split(&mut self, tag: u32, full: Segment<'_>) {
        let index = Arc::clone(&self.index);
        let bit = 1 << (31 - full.depth());
        full.prefetch();
        let mut counts = [0_u64; 2];
        full.for_each(|tag, _| {
            let [low, high] = &mut counts;
            *low += u64::from(tag & bit == 0);
            *high += u64::from(tag & bit != 0);
        });
        let least = if self.in_leaps { SEGMENT_CHUNKS } else { 1 };
        let [low, high] = counts.map(|entries| {
            let chunks = chunks_for(entries).max(least);
            let chunks = if self.may_spend(chunks / 2) {
                chunks + chunks / 2
            } else {
                chunks
            };
            self.pool.make(&index.segments, chunks, full.depth() + 1)
        });
        let (mut build_low, mut build_high) = (Build::new(low), Build::new(high));
        full.for_each(|tag, word| {
            let build = if tag & bit == 0 {
                &mut build_low
            } else {
                &mut build_high
            };
            build.store(tag, word);
        });
        build_low.finish();
        build_high.finish();
        index.directory.publish(tag & !bit, low);
        index.directory.publish(tag | bit, high);
        self.segment_count += 1;
    }
}

/// A segment that is being filled and that nobody knows yet. What comes and goes with each entry is kept close together; the
/// lines themselves are written once.
pub(super) struct Build<'a> {
    segment: Segment<'a>,
    chunks: Vec<&'a Chunk>,
    drafts: Vec<Draft>,
    /// Entries whose home line was full; they go on when all others are at home.
    displaced: Vec<(u32, u64)>,
    entries: u32,
}

impl<'a> Build<'a> {
    pub(super) fn new(segment: Segment<'a>) -> Self {
        let chunks = (0..segment.chunks())
            .filter_map(|nth| segment.row().chunk(segment.lines(), nth))
            .collect();
        Self {
            segment,
            chunks,
            drafts: vec![Draft::default(); segment.lines() as usize],
            displaced: Vec::new(),
            entries: 0,
        }
    }

    #[inline]
    pub(super) fn store(&mut self, tag: u32, word: u64) {
        self.entries += 1;
        if !self.place(self.segment.home(tag), tag, word) {
            self.displaced.push((tag, word));
        }
    }

    /// Stores an entry in a line, if that has a place left.
    #[inline]
    fn place(&mut self, line: u32, tag: u32, word: u64) -> bool {
        if let Some(draft) = self.drafts.get_mut(line as usize)
            && let Some(place) = draft.add(tag)
            && let Some(chunk) = self.chunks.get((line / CHUNK_LINES) as usize)
        {
            chunk.line(line).store_word(place, word);
            return true;
        }
        false
    }

    pub(super) fn finish(mut self) {
        for (tag, word) in std::mem::take(&mut self.displaced) {
            let mut route = self.segment.route(tag);
            // There is an empty place: the segment was made for all that it gets.
            while !self.place(route.at, tag, word) {
                if let Some(draft) = self.drafts.get_mut(route.at as usize) {
                    draft.pass(tag);
                }
                if !route.advance() {
                    break;
                }
            }
        }
        for (chunk, drafts) in self
            .chunks
            .iter()
            .zip(self.drafts.chunks(CHUNK_LINES as usize))
        {
            for (line, draft) in (0..).zip(drafts) {
                chunk.line(line).finish(draft);
            }
        }
        let row = self.segment.row();
        row.set_room(row.room().saturating_sub(self.entries));
    }
}
