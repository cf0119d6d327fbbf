//! What segments are made of: rows of links to chunks, and the chunks.
//!
//! The writer makes and unmakes segments; readers who hold the row of one that was unmade may look at its parts, which are still
//! there, and throw away what they saw.

use crate::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::arena::{Arena, Link, Part, Parts, Pool};
use super::chunk::{CHUNK_LINES, CHUNK_SIZE, Chunk};
use super::segment::{SEGMENT_CHUNKS, Segment};
use crate::backing::PrivatePages;

const ROW_LEN: u32 = SEGMENT_CHUNKS;

/// A segment's shape, and the links to its chunks.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Row {
    /// How often the row was opened and closed, its number of chunks and its depth. A reader that finds the same before and after
    /// looked at one segment, and at a complete one unless it has no chunks.
    head: AtomicU64,
    /// Leads to further rows where there are more chunks than links here.
    above: Link<Rows>,
    chunks: [Link<Chunk>; ROW_LEN as usize],
    room: Room,
}

/// How many more entries the segment may hold; in a cache line of its own, because the writer changes it with every entry.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Room(AtomicU32);

/// Links to further rows. Only tags that are alike by the thousand make such a segment.
#[derive(Debug, Default)]
struct Rows([Link<Row>; ROW_LEN as usize]);

const DEPTH_BITS: u32 = 5;
const COUNT_BITS: u32 = 27;
const COUNT_MAX: u32 = (1 << COUNT_BITS) - 1;

impl Row {
    #[inline]
    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// The segment that a row with this head is.
    #[inline]
    pub(super) const fn segment_of(&self, head: u64) -> Segment<'_> {
        let shape = (head & 0xffff_ffff) as u32;
        let lines = (shape >> DEPTH_BITS) * CHUNK_LINES;
        Segment::new(self, lines, shape & ((1 << DEPTH_BITS) - 1))
    }

    /// Says that the row is a segment of this shape, whose lines are complete: who reads this head sees them all.
    pub(super) fn open(&self, chunks: u32, depth: u32) {
        assert!(chunks <= COUNT_MAX, "the index has used up its counts");
        self.set_head(chunks << DEPTH_BITS | depth);
    }

    /// Says that the row is no segment any more. Until it is opened again no reader takes what it holds for one.
    fn close(&self) {
        self.set_head(0);
        // Whoever sees what is stored into the row or its chunks from now on also sees this.
        fence(Ordering::Release);
    }

    /// A head that the row never had.
    fn set_head(&self, shape: u32) {
        let made = (self.head.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        self.head
            .store(made << 32 | u64::from(shape), Ordering::Release);
    }

    /// Chunk `nth` of a segment with so many lines.
    #[inline]
    pub(super) fn chunk(&self, lines: u32, nth: u32) -> Option<&Chunk> {
        if lines <= SEGMENT_CHUNKS * CHUNK_LINES {
            self.chunks.get(nth as usize)?.get()
        } else {
            self.descend(lines, nth)
        }
    }

    #[cold]
    fn descend(&self, lines: u32, nth: u32) -> Option<&Chunk> {
        let mut row = self;
        for level in (1..=height(lines / CHUNK_LINES)).rev() {
            let rows = row.above.get()?;
            let at = nth / ROW_LEN.pow(level) % ROW_LEN;
            row = rows.0.get(at as usize)?.get()?;
        }
        row.chunks.get((nth % ROW_LEN) as usize)?.get()
    }

    /// Makes this row, which nobody uses, the one of a segment of these chunks that no reader knows yet.
    pub(super) fn lead_to(&self, chunks: &[Chunk], depth: u32) -> Option<Segment<'_>> {
        let count = u32::try_from(chunks.len()).ok()?;
        if !(1..=SEGMENT_CHUNKS).contains(&count) {
            return None;
        }
        for (link, chunk) in self.chunks.iter().zip(chunks) {
            link.set(chunk);
        }
        let segment = Segment::new(self, count * CHUNK_LINES, depth);
        let capacity = u32::try_from(segment.capacity()).unwrap_or(u32::MAX);
        let entries = chunks.iter().map(Chunk::entries).sum();
        self.set_room(capacity.saturating_sub(entries));
        Some(segment)
    }

    /// How many more entries the segment may hold.
    #[inline]
    pub(super) fn room(&self) -> u32 {
        self.room.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_room(&self, room: u32) {
        self.room.0.store(room, Ordering::Relaxed);
    }
}

