//! Values that do not fit in memory: stored from a stream, read in parts.
//!
//! Invariant: what lies behind a value follows it through the same stream, so nothing tells such an entry from any other of a bucket.

use super::{Bucket, FullKey, Trailer};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::store::EntryWriter;
use std::fmt;
use std::io::{self, Read, Write};

/// A value of a bucket being written piece by piece; [`finish`](Self::finish) stores it, dropping it leaves no trace.
///
/// Takes the memory that an [`EntryWriter`] does. Any bytes will do: none at all, and zeros.
pub struct BucketWriter<'b, 's, B: Backing> {
    bucket: &'b Bucket<'s, B>,
    key: FullKey,
    expires_at: u64,
    entry: EntryWriter<'s, B>,
}

impl<'s, B: Backing> Bucket<'s, B> {
    /// A writer for the value of `key`, visible once it is finished; [`Error::KeyTooLong`] above 64 KiB of key.
    pub fn entry_writer(&self, key: &[u8]) -> Result<BucketWriter<'_, 's, B>> {
        let key = self.full_key(key)?;
        Ok(BucketWriter {
            bucket: self,
            entry: self.store.entry_writer_with_key_hash(key.hash),
            key,
            expires_at: 0,
        })
    }

    /// Stores everything that `source` yields under `key` and returns the store's new tail; an error of the source is an error of
    /// the call.
    ///
    /// The value is gathered first, as [`write_stream`](crate::DataStoreWriter::write_stream) does, so a slow source holds nobody up.
    pub fn set_stream(&self, key: &[u8], source: &mut impl Read) -> Result<u64> {
        let mut writer = self.entry_writer(key)?;
        self.store.check_writable()?;
        writer.entry.fill_from(source)?;
        writer.finish()
    }

    /// Stores `len` bytes of `source` under `key`, straight into the store, as [`write_sized`](crate::Store::write_sized) does:
    /// other writers wait meanwhile, and `source` must not use this store.
    pub fn set_sized(&self, key: &[u8], len: u64, source: &mut impl Read) -> Result<u64> {
        self.set_sized_until(key, len, source, 0)
    }

    /// The same until `expires_at`, in milliseconds since the Unix epoch; 0 is for good.
    pub fn set_sized_until(
        &self,
        key: &[u8],
        len: u64,
        source: &mut impl Read,
        expires_at: u64,
    ) -> Result<u64> {
        let key = self.full_key(key)?;
        let behind = key.behind(expires_at);
        let whole_len = len.saturating_add(behind.len() as u64);
        // A source that ends before makes the whole end before.
        let mut whole = source.take(len).chain(&behind[..]);
        let check = || self.check_collision(&key);
        self.store
            .write_sized_if(key.hash, whole_len, &mut whole, check)
    }

    /// The length of the value of `key` in bytes; `None` if it has none. Reads no value.
    pub fn value_len(&self, key: &[u8]) -> Result<Option<u64>> {
        let trailer = self.live_trailer(key, |_, trailer| Ok(trailer.value_len))?;
        Ok(trailer)
    }

    /// Copies the value of `key`, from its byte `offset` on, into `buf`, and returns how many bytes that were: fewer than asked at
    /// the value's end, `None` without a value. Reads no more of the value than that.
    pub fn read_range(&self, key: &[u8], offset: u64, buf: &mut [u8]) -> Result<Option<usize>> {
        self.live_trailer(key, |backing, trailer| {
            let left = trailer.value_len.saturating_sub(offset);
            let take = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
            if let Some(buf) = buf.get_mut(..take).filter(|buf| !buf.is_empty()) {
                backing
                    .read(trailer.value_offset.saturating_add(offset), buf)
                    .map_err(Error::io("read an entry"))?;
            }
            Ok(take)
        })
    }

    pub(super) fn live_trailer<R>(
        &self,
        key: &[u8],
        read: impl FnOnce(&B, Trailer) -> Result<R>,
    ) -> Result<Option<R>> {
        let key = self.full_key(key)?;
        let generation = self.store.current.load();
        let trailer = key.trailer(&generation)?;
        trailer
            .filter(|trailer| !self.store.is_over(trailer.expires_at))
            .map(|trailer| read(&generation.backing, trailer))
            .transpose()
    }
}

impl<B: Backing> BucketWriter<'_, '_, B> {
    /// Has the value expire at this time, in milliseconds since the Unix epoch; 0 is never.
    #[must_use]
    pub const fn until(mut self, expires_at: u64) -> Self {
        self.expires_at = expires_at;
        self
    }

    /// Stores what was written as the value and returns the store's new tail.
    ///
    /// [`Error::HashCollision`] if another key in the store has the same hash by now.
    pub fn finish(mut self) -> Result<u64> {
        let behind = self.key.behind(self.expires_at);
        self.entry
            .write_all(&behind)
            .map_err(Error::io("spool a value"))?;
        self.entry
            .finish_if(|| self.bucket.check_collision(&self.key))
    }
}

