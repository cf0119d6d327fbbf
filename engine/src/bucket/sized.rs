//! Values of known length, straight from where they lie into the store.

use super::Bucket;
use crate::backing::Backing;
use crate::error::Result;
use crate::store::Digest;
use std::io::Read;

impl<B: Backing> Bucket<'_, B> {
    /// Stores `len` bytes of `source` under `key`, in constant memory: for what is at hand, such as a file. Other writers wait
    /// meanwhile, and `source` must not write to this store.
    ///
    /// Fails with `UnexpectedEof`, nothing visible, if `source` ends before that; otherwise as [`set`](Self::set).
    pub fn set_sized(&self, key: &[u8], len: u64, source: &mut impl Read) -> Result<u64> {
        let key = self.full_key(key)?;
        let mut writer = self.store.lock_writer();
        self.stored_or_collision(&key)?;
        let behind = key.behind(0);
        // What is behind the value ends in bytes that are no zeros.
        self.store
            .append_sized(&mut writer, key.hash, (len, &behind), source, Digest::check)
    }
}

#[cfg(test)]
mod tests {
    use crate::{DataStoreReader, MemoryStore};

    #[test]
    fn a_sized_value_is_one_that_was_set() {
        let (sized, set) = (MemoryStore::new(), MemoryStore::new());
        for value in [&b""[..], b"\0", &[0; 100], &vec![7; 3 << 20]] {
            let len = u64::try_from(value.len()).unwrap();
            let bucket = sized.bucket("b").unwrap();
            bucket.set_sized(b"key", len, &mut &value[..]).unwrap();
            set.bucket("b").unwrap().set(b"key", value).unwrap();
            assert_eq!(bucket.get(b"key").unwrap().unwrap().as_slice(), value);
            let last = |store: &MemoryStore| store.read_last_entry().unwrap().unwrap();
            assert_eq!(last(&sized).as_slice(), last(&set).as_slice());
            assert_eq!(last(&sized).checksum(), last(&set).checksum());
            assert!(last(&sized).is_valid_checksum());
            assert_eq!(sized.tail(), set.tail());
        }
    }

    #[test]
    fn a_source_that_ends_too_early_leaves_what_was_there() {
        let store = MemoryStore::new();
        let bucket = store.bucket("b").unwrap();
        let tail = bucket.set(b"key", b"before").unwrap();
        assert!(bucket.set_sized(b"key", 5, &mut &b"four"[..]).is_err());
        assert_eq!(store.tail(), tail);
        assert_eq!(bucket.get(b"key").unwrap().unwrap().as_slice(), b"before");
    }
}
