//! The half of an index that everyone shares: finding and visiting extents beside a writer.
//!
//! Nothing here stores to shared memory or waits. A reader looks again only when the very segment it was in was replaced meanwhile,
//! which takes hundreds of insertions into that segment.

use crate::atomic::{AtomicU64, Ordering};
use std::hint;
use std::sync::Arc;

use super::directory::Directory;
use super::dormant::Dormant;
use super::extent::Extent;
use super::line::Line;

use super::segment::{Segment, chunks_for};
use super::segments::{SegmentPool, Segments};
use super::tag::Mixer;
use super::word::{self, Candidate};
use super::write::IndexWriter;
use crate::kernels::prefetch;

/// Key hash → extent of the newest entry, for any number of readers beside one [`IndexWriter`].
///
/// Only 32 bits of a hash are kept; callers compare the whole one in the file, wherever this asks for a `check`.
#[derive(Debug)]
pub struct Index {
    pub(super) mixer: Mixer,
    pub(super) directory: Directory,
    pub(super) segments: Segments,
    pub(super) counters: Counters,
    /// Segments that came from a snapshot, if the index did.
    pub(super) dormant: Option<Dormant>,
}

/// What the writer changes often, away from what readers need.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Counters {
    pub(super) len: AtomicU64,
    pub(super) memory_bytes: AtomicU64,
}

/// An entry where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) line: &'a Line,
    pub(super) place: u32,
    pub(super) candidate: Candidate,
    /// How many lines it went past.
    pub(super) past: u32,
}

/// What a first look says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance<R> {
    /// What was made of the candidate.
    Found(R),
    /// There is none.
    Absent,
    /// Only the whole search can tell.
    Unsure,
}

impl Index {
    /// An empty index, and the one writer it will ever have.
    #[must_use]
    pub fn create() -> (Arc<Self>, IndexWriter) {
        Self::with_mixer(Mixer::random())
    }

    pub(super) fn with_mixer(mixer: Mixer) -> (Arc<Self>, IndexWriter) {
        let index = Arc::new(Self {
            mixer,
            directory: Directory::new(),
            segments: Segments::new(),
            counters: Counters::default(),
            dormant: None,
        });
        let mut pool = SegmentPool::new();
        let first = pool.make_empty(&index.segments, chunks_for(0), 0);
        index.directory.publish(0, first);
        let writer = IndexWriter::new(Arc::clone(&index), pool);
        (index, writer)
    }

