//! Values that expire.
//!
//! Invariant: only what has expired is deleted by a read, decided under the writer's lock, so that a value written meanwhile stays.

use super::decode;
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::compute_hash;
use crate::store::{Change, DataStoreReader, DataStoreWriter, Store};
use crate::utils::NamespaceHasher;
use bitcode::{DecodeOwned, Encode};

const NAMESPACE: &[u8] = b"\xf7ttl\xfd";

/// Values that expire, counted in seconds by the system's clock or the one that the store was opened with.
///
/// The keys are apart from those of plain values. For values of any kind see also
/// [`Bucket::set_with_ttl`](crate::Bucket::set_with_ttl), which compactions know of.
pub trait StorageCacheExt {
    /// Stores `value` for `ttl_secs` seconds and returns the store's new tail; one of 0 has expired at once.
    fn write_with_ttl<T: Encode>(&self, key: &[u8], value: &T, ttl_secs: u64) -> Result<u64>;

    /// The value under `key`; `None` if it has expired, and then it is deleted, unless the store is read-only or takes no writes.
    ///
    /// [`Error::KeyNotFound`] if there is none (any more), [`Error::NotDecodable`] if it is of another type.
    fn read_with_ttl<T: DecodeOwned>(&self, key: &[u8]) -> Result<Option<T>>;
}

impl<B: Backing> StorageCacheExt for Store<B> {
    fn write_with_ttl<T: Encode>(&self, key: &[u8], value: &T, ttl_secs: u64) -> Result<u64> {
        let expires_at = seconds_now(self).saturating_add(ttl_secs);
        let bytes = [&expires_at.to_le_bytes(), &bitcode::encode(value)[..]].concat();
        self.write(&namespaced(key), &bytes)
    }

    fn read_with_ttl<T: DecodeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        let key_hash = compute_hash(&namespaced(key));
        let entry = self
            .read_with_key_hash(key_hash)?
            .ok_or(Error::KeyNotFound)?;
        let (expires_at, value) = split(&entry)?;
        if seconds_now(self) < expires_at {
            return decode(value).map(Some);
        }
        // That it has expired is the answer, whether or not it can be deleted.
        let _ = delete_expired(self, key_hash);
        Ok(None)
    }
}

/// Deletes the value of a key if the one that is there now has expired.
fn delete_expired<B: Backing>(store: &Store<B>, key_hash: u64) -> Result<()> {
    if store.settings().read_only {
        return Ok(());
    }
    let mut writer = store.lock_writer();
    let Some(entry) = store.read_with_key_hash(key_hash)? else {
        return Ok(());
    };
    let (expires_at, _) = split(&entry)?;
    if expires_at <= seconds_now(store) {
        store.commit_one_locked(&mut writer, key_hash, Change::Delete)?;
    }
    Ok(())
}

fn split(bytes: &[u8]) -> Result<(u64, &[u8])> {
    let (expires_at, value) =
        bytes
            .split_first_chunk::<8>()
            .ok_or_else(|| Error::NotDecodable {
                reason: format!("{} bytes do not hold when it expires", bytes.len()),
            })?;
    Ok((u64::from_le_bytes(*expires_at), value))
}

fn seconds_now<B: Backing>(store: &Store<B>) -> u64 {
    store.settings().now() / 1000
}

fn namespaced(key: &[u8]) -> Vec<u8> {
    NamespaceHasher::new(NAMESPACE).namespace(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backing::MemoryBacking;
    use crate::{MemoryStore, Options};
    use std::cell::Cell;

    thread_local! {
        static NOW: Cell<u64> = const { Cell::new(1_000_000) };
    }

    fn store() -> MemoryStore {
        NOW.set(1_000_000);
        let options = Options::new().clock(|| NOW.get());
        Store::open_with(MemoryBacking::new(), &options).unwrap()
    }

    #[test]
    fn a_value_expires_at_its_second_and_is_deleted_by_the_next_read() {
        let store = store();
        store.write_with_ttl(b"key", &7_u32, 5).unwrap();
        NOW.set(1_004_999);
        assert_eq!(store.read_with_ttl::<u32>(b"key").unwrap(), Some(7));
        NOW.set(1_005_000);
        assert_eq!(store.read_with_ttl::<u32>(b"key").unwrap(), None);
        assert_eq!(store.len().unwrap(), 0);
        let again = store.read_with_ttl::<u32>(b"key");
        assert!(matches!(again, Err(Error::KeyNotFound)));
    }

    #[test]
    fn times_beyond_all_times_do_not_overflow() {
        let store = store();
        store.write_with_ttl(b"key", &(), u64::MAX).unwrap();
        NOW.set(u64::MAX);
        assert_eq!(store.read_with_ttl::<()>(b"key").unwrap(), Some(()));
    }

    #[test]
    fn what_was_written_meanwhile_stays() {
        let store = store();
        let key_hash = compute_hash(&namespaced(b"key"));
        store.write_with_ttl(b"key", &1_u8, 0).unwrap();
        // As if it came between the look at the expired value and the deletion.
        store.write_with_ttl(b"key", &2_u8, 60).unwrap();
        delete_expired(&store, key_hash).unwrap();
        assert_eq!(store.read_with_ttl::<u8>(b"key").unwrap(), Some(2));
    }

    #[test]
    fn any_value_and_any_option_comes_back() {
        let store = store();
        store.write_with_ttl(b"zero", &0_u8, 60).unwrap();
        store.write_with_ttl(b"unit", &(), 60).unwrap();
        store.write_with_ttl(b"none", &None::<u16>, 60).unwrap();
        store
            .write_with_ttl(b"some", &Some(0xfeff_u16), 60)
            .unwrap();
        assert_eq!(store.read_with_ttl::<u8>(b"zero").unwrap(), Some(0));
        assert_eq!(store.read_with_ttl::<()>(b"unit").unwrap(), Some(()));
        let read = |key: &[u8]| store.read_with_ttl::<Option<u16>>(key).unwrap();
        assert_eq!(read(b"none"), Some(None));
        assert_eq!(read(b"some"), Some(Some(0xfeff)));
    }

    #[test]
    fn what_is_too_short_or_of_another_type_is_an_error_and_stays() {
        let store = store();
        store.write(&namespaced(b"short"), b"1234567").unwrap();
        store.write_with_ttl(b"other", &"text", 60).unwrap();
        for key in [&b"short"[..], b"other"] {
            let error = store.read_with_ttl::<[u64; 4]>(key).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
        }
        assert_eq!(store.len().unwrap(), 2);
    }
}
