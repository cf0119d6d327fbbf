//! A segment: the chunks that hold one range of tags.
//!
//! A tag's line is its share of the range, so lines are in the order of tags, and entries can be moved to more lines, or to two
//! segments, by their tags alone. Which chunks a segment is made of is never changed while readers can find it.

use super::chunk::{CHUNK_LINES, CHUNK_PLACES, Chunk};
use super::line::Line;

use super::segments::Row;
use crate::kernels::prefetch;

/// Chunks of a segment before it is split in two.
pub(super) const SEGMENT_CHUNKS: u32 = if cfg!(loom) { 2 } else { 14 };
/// Upper bits of a tag that may name its segment; ten are left to spread over the lines.
pub(super) const DEPTH_MAX: u32 = 22;

/// A segment as it was when its row was looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    row: &'a Row,
    lines: u32,
    /// How many upper bits its tags share.
    depth: u32,
}

/// The two lines in which nearly every search ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) first: &'a Line,
    pub(super) second: &'a Line,
}

impl<'a> Pair<'a> {
    #[inline]
    pub(super) fn of(chunk: &'a Chunk, home: u32) -> Self {
        Self {
            first: chunk.line(home),
            second: chunk.line(Segment::twin(home)),
        }
    }
}

impl<'a> Segment<'a> {
    #[inline]
    pub(super) const fn new(row: &'a Row, lines: u32, depth: u32) -> Self {
        Self { row, lines, depth }
    }

    #[inline]
    pub(super) const fn row(self) -> &'a Row {
        self.row
    }

    #[inline]
    pub(super) const fn depth(self) -> u32 {
        self.depth
    }

    #[inline]
    pub(super) const fn lines(self) -> u32 {
        self.lines
    }

    pub(super) const fn chunks(self) -> u32 {
        self.lines / CHUNK_LINES
    }

    /// The line with this number. `None`, or a line of another segment, if the segment was replaced.
    #[inline]
    pub(super) fn line(self, line: u32) -> Option<&'a Line> {
        Some(self.chunk_of(line)?.line(line))
    }

    /// The chunk that the line with this number lies in.
    #[inline]
    pub(super) fn chunk_of(self, line: u32) -> Option<&'a Chunk> {
        self.row.chunk(self.lines, line / CHUNK_LINES)
    }

    /// Its chunks, in order.
    #[inline]
    pub(super) fn chunk(self, nth: u32) -> Option<&'a Chunk> {
        self.row.chunk(self.lines, nth)
    }

    /// A home line and its twin, which lie side by side.
    #[inline]
    pub(super) fn pair(self, home: u32) -> Option<Pair<'a>> {
        Some(Pair::of(self.chunk_of(home)?, home))
    }

    /// Brings all lines nearer, which lie in a dozen places of memory; worth it before all are read or written.
    pub(super) fn prefetch(self) {
        (0..self.lines)
            .filter_map(|line| self.line(line))
            .for_each(prefetch);
    }

    /// Shows every entry, as its tag and word, in the order of the lines.
    #[inline]
    pub(super) fn for_each(self, mut visit: impl FnMut(u32, u64)) {
        for nth in 0..self.chunks() {
            if let Some(chunk) = self.row.chunk(self.lines, nth) {
                chunk.for_each(&mut visit);
            }
        }
    }

    /// Entries it may hold; its lines have places for an eighth more or so, which keeps searches short.
    pub(super) fn capacity(self) -> u64 {
        capacity(self.chunks())
    }

    /// The line in which the search for `tag` starts.
    #[inline]
    pub(super) fn home(self, tag: u32) -> u32 {
        let below_prefix = tag << self.depth;
        ((u64::from(below_prefix) * u64::from(self.lines)) >> 32) as u32
    }

    /// The first line behind `home` in which to look.
    #[inline]
    pub(super) const fn twin(home: u32) -> u32 {
        home ^ 1
    }

    /// The first tag above those of the segment that `tag` belongs to.
    pub(super) fn tag_after(self, tag: u32) -> Option<u32> {
        let below_prefix = 32 - self.depth();
        u32::try_from(((u64::from(tag) >> below_prefix) + 1) << below_prefix).ok()
    }

    /// The lines in which to look for `tag`, in this order. Every line is among them.
    #[inline]
    pub(super) fn route(self, tag: u32) -> Route {
        Route {
            at: self.home(tag),
            step: (tag >> 5) % STEPS * 2 + 1,
            lines: self.lines(),
            past: 0,
        }
    }
}

/// Steps that tags take from line to line.
const STEPS: u32 = CHUNK_LINES / 2;
/// Steps within the chunk.
const NEAR_STEPS: u32 = 8;
/// Steps of a tag's own before it goes on line by line, so that it misses none whatever the number of lines.
const OWN_STEPS: u32 = 24;

/// A way through a segment's lines: the home, its twin beside it, others in their chunk and so in their page, and then others; past
/// the twin they are different ones for tags of one home, because full lines grow together otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    /// The line it is at.
    pub(super) at: u32,
    step: u32,
    lines: u32,
    past: u32,
}

