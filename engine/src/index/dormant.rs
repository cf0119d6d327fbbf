//! Segments of a snapshot that nobody has looked for yet.
//!
//! Invariant: until a segment was seen to have the checksum it was stored with, or was made again of its entries, no slot of the directory
//! leads to it, so nothing is found in it and nothing is stored to it. It is published once.
//!
//! Whoever meets an empty slot wakes the segment, a reader too: so opening costs the same however large the index is.

use crate::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::arena::Parts;
use super::chunk::Chunk;
use super::extent::Extent;
use super::read::Index;
use super::segment::{DEPTH_MAX, Pair, SEGMENT_CHUNKS, most_in};
use super::word;
use super::write::insert;
use crate::backing::{BeforeReads, PREPARES};
use crate::format::{METADATA_SIZE, SnapshotSegment};

/// The segments that came with a snapshot, awake or not.
#[derive(Debug)]
pub(super) struct Dormant {
    chunks: Parts<Chunk>,
    stored: Vec<SnapshotSegment>,
    /// Where every [`GROUP`]th of them starts.
    groups: Vec<Start>,
    sleep: Mutex<Box<[Sleep]>>,
    /// To be called before more than [`FEW`] of them are awake, or all, or they are mended.
    before_reads: Mutex<Option<Hook>>,
    /// The tail that the snapshot was made at: no entry of it ends behind that.
    tail: u64,
    /// How many segments are not awake.
    asleep: AtomicUsize,
    /// Whether there ever was a segment that could not be woken: who did not find a key in it and asks later has to learn that.
    has_damage: AtomicBool,
}

/// Segments of which only the first one's start is kept: few to count through, and little to make when a store is opened.
const GROUP: usize = 32;

/// Segments that are woken before it pays to prepare for reads here and there: a program that asks for a key or two ends before.
const FEW: usize = 8;

/// Which tags a segment is of, from one on, and where its chunks lie.
#[derive(Debug, Default, Clone, Copy)]
struct Start {
    tag: u32,
    chunk: u32,
}

impl Start {
    /// Where the segment behind this one starts.
    const fn after(self, stored: SnapshotSegment) -> Self {
        let span = 1_u64 << (u32::BITS - stored.depth as u32);
        Self {
            tag: self.tag.wrapping_add((span & 0xffff_ffff) as u32),
            chunk: self.chunk + stored.chunks as u32,
        }
    }
}

struct Hook(BeforeReads);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleep {
    Asleep,
    Damaged,
    /// Damaged, and not to be mended either.
    Lost,
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
    pub(super) fn new(chunks: Parts<Chunk>, stored: Vec<SnapshotSegment>, tail: u64) -> Self {
        let mut start = Start::default();
        let mut groups = Vec::with_capacity(stored.len().div_ceil(GROUP));
        for (nth, &stored) in stored.iter().enumerate() {
            if nth % GROUP == 0 {
                groups.push(start);
            }
            start = start.after(stored);
        }
        Self {
            chunks,
            groups,
            sleep: Mutex::new(vec![Sleep::Asleep; stored.len()].into_boxed_slice()),
            before_reads: Mutex::new(None),
            tail,
            asleep: AtomicUsize::new(stored.len()),
            stored,
            has_damage: AtomicBool::new(false),
        }
    }

    pub(super) fn call_before_reads(&self, hook: BeforeReads) {
        let slot = self.before_reads.lock();
        *slot.unwrap_or_else(PoisonError::into_inner) = Some(Hook(hook));
    }

    #[inline]
    pub(super) fn are_all_awake(&self) -> bool {
        self.asleep.load(Ordering::Acquire) == 0
    }

    pub(super) fn has_damage(&self) -> bool {
        self.has_damage.load(Ordering::Acquire)
    }

    /// Publishes the segment of `tag` if it has its checksum; says whether it is awake.
    pub(super) fn wake(&self, index: &Index, tag: u32) -> bool {
        let nth = self.nth(tag);
        self.wake_nth(index, nth)
    }

    /// The same for all of them.
    pub(super) fn wake_all(&self, index: &Index) -> bool {
        let mut all = true;
        for nth in 0..self.stored.len() {
            all &= self.wake_nth(index, nth);
        }
        all
    }

