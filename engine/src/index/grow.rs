//! Growing: a full segment is rebuilt with more chunks, or as two.
//!
//! Its entries are moved in the order of its lines, which is that of their new lines too, so the cost is that of two
//! passes over some tens of KiB. Readers go on in the old segment until the new one is published, and only then are its
//! parts recycled.

use super::extent::Extent;
use super::line::{CHUNK_LINES, Chunk, LINE_PLACES};
use super::read::Index;
use super::segment::{DEPTH_MAX, SEGMENT_CHUNKS, Segment, chunks_for};
use super::write::IndexWriter;

/// Slots there may be for each segment. Evenly spread tags need two to four; where more were needed, tags are so much
/// alike that splitting does not help, and the segment grows instead.
const SLOTS_PER_SEGMENT: u64 = 8;

impl IndexWriter {
    /// Makes room for one more entry, at least, in the segment `full` of `tag`.
    #[cold]
    #[inline(never)]
    pub(super) fn grow(&mut self, tag: u32, full: Segment) {
        if full.chunks() >= SEGMENT_CHUNKS && self.may_split(full) {
            self.split(tag, full);
        } else {
            let chunks = if self.in_leaps && full.chunks() < SEGMENT_CHUNKS {
                SEGMENT_CHUNKS.min(full.chunks() * 2)
            } else {
                full.chunks() + (full.chunks() / 8).max(1)
            };
            let grown = self.pool.make(&self.index.segments, chunks, full.depth());
            let mut build = Build::new(&self.index, grown);
            self.index.for_each_in(full, |found| {
                build.store(found.line.tag(found.place), found.extent);
            });
            build.finish();
            self.index.directory.publish(tag, grown);
        }
        self.pool.unmake(&self.index.segments, full);
        self.count_memory();
    }

    fn may_split(&self, segment: Segment) -> bool {
        let depth = self.index.directory.depth();
        let slots_then = 1 << (depth + 1);
        segment.depth() < DEPTH_MAX
            && (segment.depth() < depth || slots_then <= SLOTS_PER_SEGMENT * self.segment_count)
    }

    /// Deals the entries of `full` out to two segments by the first bit below its prefix.
    fn split(&mut self, tag: u32, full: Segment) {
        let index = &*self.index;
        let bit = 1 << (31 - full.depth());
        let mut entries = 0_u64;
        let mut above = 0_u64;
        index.for_each_in(full, |found| {
            entries += 1;
            above += u64::from(found.line.tag(found.place) & bit != 0);
        });
        let least = if self.in_leaps { SEGMENT_CHUNKS } else { 1 };
        let mut make = |entries| {
            let chunks = chunks_for(entries).max(least);
            self.pool.make(&index.segments, chunks, full.depth() + 1)
        };
        let low = make(entries - above);
        let high = make(above);
        let mut build_low = Build::new(index, low);
        let mut build_high = Build::new(index, high);
        index.for_each_in(full, |found| {
            let tag = found.line.tag(found.place);
            let build = if tag & bit == 0 {
                &mut build_low
            } else {
                &mut build_high
            };
            build.store(tag, found.extent);
        });
        build_low.finish();
        build_high.finish();
        index.directory.publish(tag & !bit, low);
        index.directory.publish(tag | bit, high);
        self.segment_count += 1;
    }
}

/// A segment that is being filled and that nobody knows yet.
pub(super) struct Build<'a> {
    index: &'a Index,
    segment: Segment,
    chunks: Vec<&'a Chunk>,
    /// How many places of each line are taken.
    taken: Vec<u8>,
    entries: u32,
}

impl<'a> Build<'a> {
    pub(super) fn new(index: &'a Index, segment: Segment) -> Self {
        let chunks = (0..segment.chunks())
            .filter_map(|nth| index.segments.chunk(segment, nth))
            .collect();
        let taken = vec![0; segment.lines() as usize];
        Self {
            index,
            segment,
            chunks,
            taken,
            entries: 0,
        }
    }

    #[inline]
    pub(super) fn store(&mut self, tag: u32, extent: Extent) {
        let mut route = self.segment.route(tag);
        // There is an empty place: the segment was made for all that it gets.
        while let Some(taken) = self.taken.get_mut(route.at as usize)
            && let Some(chunk) = self.chunks.get((route.at / CHUNK_LINES) as usize)
        {
            let line = chunk.line(route.at);
            let place = u32::from(*taken);
            if place < LINE_PLACES {
                line.store(place, tag, extent);
                *taken += 1;
                self.entries += 1;
                return;
            }
            line.pass(tag);
            route.advance();
        }
    }

    pub(super) fn finish(self) {
        self.index.segments.set_entries(self.segment, self.entries);
    }
}
