//! The one writer's half of an index.
//!
//! Each line says exactly how many entries went past it, removals included: so a search is as short after any number of
//! changes as it was in a new index, and nothing is ever marked as removed.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::extent::Extent;
use super::read::{Found, Index, search};
use super::segment::Segment;
use super::segments::SegmentPool;

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

    /// Stores `new` for `hash`: in the place of the extent for which `same` says true, which is returned, or else beside
    /// what is there.
    #[inline]
    pub fn put(
        &mut self,
        hash: u64,
        new: Extent,
        mut same: impl FnMut(Extent) -> bool,
    ) -> Option<Extent> {
        let tag = self.index.mixer.tag(hash);
        let mut same = |extent| Ok::<_, Infallible>(same(extent));
        let segment = self.index.directory.segment(tag)?;
        if let Ok(Some(found)) = search(segment, tag, &mut same) {
            found.line.replace(found.place, tag, new);
            return Some(found.extent);
        }
        self.insert(tag, new);
        None
    }

    /// Stores `new` for `hash` unless there is an extent for which `same` says true; says whether it did. The first error
    /// of `same` ends it, with nothing stored.
    #[inline]
    pub fn put_if_absent<E>(
        &mut self,
        hash: u64,
        new: Extent,
        mut same: impl FnMut(Extent) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let tag = self.index.mixer.tag(hash);
        let Some(segment) = self.index.directory.segment(tag) else {
            return Ok(false);
        };
        let absent = search(segment, tag, &mut same)?.is_none();
        if absent {
            self.insert(tag, new);
        }
        Ok(absent)
    }

    /// Removes the extent for `hash` for which `same` says true, and returns it.
    pub fn remove(&mut self, hash: u64, mut same: impl FnMut(Extent) -> bool) -> Option<Extent> {
        let tag = self.index.mixer.tag(hash);
        let mut same = |extent| Ok::<_, Infallible>(same(extent));
        let segment = self.index.directory.segment(tag)?;
        let Ok(found) = search(segment, tag, &mut same);
        let found = found?;
        vacate(segment, tag, found);
        segment.row().set_room(segment.row().room() + 1);
        let len = self.index.len().saturating_sub(1);
        self.index.counters.len.store(len, Ordering::Relaxed);
        Some(found.extent)
    }

    /// Stores an entry that is not there yet.
    #[inline]
    fn insert(&mut self, tag: u32, extent: Extent) {
        if self
            .index
            .directory
            .segment(tag)
            .is_some_and(|segment| segment.row().room() == 0)
        {
            self.grow(tag);
        }
        let Some(segment) = self.index.directory.segment(tag) else {
            return;
        };
        let home = segment.home(tag);
        let (Some(first), Some(second)) = (segment.line(home), segment.line(Segment::twin(home)))
        else {
            return;
        };
        // Which of the two has a place left cannot be predicted, so that there is no branch on it.
        let vacancies = [first.vacancies(), second.vacancies()];
        let full = vacancies[0] == 0;
        let place = vacancies[usize::from(full)];
        first.pass_if(tag, full);
        if place != 0 {
            [first, second][usize::from(full)].store(place.trailing_zeros(), tag, extent);
        } else {
            insert_further(segment, tag, extent);
        }
        let row = segment.row();
        row.set_room(row.room().saturating_sub(1));
        let len = self.index.len() + 1;
        self.index.counters.len.store(len, Ordering::Relaxed);
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

/// What only the writer may call.
impl Index {
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

/// Goes on behind the first two lines, which are full; it went past the first already.
#[inline(never)]
fn insert_further(segment: Segment<'_>, tag: u32, extent: Extent) {
    let mut route = segment.route(tag);
    // There is an empty place: a segment's capacity is below the number of its places.
    while route.advance()
        && let Some(line) = segment.line(route.at)
    {
        let vacancies = line.vacancies();
        if vacancies != 0 {
            line.store(vacancies.trailing_zeros(), tag, extent);
            break;
        }
        line.pass_if(tag, true);
    }
}

/// Empties the place of an entry, and takes back that it went past the lines before.
fn vacate(segment: Segment<'_>, tag: u32, found: Found<'_>) {
    found.line.vacate(found.place);
    let mut route = segment.route(tag);
    while route.at != found.at
        && let Some(line) = segment.line(route.at)
    {
        line.unpass(tag);
        route.advance();
    }
}