/// All segments' rows and chunks.
#[derive(Debug)]
pub(super) struct Segments {
    rows: Arena<Row>,
    further: Arena<Rows>,
    chunks: Arena<Chunk>,
}

impl Segments {
    pub(super) const fn new() -> Self {
        Self {
            rows: Arena::new(),
            further: Arena::new(),
            chunks: Arena::new(),
        }
    }

    #[inline]
    pub(super) fn row(&self, part: Part<Row>) -> &Row {
        part.get(&self.rows)
    }

    #[inline]
    pub(super) fn chunk(&self, part: Part<Chunk>) -> &Chunk {
        part.get(&self.chunks)
    }

    /// A row that nobody uses.
    pub(super) fn new_row(&self) -> Option<&Row> {
        self.rows.add(Box::new([Row::default()])).first()
    }

    /// Takes in chunks that were made elsewhere.
    pub(super) fn take_in(&self, chunks: LoadedChunks) -> Option<Parts<Chunk>> {
        match chunks.0 {
            Loaded::Copied(chunks) => Some(Parts::of(self.chunks.add(chunks.into_boxed_slice()))),
            Loaded::InPlace(pages) => self.chunks.adopt(pages).map(Parts::of),
        }
    }

    pub(super) fn chunks_of(&self, parts: &Parts<Chunk>) -> &[Chunk] {
        parts.get(&self.chunks)
    }
}

/// The chunks of a snapshot.
#[derive(Debug)]
pub struct LoadedChunks(Loaded);

#[derive(Debug)]
enum Loaded {
    Copied(Vec<Chunk>),
    InPlace(PrivatePages),
}

impl LoadedChunks {
    /// Chunks where they lie.
    #[must_use]
    pub const fn in_place(pages: PrivatePages) -> Self {
        Self(Loaded::InPlace(pages))
    }

    /// None yet.
    #[must_use]
    pub const fn none() -> Self {
        Self(Loaded::Copied(Vec::new()))
    }

    /// Adds the chunks of these bytes, which are as many as make whole ones.
    pub fn push(&mut self, bytes: &[u8]) {
        if let Loaded::Copied(chunks) = &mut self.0 {
            let (bytes, _) = bytes.as_chunks::<CHUNK_SIZE>();
            chunks.extend(bytes.iter().map(Chunk::from_bytes));
        }
    }
}

/// Levels of rows above the lowest.
fn height(chunks: u32) -> u32 {
    let mut level = 0;
    let mut below = ROW_LEN;
    while below < chunks {
        below = below.saturating_mul(ROW_LEN);
        level += 1;
    }
    level
}

/// The writer's half: free rows and chunks, and segments made and unmade of them.
#[derive(Debug)]
pub(super) struct SegmentPool {
    rows: Pool<Row>,
    further: Pool<Rows>,
    chunks: Pool<Chunk>,
}

impl SegmentPool {
    pub(super) const fn new() -> Self {
        Self {
            rows: Pool::new(8),
            further: Pool::new(8),
            chunks: Pool::new(64),
        }
    }

    /// Makes sure that segments with so many chunks can be made, side by side.
    pub(super) fn reserve(&mut self, from: &Segments, segments: usize, chunks: usize) {
        self.rows.reserve(&from.rows, segments);
        self.chunks.reserve(&from.chunks, chunks);
    }

