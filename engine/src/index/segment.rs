//! A segment: the chunks that hold one range of tags.
//!
//! A tag's line is its share of the range, so lines are in the order of tags, and entries can be moved to more lines, or to two
//! segments, by their tags alone. Which chunks a segment is made of is never changed once readers can see it.

use std::sync::atomic::{AtomicU32, Ordering};

use super::arena::{Arena, Pool};
use super::line::{CHUNK_LINES, CHUNK_PLACES, Chunk, Line};

/// Chunks of a segment before it is split in two.
pub(super) const SEGMENT_CHUNKS: u32 = 1 << ROW_BITS;
/// Upper bits of a tag that may name its segment; ten are left to spread over the lines.
pub(super) const DEPTH_MAX: u32 = 22;

const ROW_BITS: u32 = 4;
const ROW_LEN: u32 = 1 << ROW_BITS;
const COUNT_BITS: u32 = 26;
const COUNT_MAX: u32 = (1 << COUNT_BITS) - 1;

/// A segment in one word: its row, its number of chunks, and its depth, that is how many upper bits its tags share.
///
/// In the directory a tag never has the same segment word twice: segments only ever get deeper and, at one depth, only get more
/// chunks. So a word that is unchanged means that the segment was there all the while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment(u64);

impl Segment {
    pub(super) fn new(row: u32, chunks: u32, depth: u32) -> Self {
        assert!(chunks <= COUNT_MAX, "the index has used up its counts");
        Self(u64::from(row) << 32 | u64::from(chunks) << 6 | u64::from(depth))
    }

    #[inline]
    pub(super) const fn from_word(word: u64) -> Self {
        Self(word)
    }

    #[inline]
    pub(super) const fn to_word(self) -> u64 {
        self.0
    }

    #[inline]
    pub(super) const fn row(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    pub(super) const fn chunks(self) -> u32 {
        ((self.0 & 0xffff_ffff) as u32 >> 6) & COUNT_MAX
    }

    #[inline]
    pub(super) const fn depth(self) -> u32 {
        (self.0 & 63) as u32
    }

    #[inline]
    pub(super) const fn lines(self) -> u32 {
        self.chunks() * CHUNK_LINES
    }

    /// Entries it may hold; its lines have places for an eighth more or so, which keeps searches short.
    pub(super) fn capacity(self) -> u64 {
        u64::from(self.chunks()) * u64::from(CHUNK_PLACES) * FULL / UNIT
    }

    /// The line in which the search for `tag` starts.
    #[inline]
    pub(super) fn home(self, tag: u32) -> u32 {
        let below_prefix = (u64::from(tag) << self.depth()) & u64::from(u32::MAX);
        ((below_prefix * u64::from(self.lines())) >> 32) as u32
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
/// Steps of a tag's own before it goes on line by line, so that it misses none whatever the number of lines.
const OWN_STEPS: u32 = 24;

/// A way through a segment's lines. Tags with one home take different ways, because full lines grow together otherwise.
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
        let step = if self.past <= OWN_STEPS { self.step } else { 1 };
        self.at += step;
        if self.at >= self.lines {
            self.at -= self.lines;
        }
        self.past < self.lines + OWN_STEPS
    }
}

/// When a segment is rebuilt, in 64ths of its places.
const FULL: u64 = 57;
/// How full it is at most after that.
const REBUILT: u64 = 53;
const UNIT: u64 = 64;

/// The fewest chunks that hold `entries` and have room for some more.
pub(super) fn chunks_for(entries: u64) -> u32 {
    let each = u64::from(CHUNK_PLACES) * REBUILT / UNIT;
    u32::try_from(entries.div_ceil(each))
        .unwrap_or(u32::MAX)
        .max(1)
}

/// The fewest chunks that hold `entries`, with room for one more.
pub(super) fn chunks_to_hold(entries: u64) -> u32 {
    let each = u64::from(CHUNK_PLACES) * FULL / UNIT;
    u32::try_from(entries / each + 1).unwrap_or(u32::MAX)
}

/// The numbers of up to 16 chunks, or of up to 16 further rows where a segment has more chunks than that.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Row {
    numbers: [AtomicU32; ROW_LEN as usize],
    /// In a cache line of its own, because the writer changes it with every entry.
    entries: Entries,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Entries(AtomicU32);

/// Enough for as many as their numbers can name. Fewer for Miri, which looks at each of them whenever an index is borrowed.
const ROW_SLABS: usize = if cfg!(miri) { 32 } else { 128 };
const CHUNK_SLABS: usize = if cfg!(miri) { 96 } else { 1024 };

/// All segments' rows and chunks.
#[derive(Debug)]
pub(super) struct Segments {
    rows: Arena<Row, ROW_SLABS>,
    chunks: Arena<Chunk, CHUNK_SLABS>,
}

impl Segments {
    pub(super) const fn new() -> Self {
        Self {
            rows: Arena::new(),
            chunks: Arena::new(),
        }
    }

