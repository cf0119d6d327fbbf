//! Values as Arrow buffers, where they lie.
//!
//! Invariant: a buffer points at the value's own bytes, which start at a multiple of 64, and keeps them as a handle does. No `unsafe`:
//! the handle becomes the owner of a [`bytes::Bytes`], which Arrow takes over.

use crate::bucket::Value;
use crate::store::EntryHandle;
use arrow_buffer::Buffer;
use bytes::Bytes;

impl<V: AsRef<[u8]> + Clone + Send + 'static> EntryHandle<V> {
    /// The value as an Arrow buffer, without a copy where the medium lies in memory.
    ///
    /// ```
    /// use arrow_buffer::ScalarBuffer;
    /// use tailstone::{DataStoreReader, DataStoreWriter, MemoryStore};
    ///
    /// let store = MemoryStore::new();
    /// store.write(b"primes", &[2_i32, 3, 5].map(i32::to_le_bytes).concat())?;
    /// let buffer = store.read(b"primes")?.unwrap().into_arrow_buffer();
    /// drop(store); // the buffer stays
    /// assert_eq!(ScalarBuffer::<i32>::from(buffer)[..], [2, 3, 5]);
    /// # Ok::<(), tailstone::Error>(())
    /// ```
    #[must_use]
    pub fn as_arrow_buffer(&self) -> Buffer {
        self.clone().into_arrow_buffer()
    }

    /// The same, without another count of those who hold the medium.
    #[must_use]
    pub fn into_arrow_buffer(self) -> Buffer {
        Buffer::from(Bytes::from_owner(self))
    }
}

impl<V: AsRef<[u8]> + Clone + Send + 'static> Value<V> {
    /// The value as an Arrow buffer, without a copy where the medium lies in memory.
    #[must_use]
    pub fn as_arrow_buffer(&self) -> Buffer {
        self.clone().into_arrow_buffer()
    }

    /// The same, without another count of those who hold the medium.
    #[must_use]
    pub fn into_arrow_buffer(self) -> Buffer {
        Buffer::from(Bytes::from_owner(self))
    }
}

#[cfg(test)]
mod tests {
    use crate::{DataStoreReader, DataStoreWriter, MemoryStore};
    use arrow_buffer::{Buffer, ScalarBuffer};

    fn assert_shared<T: Send + Sync + 'static>(_: &T) {}

    #[test]
    fn a_buffer_is_the_value_where_it_lies_and_outlives_the_store() {
        let store = MemoryStore::new();
        store.write(b"odd", &[1; 33]).unwrap();
        let numbers: Vec<u8> = (0..100_u64).flat_map(u64::to_le_bytes).collect();
        store.write(b"key", &numbers).unwrap();
        let entry = store.read(b"key").unwrap().unwrap();
        let (borrowed, address) = (entry.as_arrow_buffer(), entry.as_slice().as_ptr());
        let owned: Buffer = entry.into_arrow_buffer();
        store.write(b"key", b"another").unwrap();
        drop(store);
        for buffer in [borrowed, owned] {
            assert_shared(&buffer);
            assert_eq!(buffer.as_ptr(), address);
            assert_eq!(buffer.as_ptr().align_offset(64), 0);
            let view = ScalarBuffer::<u64>::from(buffer);
            assert_eq!(view.as_ptr().cast(), address);
            assert!(view.iter().copied().eq(0..100));
        }
    }

    #[test]
    fn a_buckets_value_is_one_without_its_key() {
        let store = MemoryStore::new();
        let bucket = store.bucket("b").unwrap();
        bucket.set(b"key", b"value").unwrap();
        bucket.set(b"empty", b"").unwrap();
        let value = bucket.get(b"key").unwrap().unwrap();
        let buffer = value.as_arrow_buffer();
        assert_eq!(buffer.as_slice(), b"value");
        assert_eq!(buffer.as_ptr(), value.as_slice().as_ptr());
        let empty = bucket.get(b"empty").unwrap().unwrap();
        assert!(empty.into_arrow_buffer().is_empty());
    }

    #[cfg(any(unix, windows))]
    #[test]
    fn a_mapped_value_is_not_copied() {
        let scratch = tempfile::tempdir().unwrap();
        let store = crate::DataStore::open(&scratch.path().join("store.tsl")).unwrap();
        store.write(b"key", &vec![7; 1 << 20]).unwrap();
        let entry = store.read(b"key").unwrap().unwrap();
        let buffer = entry.as_arrow_buffer();
        assert_eq!(buffer.as_ptr(), entry.as_slice().as_ptr());
        drop((entry, store));
        assert!(buffer.as_slice() == vec![7; 1 << 20]);
    }
}