    /// A segment without entries that no reader knows yet.
    pub(super) fn make_empty<'a>(
        &mut self,
        from: &'a Segments,
        chunks: u32,
        depth: u32,
    ) -> Segment<'a> {
        let segment = self.make(from, chunks, depth);
        for nth in 0..chunks {
            if let Some(chunk) = segment.row().chunk(segment.lines(), nth) {
                chunk.clear();
            }
        }
        segment
    }

    /// A segment that no reader knows yet, with whatever its lines were left with.
    pub(super) fn make<'a>(&mut self, from: &'a Segments, chunks: u32, depth: u32) -> Segment<'a> {
        let row = self.rows.take(&from.rows);
        let segment = Segment::new(row, chunks.saturating_mul(CHUNK_LINES), depth);
        self.fill_row(from, row, chunks, height(chunks));
        row.set_room(u32::try_from(segment.capacity()).unwrap_or(u32::MAX));
        segment
    }

    fn fill_row(&mut self, from: &Segments, row: &Row, chunks: u32, level: u32) {
        if level == 0 {
            for link in row.chunks.iter().take(chunks as usize) {
                link.set(self.chunks.take(&from.chunks));
            }
            return;
        }
        let rows = self.further.take(&from.further);
        for (link, below) in rows.0.iter().zip(shares(chunks, level)) {
            let child = self.rows.take(&from.rows);
            self.fill_row(from, child, below, level - 1);
            link.set(child);
        }
        row.above.set(rows);
    }

    /// Takes a segment apart that no reader can come to know any more.
    pub(super) fn unmake(&mut self, segment: Segment<'_>) {
        // Who still has a hint of it must not take it for what it was.
        segment.row().close();
        self.unmake_row(segment.row(), segment.chunks(), height(segment.chunks()));
    }

    fn unmake_row(&mut self, row: &Row, chunks: u32, level: u32) {
        if level == 0 {
            let links = row.chunks.iter().take(chunks as usize);
            for chunk in links.filter_map(Link::get) {
                self.chunks.put(chunk);
            }
        } else if let Some(rows) = row.above.get() {
            for (link, below) in rows.0.iter().zip(shares(chunks, level)) {
                if let Some(child) = link.get() {
                    self.unmake_row(child, below, level - 1);
                }
            }
            self.further.put(rows);
        }
        self.rows.put(row);
    }

    /// Counts segments and chunks that came from a snapshot.
    pub(super) const fn count(&mut self, segments: usize, chunks: usize) {
        self.rows.count(segments);
        self.chunks.count(chunks);
    }

    pub(super) const fn memory_bytes(&self) -> u64 {
        self.rows.memory_bytes() + self.further.memory_bytes() + self.chunks.memory_bytes()
    }
}

/// How `chunks` are dealt out to the rows below one of this level: how many lie below each.
fn shares(chunks: u32, level: u32) -> impl Iterator<Item = u32> {
    let each = ROW_LEN.pow(level);
    (0..chunks.div_ceil(each)).map(move |nth| (chunks - nth * each).min(each))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::ptr;

    #[test]
    fn a_row_is_two_cache_lines_and_one_for_the_writer() {
        #[cfg(target_pointer_width = "64")]
        assert_eq!(std::mem::offset_of!(Row, room), 128);
        assert_eq!(std::mem::offset_of!(Row, room) % 64, 0);
    }

    #[test]
    fn a_head_keeps_its_parts_and_never_comes_again() {
        let row = Row::default();
        let opened = |chunks, depth| {
            row.open(chunks, depth);
            row.segment_of(row.head())
        };
        let segment = opened(COUNT_MAX / CHUNK_LINES, 22);
        assert_eq!(
            (segment.chunks(), segment.depth()),
            (COUNT_MAX / CHUNK_LINES, 22)
        );
        let before = row.head();
        let segment = opened(1, 0);
        assert_eq!((segment.chunks(), segment.depth()), (1, 0));
        let after = row.head();
        row.close();
        row.open(1, 0);
        assert!(before != after && after != row.head());
    }

    /// Segments of every shape of rows have all their lines, each once, and give everything back.
    #[test]
    fn segments_are_made_and_unmade() {
        let segments = Segments::new();
        let mut pool = SegmentPool::new();
        let sizes: &[u32] = if cfg!(miri) {
            &[1, 14, 15, 40]
        } else {
            &[1, 2, 13, 14, 15, 195, 196, 197, 300, 2744, 2745]
        };
        for &chunks in sizes {
            let segment = pool.make(&segments, chunks, 3);
            let lines: HashSet<_> = (0..segment.lines())
                .map(|nth| ptr::from_ref(segment.line(nth).unwrap()))
                .collect();
            assert_eq!(lines.len(), segment.lines() as usize);
            pool.unmake(segment);
        }
        let before = pool.memory_bytes();
        let largest = pool.make(&segments, *sizes.last().unwrap(), 0);
        assert_eq!(
            pool.memory_bytes(),
            before,
            "nothing new is needed for a size that was there"
        );
        pool.unmake(largest);
    }
}