    /// How many extents there are: the live keys, once a store is open.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.counters.len.load(Ordering::Relaxed)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All memory of the index and its writer in bytes, whether in use, in reserve or left behind by growth; an
    /// allocator's own overhead aside.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.counters.memory_bytes.load(Ordering::Relaxed)
    }

    /// The extent stored for `hash` that `check` accepts, which compares the whole hash in the file; the first error of
    /// `check` ends the search. `check` sees few others: one in hundreds of searches, at millions of keys.
    ///
    /// An extent that is stored before this is called and not removed is found, whatever the writer does meanwhile; but nothing is in
    /// a segment that [has damage](Self::has_damage).
    #[inline]
    pub fn find<E>(
        &self,
        hash: u64,
        mut check: impl FnMut(Extent) -> Result<bool, E>,
    ) -> Result<Option<Extent>, E> {
        self.find_map(hash, |candidate| {
            let extent = candidate.extent();
            Ok(check(extent)?.then_some(extent))
        })
    }

    /// As [`find`](Self::find), for what `check` makes of the candidate that it accepts.
    pub fn find_map<R, E>(
        &self,
        hash: u64,
        mut check: impl FnMut(Candidate) -> Result<Option<R>, E>,
    ) -> Result<Option<R>, E> {
        let tag = self.mixer.tag(hash);
        loop {
            let Some(place) = self.directory.place(tag) else {
                if !self.wake(tag) {
                    return Ok(None);
                }
                hint::spin_loop();
                continue;
            };
            let found = search(place.segment, tag, &mut check)?;
            if place.is_unchanged() {
                return Ok(found.map(|(_, made)| made));
            }
        }
    }

    /// The beginning of [`find_map`](Self::find_map), which nearly every search does not go past: the first candidate of the home
    /// line. In as few instructions as can be, and without a call: the processor looks some hundreds ahead, and waits for the memory
    /// of as many searches at a time as these are.
    #[inline]
    pub fn glance<R>(&self, hash: u64, check: impl FnOnce(Candidate) -> Option<R>) -> Glance<R> {
        let tag = self.mixer.tag(hash);
        if let Some(place) = self.directory.place(tag)
            && let Some(home) = place.segment.line(place.segment.home(tag))
        {
            if let Some(nth) = home.matches(tag).next() {
                if let Some(candidate) = home.candidate(nth, tag)
                    && let Some(made) = check(candidate)
                    && place.is_unchanged()
                {
                    return Glance::Found(made);
                }
            } else if !home.was_passed(tag) && place.is_unchanged() {
                return Glance::Absent;
            }
        }
        Glance::Unsure
    }

    /// Brings the two lines nearer in which nearly every search for `hash` ends; worth it some lookups ahead of
    /// [`find`](Self::find) or an insertion.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        let tag = self.mixer.tag(hash);
        if let Some(segment) = self.directory.segment(tag)
            && let Some(pair) = segment.pair(segment.home(tag))
        {
            prefetch(pair.first);
            prefetch(pair.second);
        }
    }

    /// Visits every extent, in no order that means anything.
    ///
    /// It may run beside the writer: an extent that is stored all the while is visited. One that is put in another's
    /// place, removed or added meanwhile may or may not be; a key that is removed and added again may be visited twice.
    pub fn for_each(&self, mut visit: impl FnMut(Extent)) {
        let mut extents = Vec::new();
        let mut next = Some(0);
        while let Some(tag) = next {
            let Some(place) = self.directory.place(tag) else {
                if !self.wake(tag) {
                    next = self.dormant.as_ref().and_then(|all| all.tag_after(tag));
                }
                hint::spin_loop();
                continue;
            };
            extents.clear();
            let words = |_, word| extents.extend(word::extent(word));
            place.segment.for_each(words);
            if place.is_unchanged() {
                extents.iter().copied().for_each(&mut visit);
                // Segments only split, so where one ended another always starts.
                next = place.segment.tag_after(tag);
            }
        }
    }
}

/// The entry with `tag` in `segment` that `check` accepts, and what it made of it.
#[inline]
pub(super) fn search<'a, R, E>(
    segment: Segment<'a>,
    tag: u32,
    check: &mut impl FnMut(Candidate) -> Result<Option<R>, E>,
) -> Result<Option<(Found<'a>, R)>, E> {
    match segment.line(segment.home(tag)) {
        Some(line) => search_from(segment, line, tag, check),
        None => Ok(None),
    }
}

/// The same for who has the home line at hand.
#[inline]
pub(super) fn search_from<'a, R, E>(
    segment: Segment<'a>,
    home: &'a Line,
    tag: u32,
    check: &mut impl FnMut(Candidate) -> Result<Option<R>, E>,
) -> Result<Option<(Found<'a>, R)>, E> {
    if let Some(found) = search_line(home, 0, tag, check)? {
        return Ok(Some(found));
    }
    if home.was_passed(tag) {
        search_further(segment, tag, check)
    } else {
        Ok(None)
    }
}

/// Goes on behind the home line, out of the way of most searches.
#[inline(never)]
fn search_further<'a, R, E>(
    segment: Segment<'a>,
    tag: u32,
    check: &mut impl FnMut(Candidate) -> Result<Option<R>, E>,
) -> Result<Option<(Found<'a>, R)>, E> {
    let mut route = segment.route(tag);
    let mut past = 0;
    while route.advance()
        && let Some(line) = segment.line(route.at)
    {
        past += 1;
        let found = search_line(line, past, tag, check)?;
        if found.is_some() || !line.was_passed(tag) {
            return Ok(found);
        }
    }
    Ok(None)
}

#[inline]
fn search_line<'a, R, E>(
    line: &'a Line,
    past: u32,
    tag: u32,
    check: &mut impl FnMut(Candidate) -> Result<Option<R>, E>,
) -> Result<Option<(Found<'a>, R)>, E> {
    for place in line.matches(tag) {
        if let Some(candidate) = line.candidate(place, tag)
            && let Some(made) = check(candidate)?
        {
            let found = Found {
                line,
                place,
                candidate,
                past,
            };
            return Ok(Some((found, made)));
        }
    }
    Ok(None)
}
