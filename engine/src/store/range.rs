//! Parts of values, copied straight from the medium.

use super::Store;
use crate::backing::Backing;
use crate::error::Result;
use crate::format::compute_hash;

impl<B: Backing> Store<B> {
    /// The length of the value of `key` in bytes; reads no value.
    pub fn value_len(&self, key: &[u8]) -> Result<Option<u64>> {
        let located = self.current.load().locate(compute_hash(key))?;
        Ok(located.map(|located| located.payload_len()))
    }

    /// Copies the value of `key`, from its byte `offset` on, into `buf`, and returns how many bytes that were: fewer
    /// than asked at the value's end, `None` without a value.
    pub fn read_range(&self, key: &[u8], offset: u64, buf: &mut [u8]) -> Result<Option<usize>> {
        let generation = self.current.load();
        match generation.locate(compute_hash(key))? {
            Some(located) => generation.read_range(&located, offset, buf).map(Some),
            None => Ok(None),
        }
    }
}
