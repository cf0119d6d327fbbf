//! The index put away in the store itself, so that the next opening costs what was written since.
//!
//! Invariant: the body is on stable storage before the head is written, so that no head is ever found without it; and a snapshot is only
//! taken up when head, body and chain say the same.

use super::append::APPEND;
use super::plan::{check_end, length_of};
use super::{Generation, Store, Writer};
use crate::backing::{Backing, PREPARES};
use crate::error::{Error, Result};
use crate::format::{
    ENTRY_TRAILER, Entry, EntryMetadata, METADATA_SIZE, SNAPSHOT_HASH, SnapshotHead,
    align_to_payload, compute_checksum, pre_pad,
};
use crate::index::{CHUNK_SIZE, IndexWriter, LoadedChunks};
use std::ops::Range;

/// Fewer live keys than these are not worth a snapshot of their own accord: opening takes a few milliseconds.
const MIN_KEYS: u64 = 1 << 16;
/// A snapshot of its own accord comes after so many times its own size in other entries: a fifth of a file is snapshots at most.
const SHARE: u64 = 4;
/// Bytes of memory that any index takes for a key.
const LEAST_BYTES_A_KEY: u64 = 8;
/// Bytes gathered for one write or read: chunks by the hundred.
const PIECE: usize = CHUNK_SIZE * 512;

impl<B: Backing> Store<B> {
    /// Appends a snapshot of the key index, from which the next opening starts: it then costs what was written since, not what is
    /// stored. Says whether it did: it does not for an index that millions of alike hashes have put out of shape.
    ///
    /// Takes some 16 bytes of file for each live key and syncs twice; writers wait meanwhile. [`close`](Self::close) does this too, for a store of
    /// 65,536 keys or more, once four times as much was written since the last one, or keys were listed that it did not hold.
    pub fn snapshot_index(&self) -> Result<bool> {
        let mut writer = self.lock_writer();
        self.check_writable()?;
        let keys = self.keys_to_store(&writer)?.unwrap_or_default();
        self.write_snapshot(&mut writer, &keys)
    }

    /// The same if it is due. Nobody asked for it, so its failure is nobody's either.
    pub(super) fn snapshot_if_due(&self) -> Result<()> {
        let mut writer = self.lock_writer();
        // A store that was latched leaves all as it is.
        self.check_writable()?;
        let generation = self.current.load();
        let keys = generation.index.len();
        // A directory of keys that had to be read from the entries is worth a snapshot once: the next listing then takes it up.
        let since = if self.lacks_stored_keys() {
            0
        } else {
            writer.snapshot_end
        };
        let written = generation.tail().saturating_sub(since);
        let pays = |size: u64| size.saturating_mul(SHARE) <= written;
        if self.settings().snapshots
            && keys >= MIN_KEYS
            && pays(keys.saturating_mul(LEAST_BYTES_A_KEY))
            && let Some(chunks_len) = generation.index.snapshot_size()
            && pays(chunks_len)
        {
            let keys = self.keys_to_store(&writer)?.unwrap_or_default();
            if pays(chunks_len.saturating_add(length_of(&keys))) {
                self.write_snapshot(&mut writer, &keys)?;
            }
        }
        Ok(())
    }

    fn write_snapshot(&self, writer: &mut Writer, keys: &[u8]) -> Result<bool> {
        let generation = self.current.load();
        generation.wake_all()?;
        let index = &generation.index;
        let Some(chunks_len) = index.snapshot_size() else {
            return Ok(false);
        };
        let tail = generation.tail();
        check_end(
            tail,
            chunks_len.saturating_mul(2).saturating_add(length_of(keys)),
        )?;
        let mut head = SnapshotHead {
            offset: 0,
            tail,
            chunks_len,
            keys_len: length_of(keys),
            keys_checksum: compute_checksum(keys),
            chunk_size: u32::try_from(CHUNK_SIZE).unwrap_or(u32::MAX),
            live_keys: generation.index.len(),
            live_span: generation.live_span(),
            mixer: index.mixer_numbers(),
            segments: Vec::new(),
        };
        let end = self.append_or_cut(writer, &generation, || {
            let mut body = Body::new(&generation, tail);
            head.segments = index.dump(|chunk| body.push(chunk))?;
            keys.chunks(PIECE).try_for_each(|piece| body.push(piece))?;
            let end = body.finish()?;
            self.sync_generation(&generation)?;
            Ok(end)
        })?;
        // An entry of its own from now on, which nothing cuts off again: what failed of the head must not take it along, while the head
        // may still come to the medium.
        generation.announce_tail(end);
        generation.publish_tail(end);
        head.offset = align_to_payload(end);
        let payload = head.serialize();
        let metadata = EntryMetadata::new(SNAPSHOT_HASH, end, compute_checksum(&payload));
        self.append_or_cut(writer, &generation, || {
            let parts = [pre_pad(end), &payload, &metadata.serialize()];
            generation
                .backing
                .write(end, &parts)
                .map_err(Error::io(APPEND))?;
            self.sync_generation(&generation)
        })?;
        let end = head.offset + length_of(&payload) + METADATA_SIZE;
        generation.announce_tail(end);
        generation.publish_tail(end);
        writer.snapshot_end = end;
        Ok(true)
    }
}

