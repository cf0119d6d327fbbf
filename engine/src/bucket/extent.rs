//! Where a value lies in the medium, for who reads it from there without the store.

use super::{Bucket, BucketView, Trailer, value};
use crate::backing::Backing;
use crate::error::Result;

/// Where the bytes of a value lie in the medium.
///
/// They stay there, unchanged, until the next compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValueExtent {
    /// Where the value starts, in bytes from the start of the store.
    pub offset: u64,
    /// Length of the value in bytes.
    pub len: u64,
    /// The value's [`version`](super::Value::version). Its lower 48 bits are `offset`.
    pub version: u64,
    /// When it expires, in milliseconds since the Unix epoch; 0 is never.
    pub expires_at: u64,
}

impl<B: Backing> Bucket<'_, B> {
    /// Where the value of `key` lies; `None` if it has none or has expired. Reads the key behind the value, and nothing of the value.
    pub fn extent_of(&self, key: &[u8]) -> Result<Option<ValueExtent>> {
        self.live_trailer(key, |_, trailer| Ok(trailer.extent()))
    }
}

impl<B: Backing> BucketView<'_, '_, B> {
    /// Where the value lies that `key` had; reads the key behind the value, and nothing of the value.
    pub fn extent_of(&self, key: &[u8]) -> Result<Option<ValueExtent>> {
        let trailer = self.trailer(key)?;
        Ok(trailer.as_ref().map(Trailer::extent))
    }
}

impl Trailer {
    const fn extent(&self) -> ValueExtent {
        ValueExtent {
            offset: self.value_offset,
            len: self.value_len,
            version: value::version_of(self.value_offset, self.checksum),
            expires_at: self.expires_at,
        }
    }
}
