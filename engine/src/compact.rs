//! Compaction: the live entries, oldest first, in a new backing that takes the old one's place.
//!
//! Readers go on throughout; writers wait only while what they wrote during the copying is added and the switch is made.

mod long;

use crate::backing::{Backing, Rewrite};
use crate::bucket;
use crate::error::{Error, Result};
use crate::format::{
    EntryMetadata, METADATA_SIZE, MIN_ENTRY_SIZE, PAYLOAD_ALIGNMENT, TOMBSTONE, align_to_payload,
    compute_checksum, pre_pad,
};
use crate::index::{Extent, Index, IndexWriter};
use crate::store::{Ahead, EntryHandle, Generation, Stats, Store, no_entry, span_of};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

/// Bytes of values gathered for one write.
const GATHER_BYTES: u64 = 4 << 20;
/// Values gathered for one write.
const GATHER_ENTRIES: usize = 1024;

impl<B: Rewrite> Store<B> {
    /// Writes the live entries into a new backing, oldest first, syncs it and puts it in the place of the old one, in one
    /// atomic step: a crash leaves either.
    ///
    /// Values of buckets that have expired are left out. Readers go on, handles stay valid, and this store goes on with the new backing. Checksums are carried over as they
    /// are, so that a damaged value stays recognisable.
    pub fn compact(&self) -> Result<()> {
        self.compact_with_progress(&mut |_, _| {})
    }

    /// Compacts if that would save at least this part of the file, and says whether it did.
    ///
    /// The part is [`estimate_compaction_savings`](Self::estimate_compaction_savings) of [`tail`](Self::tail): 0.5 is a file half of which is
    /// deleted or overwritten. A store with nothing to save is left alone, also at 0. Anything but a number from 0 to 1 is
    /// [`Error::NotARatio`]. Costs next to nothing when the part is clearly smaller, so that it may follow every write.
    pub fn compact_if(&self, dead_ratio: f64) -> Result<bool> {
        self.compact_if_with_progress(dead_ratio, &mut |_, _| {})
    }

    /// The same as [`compact_if`](Self::compact_if), with the progress of [`compact_with_progress`](Self::compact_with_progress).
    pub fn compact_if_with_progress(
        &self,
        dead_ratio: f64,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<bool> {
        if !(0.0..=1.0).contains(&dead_ratio) {
            return Err(Error::NotARatio);
        }
        self.check_writable()?;
        let is_due = self.most_savings().is_at_least(dead_ratio)
            && Savings::from(self.stats()).is_at_least(dead_ratio);
        if is_due {
            self.compact_with_progress(progress)?;
        }
        Ok(is_due)
    }

    /// No less than what a compaction would save, without a look at the index.
    fn most_savings(&self) -> Savings {
        let generation = self.current.load();
        let tail = generation.tail();
        // Each live value counts with the pad behind it, and the last one has none.
        let live = generation.live_span().saturating_sub(PAYLOAD_ALIGNMENT);
        Savings {
            saved: tail.saturating_sub(live),
            tail,
        }
    }

    /// Compacts as [`compact`](Self::compact) does. `progress` is told how many bytes of live values are copied, and of how
    /// many; what is written meanwhile is added at the end and not counted.
    pub fn compact_with_progress(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        let _one_at_a_time = self
            .compaction
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.check_writable()?;
        let live = self.live_entries()?;
        let backing = live
            .generation
            .backing
            .create_replacement()
            .map_err(Error::io(COMPACT))?;
        let now = self.settings().now();
        let mut copy = Copy::new(backing);
        let total = live.payload_bytes()?;
        let (mut done, mut told) = (0, 0);
        let mut ahead = Ahead::default();
        for extent in &live.extents {
            ahead.upwards(&live.generation.backing, extent.metadata_offset());
            if let Some(long) = copy.put_if_long(&live.generation, *extent, now)? {
                done += long.len;
            } else {
                let value = live.generation.handle(*extent)?;
                done += length(&value);
                if !is_dropped(&value, now) {
                    copy.put(value)?;
                }
            }
            // Values that lie in one another, as only an index from a snapshot of somebody's making can name, have no end.
            if done > live.tail {
                return Err(no_entry(*extent));
            }
            if done - told >= GATHER_BYTES {
                told = done;
                progress(done, total);
            }
        }
        copy.flush()?;
        progress(total, total);

        let mut writer = self.lock_writer();
        self.check_writable()?;
        for entry in crate::store::changes_since(&live.generation, live.tail)? {
            let extent = Extent::new(entry.metadata_offset, entry.payload_len());
            let long = if entry.is_tombstone {
                None
            } else {
                copy.put_if_long(&live.generation, extent, now)?
            };
            if long.as_ref().is_some_and(|long| !long.is_dropped) {
                continue;
            }
            let value = if entry.is_tombstone || long.is_some() {
                None
            } else {
                let value = live.generation.handle_of(&entry)?;
                (!is_dropped(&value, now)).then_some(value)
            };
            match value {
                Some(value) => copy.put(value)?,
                None => copy.delete(entry.metadata.key_hash)?,
            }
        }
        copy.flush()?;
        let index = copy.index.settled(|_| true);
        let Copy {
            backing,
            tail,
            live_span,
            ..
        } = copy;
        backing.truncate(tail).map_err(Error::io(COMPACT))?;
        backing.sync().map_err(Error::io(COMPACT))?;
        // A sync of the old file ends before: one that fails leaves all as it is, and none is of a file that has lost its name.
        let _turn = self.turn_to_sync();
        self.check_writable()?;
        live.generation
            .backing
            .commit_replacement(&backing)
            .map_err(Error::io(COMPACT))?;
        let generation = Generation::new(backing, Arc::clone(index.index()), tail, live_span);
        let _listings_wait = self.directory.before_switch(&live.generation, now);
        writer.start_over(index);
        self.current.store(Arc::new(generation));
        self.compactions.fetch_add(1, Ordering::Release);
        Ok(())
    }
}

const COMPACT: &str = "write the compacted store";

/// What a compaction would save of a file.
struct Savings {
    saved: u64,
    tail: u64,
}

impl Savings {
    #[expect(
        clippy::cast_precision_loss,
        reason = "offsets stay below 2^48, which a double holds exactly"
    )]
    fn is_at_least(&self, ratio: f64) -> bool {
        self.saved > 0 && self.saved as f64 / self.tail as f64 >= ratio
    }
}