/// The entry that holds the index, while it is being written.
struct Body<'g, B> {
    generation: &'g Generation<B>,
    tail: u64,
    at: u64,
    piece: Vec<u8>,
    hasher: crate::kernels::crc32::Hasher,
}

impl<'g, B: Backing> Body<'g, B> {
    fn new(generation: &'g Generation<B>, tail: u64) -> Self {
        let mut piece = Vec::with_capacity(PIECE);
        piece.extend_from_slice(pre_pad(tail));
        Self {
            generation,
            tail,
            at: tail,
            piece,
            hasher: crate::kernels::crc32::Hasher::new(),
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.piece.extend_from_slice(bytes);
        if self.piece.len() < PIECE {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        self.generation
            .backing
            .write(self.at, &[&self.piece])
            .map_err(Error::io(APPEND))?;
        self.at += length_of(&self.piece);
        self.piece.clear();
        Ok(())
    }

    /// Ends the entry and returns where.
    fn finish(mut self) -> Result<u64> {
        let checksum = std::mem::take(&mut self.hasher).finalize().to_le_bytes();
        let metadata = EntryMetadata::new(SNAPSHOT_HASH, self.tail, checksum);
        self.piece.extend_from_slice(&metadata.serialize());
        self.flush()?;
        Ok(self.at)
    }
}

/// What is kept of a snapshot that an index was taken from; all zeros if it was not.
#[derive(Debug, Clone, Default)]
pub(crate) struct TakenSnapshot {
    /// The tail whose index it was.
    pub(crate) tail: u64,
    /// Where the ordered keys of buckets lie; nowhere if they were left out.
    pub(crate) keys: Range<u64>,
    /// The CRC-32 of these.
    pub(crate) keys_checksum: [u8; 4],
}

/// A snapshot that was taken up.
pub(super) struct Loaded {
    pub(super) index: IndexWriter,
    pub(super) live_span: u64,
    pub(super) taken: TakenSnapshot,
    /// Where its last entry ends.
    pub(super) end: u64,
}

/// The snapshot whose head `entry` is, without a look at its chunks where they need not be read. `None` if `entry` is no head, or one that
/// does not say what is there. `is_ready` says that nothing is to be done any more before reads.
pub(super) fn load<B: Backing>(
    backing: &B,
    entry: &Entry,
    is_ready: bool,
) -> Result<Option<Loaded>> {
    let read = |at: u64, buf: &mut [u8]| {
        backing
            .read(at, buf)
            .map_err(Error::io("read the index snapshot"))
    };
    let mut start = [0; 16];
    if entry.payload_len() < length_of(&start) {
        return Ok(None);
    }
    read(entry.payload_offset, &mut start)?;
    let announced = SnapshotHead::announced_length(entry.payload_offset, &start);
    let Some(len) = announced.filter(|&len| len == entry.payload_len()) else {
        return Ok(None);
    };
    let Ok(len) = usize::try_from(len) else {
        return Ok(None);
    };
    let copy;
    let payload = if let Some(payload) = backing.peek(entry.payload()) {
        payload
    } else {
        let mut payload = vec![0; len];
        read(entry.payload_offset, &mut payload)?;
        copy = payload;
        &copy
    };
    let Some(mut head) = SnapshotHead::deserialize(entry.payload_offset, payload) else {
        return Ok(None);
    };
    let body_end = entry.metadata.prev_offset;
    let mut trailer = [0; ENTRY_TRAILER];
    let Some(at) = body_end.checked_sub(length_of(&trailer)) else {
        return Ok(None);
    };
    read(at, &mut trailer)?;
    let body = Entry::parse(body_end, &trailer).filter(|body| {
        let len = head.chunks_len.checked_add(head.keys_len);
        body.metadata.key_hash == SNAPSHOT_HASH
            && body.metadata.prev_offset == head.tail
            && Some(body.payload_len()) == len
            && u32::try_from(CHUNK_SIZE) == Ok(head.chunk_size)
            && head.chunks_len % u64::from(head.chunk_size) == 0
            && head.live_span <= align_to_payload(head.tail)
    });
    let Some(body) = body else {
        return Ok(None);
    };
    let taken = TakenSnapshot {
        tail: head.tail,
        keys: body.payload_offset + head.chunks_len..body.metadata_offset,
        keys_checksum: head.keys_checksum,
    };
    let range = body.payload_offset..body.payload_offset + head.chunks_len;
    let pages = backing
        .private_pages(range.clone())
        .map_err(Error::io("read the index snapshot"))?;
    let chunks = if let Some(pages) = pages {
        LoadedChunks::in_place(pages)
    } else {
        let mut chunks = LoadedChunks::none();
        let mut piece = vec![0; PIECE];
        let mut at = range.start;
        while at < range.end {
            let left = usize::try_from(range.end - at).unwrap_or(usize::MAX);
            let piece = piece.get_mut(..left.min(PIECE)).unwrap_or_default();
            read(at, piece)?;
            chunks.push(piece);
            at += length_of(piece);
        }
        chunks
    };
    let index = IndexWriter::from_snapshot(&mut head, chunks);
    if PREPARES
        && !is_ready
        && let Some(index) = &index
        && let Some(hook) = backing.before_random_reads()
    {
        index.index().call_before_reads(hook);
    }
    Ok(index.map(|index| Loaded {
        index,
        live_span: head.live_span,
        taken,
        end: entry.end(),
    }))
}

#[cfg(test)]
mod tests;
