//! A value of a bucket where it lies.

use super::keyed_of;
use crate::EntryHandle;
use crate::backing::DefaultView;
use crate::format::Keyed;
use std::fmt;
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};
use std::ops::Deref;

/// A value of a bucket, readable without a copy where the medium lies in memory.
///
/// It stays valid and keeps its bytes as an [`EntryHandle`] does; the address of the first byte is a multiple of 64.
#[derive(Clone)]
pub struct Value<V = DefaultView> {
    entry: EntryHandle<V>,
    len: usize,
    expires_at: u64,
}

impl<V: AsRef<[u8]>> Value<V> {
    /// The value in `entry`, which was found by the hash of this full key, if that is its key.
    pub(super) fn of(entry: EntryHandle<V>, full_key: &[u8]) -> Option<Self> {
        let keyed = Keyed::parse_as(entry.as_slice(), full_key)?;
        let (len, expires_at) = (keyed.value.len(), keyed.expires_at);
        Some(Self {
            entry,
            len,
            expires_at,
        })
    }

    /// The value of `entry`, without what a bucket put behind it if it is one of a bucket's.
    pub(crate) fn alone(entry: EntryHandle<V>) -> Self {
        let keyed = keyed_of(&entry).map(|keyed| (keyed.value.len(), keyed.expires_at));
        let (len, expires_at) = keyed.unwrap_or((entry.size(), 0));
        Self {
            entry,
            len,
            expires_at,
        }
    }

    /// The value.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.entry.as_slice().get(..self.len).unwrap_or_default()
    }

    /// When it expires, in milliseconds since the Unix epoch; `None` if it does not.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        Some(self.expires_at).filter(|&at| at != 0)
    }

    /// The number by which [`put_if`](super::Bucket::put_if) tells this value from others of its key.
    #[must_use]
    pub const fn version(&self) -> u64 {
        version_of(self.entry.start_offset(), self.entry.raw_checksum())
    }

    /// Reads it as a stream.
    #[must_use]
    pub fn into_stream(self) -> ValueStream<V> {
        self.into()
    }

    /// Whether value and key still have the checksum they were stored with; reads all of it.
    #[must_use]
    pub fn is_valid_checksum(&self) -> bool {
        self.entry.is_valid_checksum()
    }

    /// Where it starts, in bytes from the start of the store.
    pub(crate) const fn start_offset(&self) -> u64 {
        self.entry.start_offset()
    }

    pub(super) const fn raw_expires_at(&self) -> u64 {
        self.expires_at
    }
}

impl<V: AsRef<[u8]>> Deref for Value<V> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl<V: AsRef<[u8]>> AsRef<[u8]> for Value<V> {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl<V: AsRef<[u8]>> fmt::Debug for Value<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value")
            .field("len", &self.len)
            .field("expires_at", &self.expires_at())
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

/// What tells the value from others of its key that starts at `offset` in an entry with this checksum.
pub(super) const fn version_of(offset: u64, checksum: [u8; 4]) -> u64 {
    // Offsets have 48 bits. A compaction may put another value where this one was, but not one with this checksum.
    let checksum = u32::from_le_bytes(checksum) as u64;
    offset ^ checksum << 48 ^ checksum >> 16 << 48
}

/// Reads a value of a bucket as a stream: `Read`, `BufRead` (without a copy) and `Seek`, over the value alone.
#[derive(Debug, Clone)]
pub struct ValueStream<V: AsRef<[u8]> = DefaultView>(Cursor<Value<V>>);

impl<V: AsRef<[u8]>> From<Value<V>> for ValueStream<V> {
    fn from(value: Value<V>) -> Self {
        Self(Cursor::new(value))
    }
}

impl<V: AsRef<[u8]>> Read for ValueStream<V> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<V: AsRef<[u8]>> BufRead for ValueStream<V> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl<V: AsRef<[u8]>> Seek for ValueStream<V> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}
