//! An index put away in a snapshot, and taken up again where that lies.

use crate::atomic::AtomicU64;
use std::sync::Arc;

use super::Hashes;
use super::chunk::{CHUNK_PLACES, CHUNK_SIZE};
use super::directory::Directory;
use super::dormant::{Dormant, Shape};
use super::extent::Extent;
use super::read::{Counters, Index};
use super::segments::{LoadedChunks, SegmentPool, Segments};
use super::tag::Mixer;
use super::write::IndexWriter;
use crate::backing::BeforeReads;
use crate::format::{SnapshotHead, SnapshotSegment};

impl IndexWriter {
    /// The index that a snapshot's head describes, whose segments it takes, in these chunks. `None` if that cannot be: what the head says does not fit together, or
    /// is not of this build's making.
    #[must_use]
    pub fn from_snapshot(head: &mut SnapshotHead, chunks: LoadedChunks) -> Option<Self> {
        let shape = Shape::of(&head.segments)?;
        let places = u64::try_from(shape.chunks).ok()? * u64::from(CHUNK_PLACES);
        if head.live_keys > places {
            return None;
        }
        let segments = Segments::new();
        let chunks = segments.take_in(chunks)?;
        if segments.chunks_of(&chunks).len() != shape.chunks {
            return None;
        }
        let stored = std::mem::take(&mut head.segments);
        let segment_count = stored.len();
        let index = Arc::new(Index {
            mixer: Mixer::from_numbers(head.mixer)?,
            directory: Directory::of_depth(shape.depth),
            segments,
            counters: Counters {
                len: AtomicU64::new(head.live_keys),
                memory_bytes: AtomicU64::new(0),
            },
            dormant: Some(Dormant::new(chunks, stored, head.tail)),
        });
        let mut pool = SegmentPool::new();
        pool.count(segment_count, shape.chunks);
        let mut writer = Self::new(index, pool);
        writer.segment_count = u64::try_from(segment_count).ok()?;
        Some(writer)
    }
}

impl Index {
    /// Has `hook` called once keys were looked for in a few segments of a snapshot.
    pub fn call_before_reads(&self, hook: BeforeReads) {
        if let Some(dormant) = &self.dormant {
            dormant.call_before_reads(hook);
        }
    }
}

/// What only who holds the writer may call.
impl Index {
    /// Bytes that the chunks of a snapshot would take, for who keeps the writer from changing anything; `None` if the index is none that can be put away: one with damage, or with tags that
    /// are alike by the thousand.
    #[must_use]
    pub fn snapshot_size(&self) -> Option<u64> {
        let shape = Shape::of(&self.shapes()?)?;
        u64::try_from(shape.chunks * CHUNK_SIZE).ok()
    }

    /// Gives all chunks to `sink`, in the order of the segments, which are returned; only for who was told a
    /// [`snapshot_size`](Self::snapshot_size).
    pub fn dump<E>(
        &self,
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Vec<SnapshotSegment>, E> {
        let mut segments = self.shapes().unwrap_or_default();
        let mut nth = 0;
        let mut result = Ok(());
        self.for_each_segment(|_, segment| {
            let mut hasher = crate::kernels::crc32::Hasher::new();
            for chunk in (0..segment.chunks()).filter_map(|nth| segment.chunk(nth)) {
                let bytes = chunk.to_bytes();
                hasher.update(&bytes);
                if result.is_ok() {
                    result = sink(&bytes);
                }
            }
            if let Some(segment) = segments.get_mut(nth) {
                segment.checksum = hasher.finalize().to_le_bytes();
            }
            nth += 1;
        });
        result.map(|()| segments)
    }

    /// How this index mixes hashes.
    #[must_use]
    pub fn mixer_numbers(&self) -> [u64; 3] {
        self.mixer.numbers()
    }

    /// All segments, without their checksums.
    fn shapes(&self) -> Option<Vec<SnapshotSegment>> {
        if !self.wake_all() {
            return None;
        }
        let mut shapes = Some(Vec::new());
        self.for_each_segment(|_, segment| {
            let chunks = u8::try_from(segment.chunks()).ok();
            let depth = u8::try_from(segment.depth()).ok();
            match (&mut shapes, chunks, depth) {
                (Some(shapes), Some(chunks), Some(depth)) => shapes.push(SnapshotSegment {
                    checksum: [0; 4],
                    chunks,
                    depth,
                }),
                _ => shapes = None,
            }
        });
        shapes
    }
}

impl Index {
    /// Has the segment of `tag` looked at if it came from a snapshot and nobody has done that yet; says whether it can be found now.
    #[cold]
    pub(super) fn wake(&self, tag: u32) -> bool {
        self.dormant
            .as_ref()
            .is_none_or(|dormant| dormant.wake(self, tag))
    }