impl From<Stats> for Savings {
    fn from(stats: Stats) -> Self {
        Self {
            saved: stats.compaction_savings,
            tail: stats.file_bytes,
        }
    }
}

/// Whether a compaction leaves this out: it has expired, by a time that has its checksum still. What rotted is for `verify` to tell.
fn is_dropped<V: AsRef<[u8]>>(value: &EntryHandle<V>, now: u64) -> bool {
    bucket::has_expired(value, now) && value.is_valid_checksum()
}

/// Bytes of payload.
fn length<V: AsRef<[u8]>>(value: &EntryHandle<V>) -> u64 {
    value.offset_range().end - value.offset_range().start
}

/// The new backing while it is being filled.
struct Copy<B: Backing> {
    backing: B,
    index: IndexWriter,
    tail: u64,
    live_span: u64,
    gathered: Vec<EntryHandle<B::View>>,
    gathered_bytes: u64,
}

impl<B: Backing> Copy<B> {
    fn new(backing: B) -> Self {
        let (_, mut index) = Index::create();
        index.grow_in_leaps();
        Self {
            backing,
            index,
            tail: 0,
            live_span: 0,
            gathered: Vec::new(),
            gathered_bytes: 0,
        }
    }
}

impl<B: Backing> Copy<B> {
    /// Adds a value, with the metadata it had; `flush` writes it.
    fn put(&mut self, value: EntryHandle<B::View>) -> Result<()> {
        let len = length(&value);
        if self.gathered.len() >= GATHER_ENTRIES
            || self.gathered_bytes.saturating_add(len) > GATHER_BYTES
        {
            self.flush()?;
        }
        self.gathered_bytes = self.gathered_bytes.saturating_add(len);
        self.gathered.push(value);
        Ok(())
    }

    /// Deletes a key that may have been copied before it was deleted.
    fn delete(&mut self, key_hash: u64) -> Result<()> {
        self.flush()?;
        let Some((before, span)) = self.find(key_hash)? else {
            return Ok(());
        };
        let trailer =
            EntryMetadata::new(key_hash, self.tail, compute_checksum(&TOMBSTONE)).serialize();
        self.backing
            .write(self.tail, &[&TOMBSTONE, &trailer])
            .map_err(Error::io(COMPACT))?;
        self.tail += MIN_ENTRY_SIZE;
        self.index.remove(key_hash, |extent| extent == before);
        self.live_span -= span;
        Ok(())
    }

    /// Writes what was gathered and takes it into the index.
    fn flush(&mut self) -> Result<()> {
        let start = self.tail;
        let gathered = std::mem::take(&mut self.gathered);
        self.gathered_bytes = 0;
        let mut placed = Vec::with_capacity(gathered.len());
        for value in &gathered {
            let (pad, prev) = (pre_pad(self.tail), self.tail);
            let len = length(value);
            let metadata_offset = align_to_payload(prev) + len;
            self.tail = metadata_offset + METADATA_SIZE;
            let trailer =
                EntryMetadata::new(value.key_hash(), prev, value.raw_checksum()).serialize();
            placed.push((pad, trailer, Extent::new(metadata_offset, len), len));
        }
        let parts: Vec<&[u8]> = gathered
            .iter()
            .zip(&placed)
            .flat_map(|(value, (pad, trailer, ..))| [*pad, value.as_slice(), &trailer[..]])
            .collect();
        self.backing
            .write(start, &parts)
            .map_err(Error::io(COMPACT))?;
        for (value, (_, _, extent, len)) in gathered.iter().zip(&placed) {
            self.place(value.key_hash(), *extent, *len)?;
        }
        Ok(())
    }

    /// Takes an entry that is written into the index.
    fn place(&mut self, key_hash: u64, extent: Extent, len: u64) -> Result<()> {
        let before = self.find(key_hash)?;
        self.index.put(key_hash, extent, |other| {
            before.is_some_and(|(before, _)| before == other)
        });
        self.live_span += span_of(len);
        self.live_span -= before.map_or(0, |(_, span)| span);
        Ok(())
    }

    /// The entry that the copy holds for `key_hash`, and its span.
    fn find(&self, key_hash: u64) -> Result<Option<(Extent, u64)>> {
        let mut span = 0;
        let found = self.index.index().find(key_hash, |extent| {
            let mut bytes = [0; 20];
            self.backing
                .read(extent.metadata_offset(), &mut bytes)
                .map_err(Error::io(COMPACT))?;
            let metadata = EntryMetadata::deserialize(&bytes);
            let start = align_to_payload(metadata.prev_offset);
            span = span_of(extent.metadata_offset().saturating_sub(start));
            Ok::<_, Error>(metadata.key_hash == key_hash)
        })?;
        Ok(found.map(|extent| (extent, span)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests;
