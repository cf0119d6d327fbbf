//! What lies behind a bucket's value, read where it lies and without the value.
//!
//! Invariant: a trailer is only ever one that the entry's key hash certifies.

use super::{FULL_KEY_BYTES, ShortBytes};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{EntryMetadata, KeyEnd, hash_of_full_key, split_full_key};
use crate::index::Extent;
use crate::store::{Generation, payload_offset};

/// What is read at once: metadata, and the end of a payload with a key of ordinary length.
const FIRST_READ: usize = 256;
const METADATA_LEN: usize = 20;
const READ: &str = "read the key of an entry";

/// The key of an entry of a bucket, when it expires, and where its value lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) full_key: ShortBytes<FULL_KEY_BYTES>,
    pub(crate) expires_at: u64,
    pub(crate) value_offset: u64,
    pub(crate) value_len: u64,
    /// The entry's own, as it is stored.
    pub(crate) checksum: [u8; 4],
}

impl Trailer {
    /// The trailer of the entry at `extent`, which is no deletion; `None` if it is no bucket's.
    pub(crate) fn read<B: Backing>(
        generation: &Generation<B>,
        extent: Extent,
    ) -> Result<Option<Self>> {
        let backing = &generation.backing;
        let end = extent.metadata_offset();
        let mut buffer = [0; FIRST_READ];
        // Payloads whose lengths the extent does not say are longer than this.
        let known = extent
            .payload_len()
            .and_then(|len| usize::try_from(len).ok());
        let take = known.unwrap_or(FIRST_READ).min(FIRST_READ - METADATA_LEN);
        let Some(bytes) = buffer.get_mut(..take + METADATA_LEN) else {
            return Ok(None);
        };
        backing
            .read(end.saturating_sub(take as u64), bytes)
            .map_err(Error::io(READ))?;
        let Some((last, metadata)) = bytes.split_last_chunk::<METADATA_LEN>() else {
            return Ok(None);
        };
        let Some(KeyEnd {
            key_len,
            expires_at,
        }) = KeyEnd::parse(last)
        else {
            return Ok(None);
        };
        let metadata = EntryMetadata::deserialize(metadata);
        let key_offset = end.saturating_sub((key_len + KeyEnd::BYTES) as u64);
        let value_offset = payload_offset(extent, &metadata);
        let value = value_offset.and_then(|at| Some((at, key_offset.checked_sub(at)?)));
        let Some((value_offset, value_len)) = value else {
            return Ok(None);
        };
        let before_end = last.len().saturating_sub(KeyEnd::BYTES);
        let here = before_end
            .checked_sub(key_len)
            .and_then(|at| last.get(at..before_end));
        let full_key = if let Some(key) = here {
            ShortBytes::concat(&[key])
        } else {
            let mut key = vec![0; key_len];
            backing
                .read(key_offset, &mut key)
                .map_err(Error::io(READ))?;
            ShortBytes::Elsewhere(key)
        };
        let is_certified = hash_of_full_key(&full_key) == Some(metadata.key_hash);
        Ok(is_certified.then_some(Self {
            full_key,
            expires_at,
            value_offset,
            value_len,
            checksum: metadata.checksum,
        }))
    }

    /// The bucket's name and the key.
    pub(crate) fn name_and_key(&self) -> (&[u8], &[u8]) {
        split_full_key(&self.full_key)
    }

    pub(crate) const fn has_expired(&self, now: u64) -> bool {
        self.expires_at != 0 && self.expires_at <= now
    }
}
