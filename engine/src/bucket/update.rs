//! Changing a bucket: single keys, several at once, and only if the value is still what it was.
//!
//! Every change looks at what is stored under the writer's lock, so that nothing comes between.

use super::{Bucket, Value, another_key, is_of, trailer_of};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::store::{Change, Judge, Request};
use std::time::Duration;

/// A value is only written again as long as it is what was stored: a new checksum would hide the damage for good.
fn check_sound<V: AsRef<[u8]>>(value: &Value<V>) -> Result<()> {
    if value.is_valid_checksum() {
        return Ok(());
    }
    Err(Error::Corrupt {
        offset: value.start_offset(),
        what: "the value has another checksum than stored",
    })
}

/// An optional value that expires at some time: what is to be stored, or to be deleted.
pub(super) type New<'v> = Option<(&'v [u8], u64)>;

/// When what is stored now for so long expires: rounded up, and never 0, which would be for good.
pub(super) fn millis_from(now: u64, ttl: Duration) -> u64 {
    let millis = u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    now.saturating_add(millis).max(1)
}

impl<B: Backing> Bucket<'_, B> {
    /// Stores `value` under `key` and returns the store's new tail.
    ///
    /// [`Error::KeyTooLong`] above 64 KiB of key, [`Error::HashCollision`] if another key in the store has the same hash.
    pub fn set(&self, key: &[u8], value: &[u8]) -> Result<u64> {
        self.set_until(key, value, 0)
    }

    /// Stores `value` under `key` for so long: then it reads as absent, and the next compaction drops it.
    ///
    /// Counted in milliseconds, rounded up, by the system's clock or the one that the store was opened with.
    pub fn set_with_ttl(&self, key: &[u8], value: &[u8], ttl: Duration) -> Result<u64> {
        self.set_until(key, value, millis_from(self.store.settings().now(), ttl))
    }

    /// Stores `value` under `key` until `expires_at`, in milliseconds since the Unix epoch; 0 is for good.
    pub fn set_until(&self, key: &[u8], value: &[u8], expires_at: u64) -> Result<u64> {
        let key = self.full_key(key)?;
        let behind = key.behind(expires_at);
        let change = Change::PutWith(value, &behind);
        let judge: Judge<B> = |store, key_hash, key| {
            // A value that does not lie in memory is not read for its key.
            if !B::IN_MEMORY && trailer_of(&store.current.load(), key_hash, key)?.is_some() {
                return Ok(Some(true));
            }
            match store.read_for_bucket(key_hash)? {
                Some(entry) if !is_of(&entry, key) => Err(another_key(&entry)),
                _ => Ok(Some(true)),
            }
        };
        let request = Request::judged(key.hash, change, judge, &key.bytes);
        Ok(self.store.commit_shared(&request)?.tail)
    }

    /// Deletes `key`; says whether it had a value. Appends nothing if there is none.
    pub fn delete(&self, key: &[u8]) -> Result<bool> {
        let key = self.full_key(key)?;
        let judge: Judge<B> = |store, key_hash, key| {
            if !B::IN_MEMORY {
                let trailer = trailer_of(&store.current.load(), key_hash, key)?;
                return Ok(trailer.map(|trailer| !store.is_over(trailer.expires_at)));
            }
            let entry = store.read_for_bucket(key_hash)?;
            let value = entry.and_then(|entry| Value::of(entry, key));
            Ok(value.map(|value| !store.is_over(value.raw_expires_at())))
        };
        let request = Request::judged(key.hash, Change::Delete, judge, &key.bytes);
        Ok(self.store.commit_shared(&request)?.judged == Some(true))
    }

    /// Stores all pairs, or none of them, across a crash as well; of two for one key the last one stays.
    pub fn set_many(&self, pairs: &[(&[u8], &[u8])]) -> Result<u64> {
        let puts = pairs.iter().map(|&(key, value)| (key, Some((value, 0))));
        self.change_many(&puts.collect::<Vec<_>>())
    }

    /// Deletes all keys, or none of them, across a crash as well; those without a value append nothing.
    pub fn delete_many(&self, keys: &[&[u8]]) -> Result<u64> {
        let deletions = keys.iter().map(|&key| (key, None));
        self.change_many(&deletions.collect::<Vec<_>>())
    }

    /// Stores `value` under `key` if its [`version`](Bucket::version) still is this one, `None` being that it has no value; says
    /// whether it did.
    pub fn put_if(&self, key: &[u8], value: &[u8], version: Option<u64>) -> Result<bool> {
        let new = |stored: Option<&Value<B::View>>| {
            let same = stored.map(Value::version) == version;
            Ok(same.then_some(Some((value.to_vec(), 0))))
        };
        self.update(key, new)
    }

    /// Stores `new` under `key`, or deletes it, if its value is `expected`; says whether it did. What expires keeps its time.
    pub fn compare_and_swap(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool> {
        self.update(key, |stored| {
            let same = stored.map(Value::as_slice) == expected;
            let expires_at = stored.map_or(0, Value::raw_expires_at);
            Ok(same.then(|| new.map(|new| (new.to_vec(), expires_at))))
        })
    }

    /// Adds `delta` to the number under `key`, 0 if it has no value, and returns the sum. What expires keeps its time.
    ///
    /// The number is stored in 8 bytes, little-endian, two's complement. [`Error::NotACounter`] for a value of another length or a
    /// sum that does not fit; the value then stays.
    pub fn increment(&self, key: &[u8], delta: i64) -> Result<i64> {
        let mut sum = 0;
        self.update(key, |stored| {
            let (before, expires_at) = match stored {
                Some(value) => {
                    check_sound(value)?;
                    let length = value.len();
                    let bytes = value.as_slice().try_into();
                    let bytes = bytes.map_err(|_| Error::NotACounter { length })?;
                    (i64::from_le_bytes(bytes), value.raw_expires_at())
                }
                None => (0, 0),
            };
            sum = before
                .checked_add(delta)
                .ok_or(Error::NotACounter { length: 8 })?;
            Ok(Some(Some((sum.to_le_bytes().to_vec(), expires_at))))
        })?;
        Ok(sum)
    }

    /// Has the value of `key` expire at this time, in milliseconds since the Unix epoch, or never; says whether there was a value.
    /// Writes the value again.
    pub fn set_expiry(&self, key: &[u8], expires_at: Option<u64>) -> Result<bool> {
        let expires_at = expires_at.map_or(0, |at| at.max(1));
        self.update(key, |stored| {
            stored.map(check_sound).transpose()?;
            Ok(stored.map(|value| Some((value.to_vec(), expires_at))))
        })
    }

    /// Asks `new` what to do, given the value of `key`: nothing (`None`), to delete it, or to store something until some time.
    /// Says whether it was to do anything.
    fn update(
        &self,
        key: &[u8],
        new: impl FnOnce(Option<&Value<B::View>>) -> Result<Option<Option<(Vec<u8>, u64)>>>,
    ) -> Result<bool> {
        let key = self.full_key(key)?;
        let mut writer = self.store.lock_writer();
        let stored = self.stored_or_collision(&key)?;
        let is_live = |value: &&Value<B::View>| !self.store.is_over(value.raw_expires_at());
        let live = stored.as_ref().filter(is_live);
        match new(live)? {
            None => return Ok(false),
            Some(None) if stored.is_none() => {}
            Some(None) => {
                let change = Change::Delete;
                self.store
                    .commit_one_locked(&mut writer, key.hash, change)?;
            }
            Some(Some((value, expires_at))) => {
                let behind = key.behind(expires_at);
                let change = Change::PutWith(&value, &behind);
                self.store
                    .commit_one_locked(&mut writer, key.hash, change)?;
            }
        }
        Ok(true)
    }
}