    /// The line `line` of `segment`. `None`, or a line of another segment, if `segment` was replaced.
    #[inline]
    pub(super) fn line(&self, segment: Segment, line: u32) -> Option<&Line> {
        Some(self.chunk(segment, line / CHUNK_LINES)?.line(line))
    }

    #[inline]
    pub(super) fn chunk(&self, segment: Segment, nth: u32) -> Option<&Chunk> {
        let row = self.rows.get(segment.row())?;
        let row = if segment.chunks() <= SEGMENT_CHUNKS {
            row
        } else {
            self.descend(row, segment, nth)?
        };
        self.chunks.get(row.number(nth)?)
    }

    /// The row that names chunk `nth` of a segment with more chunks than a row has numbers. Only tags that are alike by the
    /// thousand make such a segment.
    #[cold]
    fn descend<'a>(&'a self, top: &'a Row, segment: Segment, nth: u32) -> Option<&'a Row> {
        let mut row = top;
        for level in (1..=height(segment.chunks())).rev() {
            row = self.rows.get(row.number(nth >> (ROW_BITS * level))?)?;
        }
        Some(row)
    }

    /// How many entries the writer put into `segment`.
    pub(super) fn entries(&self, segment: Segment) -> u32 {
        self.rows
            .get(segment.row())
            .map_or(0, |row| row.entries.0.load(Ordering::Relaxed))
    }

    pub(super) fn set_entries(&self, segment: Segment, entries: u32) {
        if let Some(row) = self.rows.get(segment.row()) {
            row.entries.0.store(entries, Ordering::Relaxed);
        }
    }
}

impl Row {
    #[inline]
    fn number(&self, nth: u32) -> Option<u32> {
        Some(
            self.numbers
                .get((nth % ROW_LEN) as usize)?
                .load(Ordering::Relaxed),
        )
    }

    fn set_number(&self, nth: u32, number: u32) {
        if let Some(at) = self.numbers.get((nth % ROW_LEN) as usize) {
            at.store(number, Ordering::Relaxed);
        }
    }
}

/// Levels of rows above the lowest.
const fn height(chunks: u32) -> u32 {
    (u32::BITS - chunks.saturating_sub(1).leading_zeros()).saturating_sub(1) / ROW_BITS
}

/// The writer's half: free rows and chunks, and segments made and unmade of them.
#[derive(Debug)]
pub(super) struct SegmentPool {
    rows: Pool,
    chunks: Pool,
}

impl SegmentPool {
    pub(super) const fn new() -> Self {
        Self {
            rows: Pool::new(8),
            chunks: Pool::new(64),
        }
    }

    /// Makes sure that segments with so many chunks can be made, side by side.
    pub(super) fn reserve(&mut self, from: &Segments, segments: u32, chunks: u32) {
        self.rows.reserve(&from.rows, segments);
        self.chunks.reserve(&from.chunks, chunks);
    }

    /// A segment without entries that no reader knows yet.
    pub(super) fn make(&mut self, from: &Segments, chunks: u32, depth: u32) -> Segment {
        let row = self.make_row(from, chunks, height(chunks));
        let segment = Segment::new(row, chunks, depth);
        from.set_entries(segment, 0);
        segment
    }

