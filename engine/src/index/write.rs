//! The one writer's half of an index.
//!
//! Each line says exactly how many entries went past it, removals included: so a search is as short after any number of
//! changes as it was in a new index, and nothing is ever marked as removed.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::extent::Extent;
use super::line::Gathered;
use super::read::{Found, Index};
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
    /// Where entries are on their way from one segment to another; kept for the next time.
    pub(super) gathered: Gathered,
}

impl IndexWriter {
    pub(super) fn new(index: Arc<Index>, pool: SegmentPool) -> Self {
        let writer = Self {
            index,
            pool,
            segment_count: 1,
            in_leaps: false,
            gathered: Gathered::default(),
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
        let Ok(found) = self
            .index
            .search_now(tag, |extent| Ok::<_, Infallible>(same(extent)));
        if let Some((_, found)) = found {
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
        same: impl FnMut(Extent) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let tag = self.index.mixer.tag(hash);
        let absent = self.index.search_now(tag, same)?.is_none();
        if absent {
            self.insert(tag, new);
        }
        Ok(absent)
    }

    /// Removes the extent for `hash` for which `same` says true, and returns it.
    pub fn remove(&mut self, hash: u64, mut same: impl FnMut(Extent) -> bool) -> Option<Extent> {
        let tag = self.index.mixer.tag(hash);
        let Ok(found) = self
            .index
            .search_now(tag, |extent| Ok::<_, Infallible>(same(extent)));
        let (segment, found) = found?;
        self.index.vacate(segment, tag, found);
        self.index.count_removed(segment, 1);
        Some(found.extent)
    }

    /// Stores an entry that is not there yet.
    fn insert(&mut self, tag: u32, extent: Extent) {
        if let Some(place) = self.index.directory.place(tag)
            && u64::from(self.index.segments.entries(place.segment)) >= place.segment.capacity()
        {
            self.grow(tag, place.segment);
        }
        let index = &*self.index;
        let Some(segment) = index.directory.place(tag).map(|place| place.segment) else {
            return;
        };
        let mut route = segment.route(tag);
        // There is an empty place: a segment's capacity is below the number of its places.
        while let Some(line) = index.segments.line(segment, route.at) {
            if let Some(place) = line.vacancy() {
                line.store(place, tag, extent);
                break;
            }
            line.pass(tag);
            route.advance();
        }
        index
            .segments
            .set_entries(segment, index.segments.entries(segment) + 1);
        index.counters.len.store(index.len() + 1, Ordering::Relaxed);
    }

    /// Brings what [`Index::memory_bytes`] says up to date.
    pub(super) fn count_memory(&self) {
        let structs = size_of::<Index>() + size_of::<Self>();
        let bytes = structs as u64
            + self.index.directory.memory_bytes()
            + self.pool.memory_bytes()
            + self.gathered.memory_bytes();
        self.index
            .counters
            .memory_bytes
            .store(bytes, Ordering::Relaxed);
    }
}

/// What only the writer may call.
impl Index {
    /// The entry with `tag` that `same` accepts, and its segment, which nobody but the caller can replace.
    #[inline]
    fn search_now<E>(
        &self,
        tag: u32,
        mut same: impl FnMut(Extent) -> Result<bool, E>,
    ) -> Result<Option<(Segment, Found<'_>)>, E> {
        let Some(segment) = self.directory.place(tag).map(|place| place.segment) else {
            return Ok(None);
        };
        Ok(self
            .search(segment, tag, &mut same)?
            .map(|found| (segment, found)))
    }

    pub(super) fn for_each_segment(&self, mut visit: impl FnMut(u32, Segment)) {
        let mut next = Some(0);
        while let Some(tag) = next {
            let Some(segment) = self.directory.place(tag).map(|place| place.segment) else {
                return;
            };
            visit(tag, segment);
            next = segment.tag_after(tag);
        }
    }

    fn vacate(&self, segment: Segment, tag: u32, found: Found<'_>) {
        found.line.vacate(found.place);
        let mut route = segment.route(tag);
        while route.at != found.at
            && let Some(line) = self.segments.line(segment, route.at)
        {
            line.unpass(tag);
            route.advance();
        }
    }

    fn count_removed(&self, segment: Segment, removed: u32) {
        let entries = self.segments.entries(segment);
        self.segments
            .set_entries(segment, entries.saturating_sub(removed));
        self.counters.len.store(
            self.len().saturating_sub(u64::from(removed)),
            Ordering::Relaxed,
        );
    }
}
