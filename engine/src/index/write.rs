//! The one writer's half of an index.
//!
//! Each line says exactly how many entries went past it, removals included: so a search is as short after any number of
//! changes as it was in a new index, and nothing is ever marked as removed.

use crate::atomic::Ordering;
use std::convert::Infallible;
use std::sync::Arc;

use super::arena::Part;
use super::chunk::Chunk;
use super::extent::Extent;

use super::read::{Found, Index, search, search_from};
use super::segment::{Pair, Segment};
use super::segments::{Row, SegmentPool};
use super::word::Candidate;
use crate::kernels::prefetch;

/// The one writer of an [`Index`].
#[derive(Debug)]
pub struct IndexWriter {
    pub(super) index: Arc<Index>,
    pub(super) pool: SegmentPool,
    pub(super) segment_count: u64,
    /// Whether memory is spent to save time, as long as an index is being built.
    pub(super) in_leaps: bool,
}

impl IndexWriter {
    pub(super) fn new(index: Arc<Index>, pool: SegmentPool) -> Self {
        let writer = Self {
            index,
            pool,
            segment_count: 1,
            in_leaps: false,
        };
        writer.count_memory();
        writer
    }

    /// What readers share.
    #[must_use]
    pub const fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// Finds out where the entry of `hash` would lie, and brings that nearer; worth it some lookups ahead of
    /// [`put_at`](Self::put_at).
    #[inline]
    pub fn hint(&self, hash: u64) -> Hint {
        let tag = self.index.mixer.tag(hash);
        let place = self.index.directory.place(tag).and_then(|place| {
            let home = place.segment.home(tag);
            let chunk = place.segment.chunk_of(home)?;
            prefetch(chunk.line(home));
            prefetch(chunk.line(Segment::twin(home)));
            Some(HintedPlace {
                row: Part::of(place.segment.row()),
                head: place.head,
                chunk: Part::of(chunk),
                home,
            })
        });
        Hint { tag, place }
    }

    /// Some lookups after the hint and some before it is followed: brings the lines nearer in which an entry would go on if the
    /// first two are full.
    #[inline]
    pub fn prefetch_further(&self, hint: Hint) {
        if let Some((segment, pair)) = self.index.follow(hint)
            && pair.first.vacancies() | pair.second.vacancies() == 0
        {
            let mut route = segment.route(hint.tag);
            route.advance();
            for _ in 0..FURTHER_LINES {
                route.advance();
                if let Some(line) = segment.line(route.at) {
                    prefetch(line);
                }
            }
        }
    }

    /// Stores `new` for `hash`: in the place of the extent for which `same` says true, which is returned, or else beside
    /// what is there.
    #[inline]
    pub fn put(
        &mut self,
        hash: u64,
        new: Extent,
        same: impl FnMut(Extent) -> bool,
    ) -> Option<Extent> {
        self.put_at(self.hint(hash), new, same)
    }

    /// As [`put`](Self::put), for the hash that the hint was of.
    #[inline]
    pub fn put_at(
        &mut self,
        hint: Hint,
        new: Extent,
        mut same: impl FnMut(Extent) -> bool,
    ) -> Option<Extent> {
        let mut replaced = None;
        let Ok(_) = self.search_and_insert(
            hint,
            new,
            |extent| Ok::<_, Infallible>(same(extent)),
            |found, tag| {
                found.line.replace(found.place, tag, new);
                replaced = Some(found.candidate.extent());
            },
        );
        replaced
    }

    /// Stores `new` for `hash` unless there is an extent for which `same` says true; says whether it did. The first error
    /// of `same` ends it, with nothing stored.
    #[inline]
    pub fn put_if_absent<E>(
        &mut self,
        hash: u64,
        new: Extent,
        same: impl FnMut(Extent) -> Result<bool, E>,
    ) -> Result<bool, E> {
        self.search_and_insert(self.hint(hash), new, same, |_, _| {})
    }