    fn make_row(&mut self, from: &Segments, chunks: u32, level: u32) -> u32 {
        let number = self.rows.take(&from.rows);
        for (nth, below) in shares(chunks, level) {
            let child = if level == 0 {
                let chunk = self.chunks.take(&from.chunks);
                if let Some(chunk) = from.chunks.get(chunk) {
                    chunk.clear();
                }
                chunk
            } else {
                self.make_row(from, below, level - 1)
            };
            if let Some(row) = from.rows.get(number) {
                row.set_number(nth, child);
            }
        }
        number
    }

    /// Takes a segment apart that no reader can come to know any more.
    pub(super) fn unmake(&mut self, from: &Segments, segment: Segment) {
        self.unmake_row(
            from,
            segment.row(),
            segment.chunks(),
            height(segment.chunks()),
        );
    }

    fn unmake_row(&mut self, from: &Segments, number: u32, chunks: u32, level: u32) {
        for (nth, below) in shares(chunks, level) {
            match from.rows.get(number).and_then(|row| row.number(nth)) {
                Some(child) if level == 0 => self.chunks.put(child),
                Some(child) => self.unmake_row(from, child, below, level - 1),
                None => {}
            }
        }
        self.rows.put(number);
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.rows.memory_bytes() + self.chunks.memory_bytes()
    }
}

/// How `chunks` are dealt out to the numbers of a row: which number, and how many chunks lie below it.
fn shares(chunks: u32, level: u32) -> impl Iterator<Item = (u32, u32)> {
    let each = 1_u32 << (ROW_BITS * level);
    (0..chunks.div_ceil(each)).map(move |nth| (nth, (chunks - nth * each).min(each)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::ptr;

    #[test]
    fn a_word_keeps_its_parts() {
        let segment = Segment::new(u32::MAX, COUNT_MAX, 22);
        assert_eq!(
            (segment.row(), segment.chunks(), segment.depth()),
            (u32::MAX, COUNT_MAX, 22)
        );
        let segment = Segment::new(7, 1, 0);
        assert_eq!(
            (segment.row(), segment.chunks(), segment.depth()),
            (7, 1, 0)
        );
    }

    #[test]
    fn homes_are_in_the_order_of_tags_and_inside() {
        for (chunks, depth) in [(1, 0), (9, 0), (16, 5), (13, 22), (40_000, 0)] {
            let segment = Segment::new(0, chunks, depth);
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
            let chunks = chunks_for(entries);
            let segment = Segment::new(0, chunks, 0);
            assert!(segment.capacity() > entries);
            assert!(segment.capacity() < u64::from(segment.lines()) * 6);
        }
    }

    #[test]
    fn a_route_visits_every_line() {
        let sizes: &[u32] = if cfg!(miri) {
            &[1, 3]
        } else {
            &[1, 3, 9, 11, 15, 16, 21]
        };
        for &chunks in sizes {
            let segment = Segment::new(0, chunks, 0);
            for tag in [0, 1, 7, 0x1234_5677, u32::MAX - 1, u32::MAX] {
                let mut route = segment.route(tag);
                assert_eq!(route.at, segment.home(tag));
                let mut seen = HashSet::from([route.at]);
                while route.advance() {
                    seen.insert(route.at);
                }
                assert_eq!(seen.len(), segment.lines() as usize);
                assert!(seen.iter().all(|&at| at < segment.lines()));
            }
        }
    }

    /// Segments of every shape of rows have all their lines, each once, and give everything back.
    #[test]
    fn segments_are_made_and_unmade() {
        let segments = Segments::new();
        let mut pool = SegmentPool::new();
        let sizes: &[u32] = if cfg!(miri) {
            &[1, 16, 17, 40]
        } else {
            &[1, 2, 15, 16, 17, 255, 256, 257, 300, 4096, 4097]
        };
        for &chunks in sizes {
            let segment = pool.make(&segments, chunks, 3);
            let lines: HashSet<_> = (0..segment.lines())
                .map(|nth| ptr::from_ref(segments.line(segment, nth).unwrap()))
                .collect();
            assert_eq!(lines.len(), segment.lines() as usize);
            pool.unmake(&segments, segment);
        }
        let before = pool.memory_bytes();
        let largest = pool.make(&segments, *sizes.last().unwrap(), 0);
        assert_eq!(
            pool.memory_bytes(),
            before,
            "nothing new is needed for a size that was there"
        );
        pool.unmake(&segments, largest);
    }
}
