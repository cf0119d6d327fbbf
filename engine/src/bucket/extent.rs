//! Where a value lies in the medium, for who reads it from there without the store.

use super::{Bucket, BucketView, Trailer, value};
use crate::backing::Backing;
use crate::error::Result;
use crate::store::{Located, newest_before};

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

/// One version of a key, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VersionExtent {
    /// The tail right after it, of which [`as_of`](crate::Store::as_of) shows it.
    pub tail: u64,
    /// Where its value lies; `None` for a deletion.
    pub value: Option<ValueExtent>,
}

impl<B: Backing> Bucket<'_, B> {
    /// The newest versions of `key`, at most `limit` of them, as [`history`](Self::history) has them; reads no value.
    pub fn version_extents(&self, key: &[u8], limit: usize) -> Result<Vec<VersionExtent>> {
        let key = self.full_key(key)?;
        let generation = self.store.current.load_full();
        let (mut tail, mut versions) = (generation.tail(), Vec::new());
        // Of deletions that follow each other the first one did it, if a value of this key is below.
        let mut deletion = None;
        while versions.len() < limit
            && let Some(entry) = newest_before(&generation, tail, key.hash)?
        {
            tail = entry.metadata.prev_offset;
            let end = entry.end();
            if entry.is_tombstone {
                deletion = Some(VersionExtent {
                    tail: end,
                    value: None,
                });
                continue;
            }
            let deletion = deletion.take();
            let trailer = Trailer::read(&generation, Located::of(&entry).extent)?;
            if let Some(trailer) = trailer.filter(|trailer| *trailer.full_key == *key.bytes) {
                let value = Some(trailer.extent());
                versions.extend(deletion);
                versions.push(VersionExtent { tail: end, value });
            }
        }
        versions.truncate(limit);
        Ok(versions)
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests {
    use super::VersionExtent;
    use crate::backing::device::faulty::FaultyDevice;
    use crate::backing::device::{Device, DeviceBacking};
    use crate::{Bucket, Options, Store};
    use std::cell::Cell;
    use std::io;

    #[test]
    fn the_bytes_at_an_extent_are_the_value() {
        let device = FaultyDevice::new();
        let backing = DeviceBacking::new(device.clone(), 1 << 20).unwrap();
        let store = Store::open_with(backing, &Options::new().clock(|| 10)).unwrap();
        let bucket = store.bucket("b").unwrap();
        assert_eq!(bucket.extent_of(b"none").unwrap(), None);
        let mut tails = Vec::new();
        for len in [0, 1, 63, 64, 5_000, 90_000] {
            let value = vec![7; len];
            bucket.set(b"other", b"x").unwrap();
            tails.push((bucket.set_until(b"k", &value, 11).unwrap(), len));
            let extent = bucket.extent_of(b"k").unwrap().unwrap();
            assert_eq!((extent.len, extent.expires_at), (len as u64, 11));
            assert_eq!(extent.offset % 64, 0);
            assert_eq!(extent.version & ((1 << 48) - 1), extent.offset);
            assert_eq!(Some(extent.version), bucket.version(b"k").unwrap());
            let start = usize::try_from(extent.offset).unwrap();
            assert_eq!(device.bytes().get(start..start + len).unwrap(), value);
        }
        let history = |bucket: &Bucket<'_, _>, key: &[u8]| -> Vec<_> {
            let versions = bucket.history(key).unwrap().map(Result::unwrap);
            let brief = |version: crate::BucketVersion<_>| {
                let value = version.value();
                let value = value.map(|value: &crate::Value<_>| (value.len(), value.version()));
                (version.tail(), value)
            };
            versions.map(brief).collect()
        };
        bucket.delete(b"other").unwrap();
        bucket.delete(b"k").unwrap();
        bucket.set(b"k", b"again").unwrap();
        for key in [&b"k"[..], b"other", b"none"] {
            let all = history(&bucket, key);
            let brief = |version: &VersionExtent| {
                let value = version.value;
                let value = value.map(|value| (usize::try_from(value.len).unwrap(), value.version));
                (version.tail, value)
            };
            for limit in 0..all.len() + 2 {
                let found = bucket.version_extents(key, limit).unwrap();
                let found: Vec<_> = found.iter().map(brief).collect();
                assert_eq!(found, all.get(..limit).unwrap_or(&all));
            }
        }
        for (tail, len) in tails {
            let then = bucket.as_of(tail).unwrap().extent_of(b"k").unwrap();
            assert_eq!(then.unwrap().len, len as u64);
        }
        let before = bucket.as_of(0).unwrap();
        assert_eq!(before.extent_of(b"k").unwrap(), None);
        assert!(!before.exists(b"k").unwrap());
        bucket.set_until(b"k", b"gone", 10).unwrap();
        assert_eq!(bucket.extent_of(b"k").unwrap(), None);
        let sized = bucket.set_sized_until(b"k", 3, &mut &b"new"[..], 10);
        sized.unwrap();
        assert_eq!(bucket.extent_of(b"k").unwrap(), None);
    }

    /// Counts the bytes that are read.
    struct Counting {
        device: FaultyDevice,
        read: Cell<usize>,
    }

    impl Device for &Counting {
        fn len(&self) -> io::Result<u64> {
            self.device.len()
        }
        fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
            self.read.set(self.read.get() + buf.len());
            self.device.read_at(at, buf)
        }
        fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
            self.device.write_at(at, buf)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.device.set_len(len)
        }
        fn sync(&self) -> io::Result<()> {
            self.device.sync()
        }
    }

    #[test]
    fn long_values_are_found_overwritten_and_deleted_without_being_read() {
        let counting = Counting {
            device: FaultyDevice::new(),
            read: Cell::new(0),
        };
        let backing = DeviceBacking::new(&counting, 0).unwrap();
        let store = Store::open_with(backing, &Options::new()).unwrap();
        let bucket = store.bucket("b").unwrap();
        let long = vec![1; 1 << 20];
        bucket.set(b"k", &long).unwrap();
        let extent = bucket.extent_of(b"k").unwrap().unwrap();
        bucket.set(b"k", &long).unwrap();
        assert_ne!(bucket.extent_of(b"k").unwrap(), Some(extent));
        assert!(bucket.delete(b"k").unwrap());
        assert!(!bucket.delete(b"k").unwrap());
        bucket.set(b"k", &long).unwrap();
        let tail = store.tail();
        bucket.set(b"k", b"short").unwrap();
        assert!(bucket.as_of(tail).unwrap().exists(b"k").unwrap());
        let read = counting.read.get();
        assert!(read < 10_000, "{read} bytes were read");
    }
}