    /// Stores `new`, or shows what `same` accepts and its tag; says whether it stored.
    #[inline]
    fn search_and_insert<E>(
        &mut self,
        hint: Hint,
        new: Extent,
        mut same: impl FnMut(Extent) -> Result<bool, E>,
        found: impl FnOnce(Found<'_>, u32),
    ) -> Result<bool, E> {
        let tag = hint.tag;
        let Some((segment, pair)) = self.index.follow(hint) else {
            return Ok(false);
        };
        let mut check = |candidate: Candidate| Ok(same(candidate.extent())?.then_some(()));
        if let Some((at, ())) = search_from(segment, pair.first, tag, &mut check)? {
            found(at, tag);
            return Ok(false);
        }
        if segment.row().room() > 0 {
            insert(segment, pair, tag, new);
        } else {
            self.grow(tag);
            if let Some(segment) = self.index.directory.segment(tag)
                && let Some(pair) = segment.pair(segment.home(tag))
            {
                insert(segment, pair, tag, new);
            }
        }
        let len = self.index.len() + 1;
        self.index.counters.len.store(len, Ordering::Relaxed);
        Ok(true)
    }

    /// Removes the extent for `hash` for which `same` says true, and returns it.
    pub fn remove(&mut self, hash: u64, mut same: impl FnMut(Extent) -> bool) -> Option<Extent> {
        let tag = self.index.mixer.tag(hash);
        let mut check = |candidate: Candidate| {
            let extent = candidate.extent();
            Ok::<_, Infallible>(same(extent).then_some(extent))
        };
        let segment = self.index.directory.segment(tag)?;
        let Ok(found) = search(segment, tag, &mut check);
        let (found, extent) = found?;
        vacate(segment, tag, found);
        segment.row().set_room(segment.row().room() + 1);
        let len = self.index.len().saturating_sub(1);
        self.index.counters.len.store(len, Ordering::Relaxed);
        Some(extent)
    }

    /// Brings what [`Index::memory_bytes`] says up to date.
    pub(super) fn count_memory(&self) {
        let structs = size_of::<Index>() + size_of::<Self>();
        let bytes = structs as u64 + self.index.directory.memory_bytes() + self.pool.memory_bytes();
        self.index
            .counters
            .memory_bytes
            .store(bytes, Ordering::Relaxed);
    }
}

/// Lines behind full ones that are worth bringing along: the first of them is full as well nearly every other time.
const FURTHER_LINES: u32 = 3;

/// Where an entry would lie, from [`IndexWriter::hint`].
#[derive(Debug, Clone, Copy)]
pub struct Hint {
    tag: u32,
    place: Option<HintedPlace>,
}

#[derive(Debug, Clone, Copy)]
struct HintedPlace {
    row: Part<Row>,
    head: u64,
    chunk: Part<Chunk>,
    home: u32,
}

/// What only the writer may call.
impl Index {
    /// The segment and the lines of a hint, or of its tag if the segment was replaced since.
    #[inline]
    fn follow(&self, hint: Hint) -> Option<(Segment<'_>, Pair<'_>)> {
        if let Some(place) = hint.place {
            let row = self.segments.row(place.row);
            if row.head() == place.head {
                let chunk = self.segments.chunk(place.chunk);
                return Some((row.segment_of(place.head), Pair::of(chunk, place.home)));
            }
        }
        let segment = self.directory.segment(hint.tag)?;
        Some((segment, segment.pair(segment.home(hint.tag))?))
    }

    pub(super) fn for_each_segment(&self, mut visit: impl FnMut(u32, Segment<'_>)) {
        let mut next = Some(0);
        while let Some(tag) = next {
            let Some(segment) = self.directory.segment(tag) else {
                return;
            };
            visit(tag, segment);
            next = segment.tag_after(tag);
        }
    }
}

/// Stores an entry that is not there yet in `segment`, which has room for it, and whose first two lines for it are `pair`.
#[inline]
pub(super) fn insert(segment: Segment<'_>, pair: Pair<'_>, tag: u32, extent: Extent) {
    let row = segment.row();
    row.set_room(row.room().saturating_sub(1));
    let vacancies = pair.first.vacancies();
    if vacancies != 0 {
        pair.first.store(vacancies.trailing_zeros(), tag, extent);
        return;
    }
    pair.first.pass(tag);
    let vacancies = pair.second.vacancies();
    if vacancies != 0 {
        pair.second.store(vacancies.trailing_zeros(), tag, extent);
    } else {
        pair.second.pass(tag);
        insert_further(segment, tag, extent);
    }
}

/// Goes on behind the first two lines, which are full.
#[inline(never)]
fn insert_further(segment: Segment<'_>, tag: u32, extent: Extent) {
    let mut route = segment.route(tag);
    route.advance();
    // There is an empty place: a segment's capacity is below the number of its places.
    while route.advance()
        && let Some(line) = segment.line(route.at)
    {
        let vacancies = line.vacancies();
        if vacancies != 0 {
            line.store(vacancies.trailing_zeros(), tag, extent);
            break;
        }
        line.pass(tag);
    }
}

/// Empties the place of an entry, and takes back that it went past the lines before.
fn vacate(segment: Segment<'_>, tag: u32, found: Found<'_>) {
    found.line.vacate(found.place);
    let mut route = segment.route(tag);
    for _ in 0..found.past {
        if let Some(line) = segment.line(route.at) {
            line.unpass(tag);
        }
        route.advance();
    }
}
