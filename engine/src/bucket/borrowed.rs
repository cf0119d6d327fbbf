//! Values of a bucket that are looked at for the time of a call.

use super::value::version_of;
use super::{Bucket, Value};
use crate::backing::Resident;
use crate::error::{Error, Result};
use crate::format::Keyed;
use crate::store::{Generation, Placed, verified_if};
use std::fmt;
use std::ops::Deref;

/// A value where it lies in memory, borrowed for the time of [`Bucket::get_with`].
pub struct BorrowedValue<'g, B: Resident> {
    generation: &'g Generation<B>,
    full_key: &'g [u8],
    /// Value and what lies behind it, and where that starts in the store.
    payload: &'g [u8],
    offset: u64,
    value: &'g [u8],
    checksum: [u8; 4],
    expires_at: u64,
    verify: bool,
}

impl<B: Resident> Bucket<'_, B> {
    /// What `look` makes of the value of `key`; `None` if it has none or has expired.
    ///
    /// Faster than [`get`](Self::get) for who copies what is short: there is no handle to count. A compaction that ends while `look` runs
    /// gives the space back after it.
    pub fn get_with<R>(
        &self,
        key: &[u8],
        look: impl FnOnce(&BorrowedValue<'_, B>) -> Result<R>,
    ) -> Result<Option<R>> {
        let key = self.full_key(key)?;
        let generation = self.store.current.load();
        let Some(Placed {
            payload,
            offset,
            checksum,
        }) = generation.get_placed(key.hash)?
        else {
            return Ok(None);
        };
        let Some(keyed) = Keyed::parse_as(payload, &key.bytes) else {
            return Ok(None);
        };
        if self.store.is_over(keyed.expires_at) {
            return Ok(None);
        }
        let value = BorrowedValue {
            generation: &generation,
            full_key: &key.bytes,
            payload,
            offset,
            value: keyed.value,
            checksum,
            expires_at: keyed.expires_at,
            verify: self.store.settings().verify_reads,
        };
        if value.verify {
            value.keep()?;
        }
        look(&value).map(Some)
    }
}

impl<B: Resident> BorrowedValue<'_, B> {
    /// The value.
    #[must_use]
    pub const fn as_slice(&self) -> &[u8] {
        self.value
    }

    /// When it expires, in milliseconds since the Unix epoch; `None` if it does not.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        Some(self.expires_at).filter(|&at| at != 0)
    }

    /// Its [`version`](Value::version).
    #[must_use]
    pub const fn version(&self) -> u64 {
        version_of(self.offset, self.checksum)
    }

    /// Its bytes alone, kept as the medium keeps them after the call.
    pub fn view(&self) -> Result<B::View> {
        let end = self.offset.saturating_add(self.value.len() as u64);
        let view = self.generation.backing.view(self.offset..end);
        view.map_err(Error::io("read an entry"))
    }

    /// A handle on it that outlives the call, as [`Bucket::get`] gives.
    pub fn keep(&self) -> Result<Value<B::View>> {
        let end = self.offset.saturating_add(self.payload.len() as u64);
        let entry = self.generation.view(self.offset..end)?;
        let entry = verified_if(self.verify, entry)?;
        Value::of(entry, self.full_key).ok_or(Error::Corrupt {
            offset: self.offset,
            what: "an entry is not the one that was found there",
        })
    }
}

impl<B: Resident> Deref for BorrowedValue<'_, B> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.value
    }
}

impl<B: Resident> fmt::Debug for BorrowedValue<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BorrowedValue")
            .field("len", &self.value.len())
            .field("expires_at", &self.expires_at())
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests {
    use crate::backing::MemoryBacking;
    use crate::{Error, MemoryStore, Options, Store};

    #[test]
    fn what_is_looked_at_is_what_is_got() {
        let options = Options::new().clock(|| 10);
        let store: MemoryStore = Store::open_with(MemoryBacking::default(), &options).unwrap();
        let bucket = store.bucket("b").unwrap();
        for len in [0, 1, 40, 2_000, 70_000] {
            let value: Vec<u8> = (0..=250).cycle().take(len).collect();
            bucket.set_until(b"k", &value, 11).unwrap();
            let got = bucket.get(b"k").unwrap().unwrap();
            let looked = bucket.get_with(b"k", |value| {
                assert_eq!(value.keep()?.as_slice(), value.as_slice());
                assert_eq!(value.view()?.as_ref(), value.as_slice());
                assert_eq!(value.expires_at(), Some(11));
                Ok((value.to_vec(), value.version()))
            });
            assert_eq!(looked.unwrap().unwrap(), (value, got.version()));
        }
        bucket.set_until(b"k", b"over", 10).unwrap();
        let never = |key: &[u8]| {
            let looked = bucket.get_with(key, |_| -> crate::Result<()> { unreachable!() });
            assert_eq!(looked.unwrap(), None);
        };
        never(b"k");
        never(b"nothing");
        bucket.set(b"k", b"there").unwrap();
        let failed = bucket.get_with(b"k", |_| Err::<(), _>(Error::ReadOnly));
        assert!(matches!(failed, Err(Error::ReadOnly)));
    }
}
