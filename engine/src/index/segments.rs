//! What segments are made of: rows of chunk numbers, and the chunks.
//!
//! The writer makes and unmakes segments; readers who hold the word of one that was unmade may look at its parts, which are still
//! there, and throw away what they saw.

use std::sync::atomic::{AtomicU32, Ordering};

use super::arena::{Arena, Pool};
use super::line::{CHUNK_LINES, Chunk, Line};
use super::segment::{SEGMENT_CHUNKS, Segment};

const ROW_BITS: u32 = SEGMENT_CHUNKS.trailing_zeros();
const ROW_LEN: u32 = SEGMENT_CHUNKS;

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