impl<B: Backing> Write for BucketWriter<'_, '_, B> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.entry.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.entry.flush()
    }
}

impl<B: Backing> fmt::Debug for BucketWriter<'_, '_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketWriter")
            .field("bucket", self.bucket)
            .field("entry", &self.entry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests {
    use crate::backing::Backing;
    use crate::backing::device::DeviceBacking;
    use crate::backing::device::faulty::FaultyDevice;
    use crate::backing::device::seeded::Seeded;
    use crate::{Error, MemoryStore, Options, Store};
    use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};

    fn values() -> Vec<Vec<u8>> {
        let mut random = Seeded::new(3);
        [0, 1, 63, 200, 1919, 70_000, (1 << 20) - 30, 2_500_000]
            .into_iter()
            .flat_map(|len| [random.bytes(len), vec![0; len]])
            .collect()
    }

    /// Stores one value under the key it is given.
    type Way<'v> = &'v dyn Fn(&[u8]);

    fn check<B: Backing>(store: &Store<B>) {
        let bucket = store.bucket("large").unwrap();
        for value in values() {
            let ways: [Way<'_>; 3] = [
                &|key| {
                    bucket.set_stream(key, &mut &value[..]).unwrap();
                },
                &|key| {
                    let len = value.len() as u64;
                    bucket.set_sized(key, len, &mut &value[..]).unwrap();
                },
                &|key| {
                    let mut writer = bucket.entry_writer(key).unwrap().until(u64::MAX);
                    for piece in value.chunks(99_999) {
                        writer.write_all(piece).unwrap();
                    }
                    writer.finish().unwrap();
                },
            ];
            for (nth, set) in ways.into_iter().enumerate() {
                let key = vec![b'k'; 1 + nth * 300];
                set(&key);
                assert!(*bucket.get(&key).unwrap().unwrap() == value[..]);
                let len = value.len() as u64;
                assert_eq!(bucket.value_len(&key).unwrap(), Some(len));
                let mut buf = [0xee; 40];
                for offset in [0, 1, len / 2, len.saturating_sub(7), len, u64::MAX] {
                    let got = bucket.read_range(&key, offset, &mut buf).unwrap().unwrap();
                    let at = usize::try_from(offset.min(len)).unwrap();
                    assert_eq!(got, (value.len() - at).min(buf.len()));
                    assert_eq!(buf[..got], value[at..at + got]);
                }
            }
        }
        assert_eq!(bucket.value_len(b"none").unwrap(), None);
        assert_eq!(bucket.read_range(b"none", 0, &mut [0]).unwrap(), None);
        assert_eq!(bucket.len().unwrap(), 3);
    }

    #[test]
    #[cfg_attr(miri, ignore = "megabytes")]
    fn whatever_was_streamed_is_read_whole_and_in_parts() {
        check(&MemoryStore::new());
        let device = DeviceBacking::new(FaultyDevice::new(), 1 << 20).unwrap();
        check(&Store::open_with(device, &Options::new()).unwrap());
    }

    #[test]
    fn what_breaks_leaves_nothing() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the source broke"))
            }
        }
        let store = MemoryStore::new();
        let bucket = store.bucket("b").unwrap();
        bucket.set(b"k", b"before").unwrap();
        let tail = store.tail();
        assert!(bucket.set_stream(b"k", &mut b"some".chain(Broken)).is_err());
        assert!(
            bucket
                .set_sized(b"k", 9, &mut b"some".chain(Broken))
                .is_err()
        );
        for len in [5, 30, u64::MAX] {
            let short = bucket.set_sized(b"k", len, &mut &b"four"[..]);
            assert!(short.is_err(), "{len}");
        }
        let long = vec![0; (1 << 16) + 1];
        assert!(matches!(
            bucket.entry_writer(&long),
            Err(Error::KeyTooLong { .. })
        ));
        let mut dropped = bucket.entry_writer(b"k").unwrap();
        dropped.write_all(b"never").unwrap();
        drop(dropped);
        assert_eq!(store.tail(), tail);
        assert_eq!(*bucket.get(b"k").unwrap().unwrap(), *b"before");
    }

    #[test]
    fn a_value_is_a_stream_of_its_own_bytes() {
        let store = MemoryStore::new();
        let bucket = store.bucket("b").unwrap();
        bucket.set(b"k", b"one\ntwo\nthree").unwrap();
        let mut stream = bucket.get(b"k").unwrap().unwrap().into_stream();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        assert_eq!(all, "one\ntwo\nthree");
        assert_eq!(stream.seek(SeekFrom::End(-5)).unwrap(), 8);
        all.clear();
        stream.read_to_string(&mut all).unwrap();
        assert_eq!(all, "three");
        stream.rewind().unwrap();
        assert_eq!(stream.lines().count(), 3);
    }
}
