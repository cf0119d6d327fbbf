//! Segments of a snapshot that nobody has looked for yet.
//!
//! Invariant: until a segment was seen to have the checksum it was stored with, or was made again of its entries, no slot of the directory
//! leads to it, so nothing is found in it and nothing is stored to it. It is published once.
//!
//! Whoever meets an empty slot wakes the segment, a reader too: so opening costs the same however large the index is.

use crate::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::arena::Parts;
use super::chunk::Chunk;
use super::extent::Extent;
use super::read::Index;
use super::segment::{DEPTH_MAX, Pair, SEGMENT_CHUNKS};
use super::write::insert;
use crate::format::SnapshotSegment;

/// The segments that came with a snapshot, awake or not.
#[derive(Debug)]
pub(super) struct Dormant {
    chunks: Parts<Chunk>,
    segments: Box<[Place]>,
    sleep: Mutex<Box<[Sleep]>>,
    /// Whether there are segments that could not be woken.
    has_damage: AtomicBool,
}

/// One segment: which tags it is of, and where its chunks lie.
#[derive(Debug, Clone, Copy)]
struct Place {
    first_tag: u32,
    first_chunk: u32,
    stored: SnapshotSegment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleep {
    Asleep,
    Damaged,
    Awake,
}

/// The shape of an index whose segments were stored: what its parts need, or `None` if it is not one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) depth: u32,
    pub(super) chunks: usize,
}

impl Shape {
    /// Segments are each as deep as their place allows, cover all tags together, and are not much fewer than slots.
    pub(super) fn of(segments: &[SnapshotSegment]) -> Option<Self> {
        let mut depth_max = 0;
        let (mut tags, mut chunks) = (0_u64, 0);
        for segment in segments {
            let depth = u32::from(segment.depth);
            if depth > DEPTH_MAX || !(1..=SEGMENT_CHUNKS).contains(&u32::from(segment.chunks)) {
                return None;
            }
            let span = 1_u64 << (u32::BITS - depth);
            if tags % span != 0 || tags > u64::from(u32::MAX) {
                return None;
            }
            tags += span;
            depth_max = depth_max.max(depth);
            chunks += usize::from(segment.chunks);
        }
        let slots = 1_u64 << depth_max;
        let allowed = u64::try_from(segments.len()).ok()?.saturating_mul(SLOTS);
        let is_whole = tags == 1 << u32::BITS && slots <= allowed;
        is_whole.then_some(Self {
            depth: depth_max,
            chunks,
        })
    }
}

/// Slots of the directory for each segment, at most: as many as growing leaves, and one doubling.
const SLOTS: u64 = 16;

impl Dormant {
    /// The segments stored so, in chunks that are as many as they need.
    pub(super) fn new(chunks: Parts<Chunk>, stored: &[SnapshotSegment]) -> Self {
        let (mut first_tag, mut first_chunk) = (0_u32, 0);
        let segments = stored.iter().map(|&stored| {
            let place = Place {
                first_tag,
                first_chunk,
                stored,
            };
            let span = 1_u64 << (u32::BITS - u32::from(stored.depth));
            first_tag = first_tag.wrapping_add((span & 0xffff_ffff) as u32);
            first_chunk += u32::from(stored.chunks);
            place
        });
        Self {
            chunks,
            segments: segments.collect(),
            sleep: Mutex::new(vec![Sleep::Asleep; stored.len()].into_boxed_slice()),
            has_damage: AtomicBool::new(false),
        }
    }

    pub(super) fn has_damage(&self) -> bool {
        self.has_damage.load(Ordering::Acquire)
    }

    /// Publishes the segment of `tag` if it has its checksum; says whether it is awake.
    pub(super) fn wake(&self, index: &Index, tag: u32) -> bool {
        let nth = self.nth(tag);
        self.wake_nth(index, &mut self.lock(), nth)
    }

    /// The same for all of them.
    pub(super) fn wake_all(&self, index: &Index) -> bool {
        let mut all = true;
        for nth in 0..self.segments.len() {
            all &= self.wake_nth(index, &mut self.lock(), nth);
        }
        all
    }

    /// The tag behind the segment of `tag`.
    pub(super) fn tag_after(&self, tag: u32) -> Option<u32> {
        Some(self.segments.get(self.nth(tag) + 1)?.first_tag)
    }

    /// The number of the segment of `tag` if that is damaged.
    pub(super) fn damaged(&self, tag: u32) -> Option<usize> {
        let nth = self.nth(tag);
        (self.lock().get(nth) == Some(&Sleep::Damaged)).then_some(nth)
    }

    /// The numbers of all that are.
    pub(super) fn all_damaged(&self) -> Vec<usize> {
        let all = self.lock();
        let damaged = |(nth, sleep): (usize, &Sleep)| (*sleep == Sleep::Damaged).then_some(nth);
        all.iter().enumerate().filter_map(damaged).collect()
    }

    /// Makes a damaged segment again, of all its entries; says whether they fit.
    pub(super) fn mend(&self, index: &Index, nth: usize, entries: &[(u32, Extent)]) -> bool {
        let mut all = self.lock();
        let (Some(sleep), Some(place)) = (all.get_mut(nth), self.segments.get(nth)) else {
            return false;
        };
        if *sleep == Sleep::Awake {
            return true;
        }
        let chunks = self.chunks_of(index, place);
        chunks.iter().for_each(Chunk::clear);
        let row = index.segments.new_row();
        let Some(segment) = row.and_then(|row| row.lead_to(chunks, place.stored.depth.into()))
        else {
            return false;
        };
        if u32::try_from(entries.len()).map_or(true, |len| len > segment.row().room()) {
            return false;
        }
        for &(tag, extent) in entries {
            let home = segment.home(tag);
            if let Some(chunk) = segment.chunk_of(home) {
                insert(segment, Pair::of(chunk, home), tag, extent);
            }
        }
        index.directory.publish(place.first_tag, segment);
        *sleep = Sleep::Awake;
        if !all.contains(&Sleep::Damaged) {
            self.has_damage.store(false, Ordering::Release);
        }
        true
    }

    fn wake_nth(&self, index: &Index, all: &mut [Sleep], nth: usize) -> bool {
        let (Some(sleep), Some(place)) = (all.get_mut(nth), self.segments.get(nth)) else {
            return false;
        };
        if *sleep == Sleep::Asleep {
            let chunks = self.chunks_of(index, place);
            let mut hasher = crc32fast::Hasher::new();
            for chunk in chunks {
                hasher.update(&chunk.to_bytes());
            }
            let is_sound = hasher.finalize().to_le_bytes() == place.stored.checksum;
            let row = index.segments.new_row().filter(|_| is_sound);
            let segment = row.and_then(|row| row.lead_to(chunks, place.stored.depth.into()));
            if let Some(segment) = segment {
                index.directory.publish(place.first_tag, segment);
                *sleep = Sleep::Awake;
            } else {
                *sleep = Sleep::Damaged;
                self.has_damage.store(true, Ordering::Release);
            }
        }
        *sleep == Sleep::Awake
    }

    /// The segment that `tag` belongs to; the first one starts at 0.
    fn nth(&self, tag: u32) -> usize {
        let behind = self
            .segments
            .partition_point(|place| place.first_tag <= tag);
        behind.saturating_sub(1)
    }

    fn chunks_of<'a>(&self, index: &'a Index, place: &Place) -> &'a [Chunk] {
        let first = place.first_chunk as usize;
        let range = first..first + usize::from(place.stored.chunks);
        let chunks = index.segments.chunks_of(&self.chunks);
        chunks.get(range).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Box<[Sleep]>> {
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