    /// The same for the segments of all tags.
    pub fn wake_all(&self) -> bool {
        self.dormant
            .as_ref()
            .is_none_or(|dormant| dormant.wake_all(self))
    }

    /// Whether the segment of `hash` can be found, now if not before. When it cannot, nothing is found in it or stored to it, until it
    /// is [mended](Self::mender).
    #[inline]
    pub fn is_awake(&self, hash: u64) -> bool {
        if self.dormant.as_ref().is_none_or(Dormant::are_all_awake) {
            return true;
        }
        let tag = self.mixer.tag(hash);
        self.directory.place(tag).is_some() || self.wake(tag)
    }

    /// Whether a segment was met that does not have its checksum: what was looked for in it was not found.
    #[inline]
    pub fn has_damage(&self) -> bool {
        self.dormant.as_ref().is_some_and(Dormant::has_damage)
    }

    /// To be given all entries up to the tail of the snapshot, after which damaged segments are whole again. `None` if the only ones that
    /// are not were tried before.
    #[must_use]
    pub fn mender(&self) -> Option<Mender<'_>> {
        let dormant = self.dormant.as_ref()?;
        dormant.before_reads();
        self.wake_all();
        let is_needed = !dormant.all_damaged().is_empty() || dormant.are_all_awake();
        is_needed.then(|| Mender {
            index: self,
            met: Hashes::new(),
            entries: Vec::new(),
        })
    }
}

/// Gathers the entries of damaged segments.
#[derive(Debug)]
pub struct Mender<'i> {
    index: &'i Index,
    /// The keys that came.
    met: Hashes,
    /// The newest entry of each of them; a deletion too.
    entries: Vec<(u64, Extent)>,
}

impl Mender<'_> {
    /// Takes an entry in, older than all before.
    pub fn add(&mut self, hash: u64, extent: Extent) {
        if self.nth(hash).is_some() && self.met.insert(hash, 0).is_none() {
            self.entries.push((hash, extent));
        }
    }

    /// Makes the segments again; says whether all of them are whole now.
    #[must_use]
    pub fn finish(self) -> bool {
        let Some(dormant) = &self.index.dormant else {
            return true;
        };
        let damaged = dormant.all_damaged();
        let mut segments: Vec<Vec<(u32, Extent)>> = damaged.iter().map(|_| Vec::new()).collect();
        for &(hash, extent) in &self.entries {
            // They ascend.
            let place = self.nth(hash).map(|nth| damaged.binary_search(&nth));
            if let Some(Ok(place)) = place
                && let Some(entries) = segments.get_mut(place)
                && !extent.is_deletion()
            {
                entries.push((self.index.mixer.tag(hash), extent));
            }
        }
        for (nth, entries) in damaged.into_iter().zip(&segments) {
            dormant.mend(self.index, nth, entries);
        }
        // Not what was mended here: what somebody else gave up meanwhile is no longer among the damaged ones.
        dormant.are_all_awake()
    }

    /// Says that the entries are not to be had.
    pub fn give_up(self) {
        if let Some(dormant) = &self.index.dormant {
            dormant.give_up();
        }
    }

    fn nth(&self, hash: u64) -> Option<usize> {
        let dormant = self.index.dormant.as_ref()?;
        dormant.damaged(self.index.mixer.tag(hash))
    }
}
