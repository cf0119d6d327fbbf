//! A value where it lies, without a copy.

use crate::backing::DefaultView;
use crate::format::{EntryMetadata, METADATA_SIZE};
use std::fmt;
use std::ops::{Deref, Range};

/// Bytes of metadata, as a length in memory.
const METADATA_LEN: usize = 20;
const _: () = assert!(METADATA_LEN as u64 == METADATA_SIZE);

/// A value and its metadata, readable without a copy where the medium lies in memory.
///
/// It stays valid and keeps its bytes through later writes, compaction and the drop of the store. The address of the
/// first byte is a multiple of 64. It keeps the medium's mapping (or its own copy of the bytes) alive until dropped.
#[derive(Clone)]
pub struct EntryHandle<V = DefaultView> {
    /// Payload and metadata, in one piece.
    view: V,
    metadata: EntryMetadata,
    payload_offset: u64,
    payload_len: usize,
}

impl<V: AsRef<[u8]>> EntryHandle<V> {
    /// Takes a view of a payload at `payload_offset` and the metadata behind it; `None` if it is too short for that.
    pub(crate) fn new(view: V, payload_offset: u64) -> Option<Self> {
        let (payload, metadata) = view.as_ref().split_last_chunk::<METADATA_LEN>()?;
        let payload_len = payload.len();
        let metadata = EntryMetadata::deserialize(metadata);
        Some(Self {
            view,
            metadata,
            payload_offset,
            payload_len,
        })
    }

    /// The same for who has looked at both.
    #[inline]
    pub(crate) const fn of(
        view: V,
        metadata: EntryMetadata,
        payload_offset: u64,
        payload_len: usize,
    ) -> Self {
        Self {
            view,
            metadata,
            payload_offset,
            payload_len,
        }
    }

    /// The value.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.view.as_ref().get(..self.payload_len).unwrap_or(&[])
    }

    /// Another handle on the same bytes; the same as [`Clone::clone`].
    #[must_use]
    pub fn clone_arc(&self) -> Self
    where
        V: Clone,
    {
        self.clone()
    }

    /// The metadata that lies behind the value.
    #[must_use]
    pub const fn metadata(&self) -> &EntryMetadata {
        &self.metadata
    }

    /// Length of the value in bytes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.payload_len
    }

    /// Length of the value and its metadata in bytes, without the pad before them.
    #[must_use]
    pub const fn file_size(&self) -> usize {
        self.payload_len.saturating_add(METADATA_LEN)
    }

    /// XXH3-64 of the key.
    #[must_use]
    pub const fn key_hash(&self) -> u64 {
        self.metadata.key_hash
    }

    /// The stored CRC-32 of the value.
    #[must_use]
    pub const fn checksum(&self) -> u32 {
        u32::from_le_bytes(self.metadata.checksum)
    }

    /// The stored CRC-32 of the value as it lies in the file, little-endian.
    #[must_use]
    pub const fn raw_checksum(&self) -> [u8; 4] {
        self.metadata.checksum
    }

    /// Whether the value still has the checksum it was stored with; reads all of it.
    #[must_use]
    pub fn is_valid_checksum(&self) -> bool {
        crate::kernels::crc32::hash(self.as_slice()) == self.checksum()
    }

    /// Where the value starts, in bytes from the start of the store.
    #[must_use]
    pub const fn start_offset(&self) -> u64 {
        self.payload_offset
    }

    /// Where the value ends, in bytes from the start of the store.
    #[must_use]
    pub fn end_offset(&self) -> u64 {
        self.offset_range().end
    }

    /// Where the value lies, in bytes from the start of the store.
    #[must_use]
    pub fn offset_range(&self) -> Range<u64> {
        let len = u64::try_from(self.payload_len).unwrap_or(u64::MAX);
        self.payload_offset..self.payload_offset.saturating_add(len)
    }

    /// Where the value lies in memory.
    #[must_use]
    pub fn address_range(&self) -> Range<*const u8> {
        self.as_slice().as_ptr_range()
    }
}

impl<V: AsRef<[u8]>> Deref for EntryHandle<V> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl<V: AsRef<[u8]>> AsRef<[u8]> for EntryHandle<V> {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl<V: AsRef<[u8]>> PartialEq<[u8]> for EntryHandle<V> {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_slice() == other
    }
}

impl<V: AsRef<[u8]>> PartialEq<&[u8]> for EntryHandle<V> {
    fn eq(&self, other: &&[u8]) -> bool {
        self.as_slice() == *other
    }
}

impl<V: AsRef<[u8]>, const N: usize> PartialEq<[u8; N]> for EntryHandle<V> {
    fn eq(&self, other: &[u8; N]) -> bool {
        self.as_slice() == other
    }
}

impl<V: AsRef<[u8]>> PartialEq<Vec<u8>> for EntryHandle<V> {
    fn eq(&self, other: &Vec<u8>) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<V: AsRef<[u8]>> fmt::Debug for EntryHandle<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryHandle")
            .field("offsets", &self.offset_range())
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

impl<V: AsRef<[u8]>, const N: usize> PartialEq<&[u8; N]> for EntryHandle<V> {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.as_slice() == *other
    }
}