impl Route {
    /// Goes on to the next line; says whether there is one.
    #[inline]
    pub(super) fn advance(&mut self) -> bool {
        self.past += 1;
        if self.past == 1 {
            self.at = Segment::twin(self.at);
        } else if self.past <= NEAR_STEPS {
            let chunk = self.at / CHUNK_LINES * CHUNK_LINES;
            self.at = chunk + (self.at + self.step) % CHUNK_LINES;
        } else {
            let step = if self.past <= OWN_STEPS { self.step } else { 1 };
            self.at += step;
            if self.at >= self.lines {
                self.at -= self.lines;
            }
        }
        self.past < self.lines + OWN_STEPS
    }
}

/// When a segment is rebuilt, in 64ths of its places.
const FULL: u64 = 55;
/// How full it is at most after that.
const REBUILT: u64 = 51;
/// How full it may be when it is as large as it gets, and waits for the next entry to split it.
const CROWDED: u64 = 60;
const UNIT: u64 = 64;

/// Entries that so many chunks may hold.
fn capacity(chunks: u32) -> u64 {
    u64::from(chunks) * u64::from(CHUNK_PLACES) * FULL / UNIT
}

/// Entries that may be found in so many chunks; there is an empty place beside them.
pub(super) fn most_in(chunks: u32) -> u64 {
    u64::from(chunks) * u64::from(CHUNK_PLACES) * CROWDED / UNIT
}

/// The fewest chunks that hold `entries` and have room for some more.
pub(super) fn chunks_for(entries: u64) -> u32 {
    let each = u64::from(CHUNK_PLACES) * REBUILT / UNIT;
    u32::try_from(entries.div_ceil(each))
        .unwrap_or(u32::MAX)
        .max(1)
}

/// The fewest chunks that hold `entries`, with room for one more; or for none, in a segment that is split when one more comes and that
/// no snapshot would take larger than this.
pub(super) fn chunks_to_hold(entries: u64) -> u32 {
    let each = u64::from(CHUNK_PLACES) * FULL / UNIT;
    let chunks = u32::try_from(entries / each + 1).unwrap_or(u32::MAX);
    if entries <= most_in(SEGMENT_CHUNKS) {
        chunks.min(SEGMENT_CHUNKS)
    } else {
        chunks
    }
}

/// Chunks for `entries` that are all there: as many as [`EASE`] allows, so that nearly all of them are in their home lines.
pub(super) fn chunks_at_ease(entries: u64) -> u32 {
    let least = chunks_to_hold(entries);
    let each = u64::from(CHUNK_LINES) * size_of::<Line>() as u64 * 10;
    let allowed = u32::try_from(entries.saturating_mul(EASE) / each).unwrap_or(u32::MAX);
    least.max(allowed.min(SEGMENT_CHUNKS))
}

/// Tenths of bytes for each entry.
const EASE: u64 = 147;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn homes_are_in_the_order_of_tags_and_inside() {
        let row = Row::default();
        for (chunks, depth) in [(1, 0), (9, 0), (14, 5), (13, 22), (40_000, 0)] {
            let segment = Segment::new(&row, chunks * CHUNK_LINES, depth);
            assert_eq!(segment.home(0), 0);
            assert_eq!(segment.home(u32::MAX >> depth), segment.lines() - 1);
            // The bits above the depth are the segment's own and do not count.
            assert_eq!(segment.home(u32::MAX), segment.lines() - 1);
            assert!(segment.home(u32::MAX >> depth >> 1) <= segment.lines() / 2);
        }
    }

    #[test]
    fn sizes_have_room() {
        for entries in 0..20_000 {
            let chunks = chunks_at_ease(entries);
            assert!(capacity(chunks) > entries || chunks == SEGMENT_CHUNKS);
            assert!((entries..u64::from(chunks * CHUNK_PLACES)).contains(&most_in(chunks)));
            let chunks = chunks_for(entries);
            assert!(capacity(chunks) > entries);
            assert!(capacity(chunks) < u64::from(chunks * CHUNK_PLACES));
        }
    }

    #[test]
    fn a_route_visits_every_line() {
        let sizes: &[u32] = if cfg!(miri) {
            &[1, 3]
        } else {
            &[1, 3, 9, 11, 14, 15, 16, 21]
        };
        let row = Row::default();
        for &chunks in sizes {
            let segment = Segment::new(&row, chunks * CHUNK_LINES, 0);
            for tag in [0, 1, 7, 0x1234_5677, u32::MAX - 1, u32::MAX] {
                let mut route = segment.route(tag);
                assert_eq!(route.at, segment.home(tag));
                let mut seen = HashSet::from([route.at]);
                assert!(route.advance());
                assert_eq!(route.at, Segment::twin(segment.home(tag)));
                seen.insert(route.at);
                while route.advance() {
                    seen.insert(route.at);
                }
                assert_eq!(seen.len(), segment.lines() as usize);
                assert!(seen.iter().all(|&at| at < segment.lines()));
            }
        }
    }
}