    /// The tag behind the segment of `tag`.
    pub(super) fn tag_after(&self, tag: u32) -> Option<u32> {
        let (start, _) = self.place(self.nth(tag) + 1)?;
        Some(start.tag)
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

    /// Gives up those that are damaged.
    pub(super) fn give_up(&self) {
        for sleep in &mut *self.lock() {
            if *sleep == Sleep::Damaged {
                *sleep = Sleep::Lost;
            }
        }
    }

    /// Makes a damaged segment again, of all its entries; if they do not fit it is lost.
    pub(super) fn mend(&self, index: &Index, nth: usize, entries: &[(u32, Extent)]) {
        let mut all = self.lock();
        let (Some(sleep), Some((start, stored))) = (all.get_mut(nth), self.place(nth)) else {
            return;
        };
        if *sleep == Sleep::Awake {
            return;
        }
        let chunks = self.chunks_of(index, start, stored);
        let fits = entries.len() as u64 <= most_in(stored.chunks.into());
        let row = index.segments.new_row().filter(|_| fits);
        chunks.iter().for_each(Chunk::clear);
        let Some(segment) = row.and_then(|row| row.lead_to(chunks, stored.depth.into())) else {
            *sleep = Sleep::Lost;
            return;
        };
        for &(tag, extent) in entries {
            let home = segment.home(tag);
            if let Some(chunk) = segment.chunk_of(home) {
                insert(segment, Pair::of(chunk, home), tag, extent);
            }
        }
        index.directory.publish(start.tag, segment);
        *sleep = Sleep::Awake;
        self.asleep.fetch_sub(1, Ordering::AcqRel);
    }

    fn wake_nth(&self, index: &Index, nth: usize) -> bool {
        let Some((start, stored)) = self.place(nth) else {
            return false;
        };
        match self.lock().get(nth) {
            Some(Sleep::Asleep) => {}
            sleep => return sleep == Some(&Sleep::Awake),
        }
        self.before_another();
        // Not under the lock: nobody stores to what is asleep, and others have theirs to wake.
        let chunks = self.chunks_of(index, start, stored);
        let is_sound = self.is_sound(chunks, stored.checksum);
        let mut all = self.lock();
        let Some(sleep) = all.get_mut(nth) else {
            return false;
        };
        if *sleep == Sleep::Asleep {
            let row = index.segments.new_row().filter(|_| is_sound);
            let segment = row.and_then(|row| row.lead_to(chunks, stored.depth.into()));
            if let Some(segment) = segment {
                index.directory.publish(start.tag, segment);
                *sleep = Sleep::Awake;
                self.asleep.fetch_sub(1, Ordering::AcqRel);
            } else {
                *sleep = Sleep::Damaged;
                self.has_damage.store(true, Ordering::Release);
            }
        }
        *sleep == Sleep::Awake
    }

    /// Whether these chunks have their checksum, and name only what may be a value below the snapshot's tail: no others may ever be found.
    fn is_sound(&self, chunks: &[Chunk], checksum: [u8; 4]) -> bool {
        let mut hasher = crate::kernels::crc32::Hasher::new();
        let mut names_values = true;
        for chunk in chunks {
            hasher.update(&chunk.to_bytes());
            chunk.for_each(|_, word| {
                names_values &= word::extent(word).is_some_and(|extent| {
                    let payload_end = extent.metadata_offset();
                    // An empty payload wraps to the longest of all.
                    payload_end + METADATA_SIZE <= self.tail
                        && !extent.is_deletion()
                        && extent.payload_len().unwrap_or(1).wrapping_sub(1) < payload_end
                });
            });
        }
        names_values && hasher.finalize().to_le_bytes() == checksum
    }

    /// The segment that `tag` belongs to; the first one starts at 0.
    fn nth(&self, tag: u32) -> usize {
        let behind = self.groups.partition_point(|start| start.tag <= tag);
        let group = behind.saturating_sub(1);
        let mut start = self.groups.get(group).copied().unwrap_or_default();
        let mut nth = group * GROUP;
        while let Some(&stored) = self.stored.get(nth) {
            start = start.after(stored);
            // Behind the last segment of all, tags begin anew.
            if start.tag > tag || start.tag == 0 {
                break;
            }
            nth += 1;
        }
        nth
    }

    /// One segment.
    fn place(&self, nth: usize) -> Option<(Start, SnapshotSegment)> {
        let stored = *self.stored.get(nth)?;
        let group = nth / GROUP;
        let before = self.stored.get(group * GROUP..nth)?;
        let first = *self.groups.get(group)?;
        let start = before.iter().fold(first, |at, &stored| at.after(stored));
        Some((start, stored))
    }

    /// Called before one more is looked at.
    fn before_another(&self) {
        let asleep = self.asleep.load(Ordering::Acquire);
        if PREPARES && (asleep <= 1 || self.stored.len() - asleep >= FEW) {
            self.before_reads();
        }
    }

    /// What is to be done before the medium is read here and there, if that was not done.
    pub(super) fn before_reads(&self) {
        if !PREPARES {
            return;
        }
        let hook = self.before_reads.lock();
        let hook = hook.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Hook(hook)) = hook {
            hook();
        }
    }

    fn chunks_of<'a>(
        &self,
        index: &'a Index,
        start: Start,
        stored: SnapshotSegment,
    ) -> &'a [Chunk] {
        let first = start.chunk as usize;
        let range = first..first + usize::from(stored.chunks);
        let chunks = index.segments.chunks_of(&self.chunks);
        chunks.get(range).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Box<[Sleep]>> {
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
