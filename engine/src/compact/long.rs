//! Values that a medium out of memory has and no memory may have room for: copied piece by piece.

use super::{COMPACT, Copy, GATHER_BYTES};
use crate::backing::Backing;
use crate::bucket::Trailer;
use crate::error::{Error, Result};
use crate::format::{EntryMetadata, METADATA_SIZE, align_to_payload, pre_pad};
use crate::index::Extent;
use crate::store::Generation;

/// Bytes copied at a time.
const PIECE: u64 = 1 << 20;

/// A long value that came by.
pub(super) struct Long {
    pub(super) len: u64,
    /// It has expired, and was not taken over.
    pub(super) is_dropped: bool,
}

impl<B: Backing> Copy<B> {
    /// Takes the value at `extent` over if it is a long one, and has not expired.
    pub(super) fn put_if_long(
        &mut self,
        generation: &Generation<B>,
        extent: Extent,
        now: u64,
    ) -> Result<Option<Long>> {
        // The index keeps the lengths of short ones.
        if B::IN_MEMORY || extent.payload_len().is_some_and(|len| len <= GATHER_BYTES) {
            return Ok(None);
        }
        let located = generation.examine(extent)?;
        let len = located.payload_len();
        if len <= GATHER_BYTES {
            return Ok(None);
        }
        let start = located.payload_offset;
        let checksum = located.metadata.checksum;
        let trailer = Trailer::read(generation, extent)?;
        if trailer.is_some_and(|trailer| trailer.has_expired(now)) {
            let mut hasher = crate::kernels::crc32::Hasher::new();
            pieces(generation, start, len, |_, piece| {
                hasher.update(piece);
                Ok(())
            })?;
            if hasher.finalize().to_le_bytes() == checksum {
                return Ok(Some(Long {
                    len,
                    is_dropped: true,
                }));
            }
        }
        self.flush()?;
        let prev = self.tail;
        let target = align_to_payload(prev);
        let write = |at: u64, bytes: &[u8]| {
            let written = self.backing.write(at, &[bytes]);
            written.map_err(Error::io(COMPACT))
        };
        write(prev, pre_pad(prev))?;
        pieces(generation, start, len, |done, piece| {
            write(target.saturating_add(done), piece)
        })?;
        let key_hash = located.metadata.key_hash;
        let end = target.saturating_add(len);
        write(
            end,
            &EntryMetadata::new(key_hash, prev, checksum).serialize(),
        )?;
        self.tail = end.saturating_add(METADATA_SIZE);
        self.place(key_hash, Extent::new(end, len), len)?;
        Ok(Some(Long {
            len,
            is_dropped: false,
        }))
    }
}

/// Hands `take` the bytes of a value in their order, and how many came before.
fn pieces<B: Backing>(
    generation: &Generation<B>,
    start: u64,
    len: u64,
    mut take: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    // Not by `resize`, which stores byte after byte where code is made small.
    let mut piece = vec![0; usize::try_from(len.min(PIECE)).unwrap_or(0)];
    let mut done = 0;
    while done < len {
        let count = (len - done).min(PIECE);
        piece.truncate(usize::try_from(count).unwrap_or(0));
        generation
            .backing
            .read(start.saturating_add(done), &mut piece)
            .map_err(Error::io(COMPACT))?;
        take(done, &piece)?;
        done += count;
    }
    Ok(())
}
