//! Changes of a bucket that count together or not at all.

use super::update::{New, millis_from};
use super::{Bucket, FullKey};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::index::Hashes;
use crate::store::Change;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// Puts and deletions in a bucket; of several for one key the last one counts.
///
/// It borrows the keys and values that it is given as slices, and writes nothing before it is committed.
#[must_use = "nothing is written before it is committed"]
pub struct BucketBatch<'b, 's, 'a, B: Backing> {
    bucket: &'b Bucket<'s, B>,
    changes: Vec<OwnedChange<'a>>,
}

/// A key, and its new value with its expiry or that it is to go.
type OwnedChange<'a> = (Cow<'a, [u8]>, Option<(Cow<'a, [u8]>, u64)>);

impl<'s, B: Backing> Bucket<'s, B> {
    /// An empty batch of changes of this bucket.
    pub const fn batch<'a>(&self) -> BucketBatch<'_, 's, 'a, B> {
        BucketBatch {
            bucket: self,
            changes: Vec::new(),
        }
    }

    /// Makes changes together. A deletion appends nothing where there is no value then.
    pub(super) fn change_many(&self, changes: &[(&[u8], New<'_>)]) -> Result<u64> {
        let tail = self.change_many_if(changes, |_| Ok(true))?;
        Ok(tail.unwrap_or_default())
    }

    /// Stores all pairs if none of the keys has a value, and says whether it did; of two pairs for one key the last one stays.
    pub fn add_many(&self, pairs: &[(&[u8], &[u8])]) -> Result<bool> {
        let puts: Vec<_> = pairs
            .iter()
            .map(|&(key, value)| (key, Some((value, 0))))
            .collect();
        let is_new = |key: &[u8]| Ok(!self.exists(key)?);
        Ok(self.change_many_if(&puts, is_new)?.is_some())
    }

    /// Makes changes together if each key may be changed, which is asked when no other writer can come between.
    fn change_many_if(
        &self,
        changes: &[(&[u8], New<'_>)],
        may_change: impl Fn(&[u8]) -> Result<bool>,
    ) -> Result<Option<u64>> {
        let mut keyed: Vec<(FullKey, Option<Vec<u8>>)> = Vec::with_capacity(changes.len());
        // Of each hash the first key that has it.
        let mut seen = Hashes::new();
        for (nth, (key, new)) in changes.iter().enumerate() {
            let key = self.full_key(key)?;
            let first = *seen.entry(key.hash).or_insert(nth);
            if keyed.get(first).is_some_and(|(first, _)| *first != key) {
                return Err(Error::HashCollision { key_hash: key.hash });
            }
            let behind = new.map(|(_, expires_at)| key.behind(expires_at));
            keyed.push((key, behind));
        }
        let mut writer = self.store.lock_writer();
        for (key, _) in changes {
            if !may_change(key)? {
                return Ok(None);
            }
        }
        // Whether it has a value when its next change comes, once a change said so; at its place.
        let mut has_value = vec![None; changes.len()];
        let mut commit = Vec::with_capacity(keyed.len());
        for ((key, behind), (_, new)) in keyed.iter().zip(changes) {
            let first = seen.get(&key.hash).copied().unwrap_or(usize::MAX);
            let Some(has_value) = has_value.get_mut(first) else {
                continue;
            };
            if let (Some((value, _)), Some(behind)) = (new, behind) {
                // A value of before is overwritten, so it must be this key's.
                self.check_collision(key)?;
                *has_value = Some(true);
                commit.push((key.hash, Change::PutWith(value, behind)));
                continue;
            }
            let is_there = match has_value.replace(false) {
                Some(is_there) => is_there,
                None => self.is_stored(key)?,
            };
            if is_there {
                commit.push((key.hash, Change::Delete));
            }
        }
        self.store.commit_together(&mut writer, &commit).map(Some)
    }
}

impl<'a, B: Backing> BucketBatch<'_, '_, 'a, B> {
    /// Stores `value`, borrowed or owned, under `key`.
    pub fn put(
        &mut self,
        key: impl Into<Cow<'a, [u8]>>,
        value: impl Into<Cow<'a, [u8]>>,
    ) -> &mut Self {
        self.put_until(key, value, 0)
    }

    /// Stores `value` under `key` for so long from now on, as [`Bucket::set_with_ttl`] does.
    pub fn put_with_ttl(
        &mut self,
        key: impl Into<Cow<'a, [u8]>>,
        value: impl Into<Cow<'a, [u8]>>,
        ttl: Duration,
    ) -> &mut Self {
        let expires_at = millis_from(self.bucket.store.settings().now(), ttl);
        self.put_until(key, value, expires_at)
    }

    /// Stores `value` under `key` until `expires_at`, in milliseconds since the Unix epoch; 0 is for good.
    pub fn put_until(
        &mut self,
        key: impl Into<Cow<'a, [u8]>>,
        value: impl Into<Cow<'a, [u8]>>,
        expires_at: u64,
    ) -> &mut Self {
        let new = Some((value.into(), expires_at));
        self.changes.push((key.into(), new));
        self
    }

    /// Deletes `key`; nothing is written for it if it has no value then.
    pub fn delete(&mut self, key: impl Into<Cow<'a, [u8]>>) -> &mut Self {
        self.changes.push((key.into(), None));
        self
    }

    /// How many changes it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Makes all changes together, in their order, and returns the store's new tail: if it fails, and for whoever opens the store after
    /// a crash, there are all of them or none. The batch stays as it is.
    ///
    /// [`Error::KeyTooLong`] and [`Error::HashCollision`] as for [`Bucket::set`], with nothing written.
    pub fn commit(&self) -> Result<u64> {
        let changes: Vec<(&[u8], New<'_>)> = self
            .changes
            .iter()
            .map(|(key, new)| {
                let new = new.as_ref().map(|(value, until)| (&value[..], *until));
                (&key[..], new)
            })
            .collect();
        self.bucket.change_many(&changes)
    }
}

impl<B: Backing> fmt::Debug for BucketBatch<'_, '_, '_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketBatch")
            .field("bucket", self.bucket)
            .field("changes", &self.changes.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests {
    use crate::MemoryStore;

    #[test]
    fn pairs_are_added_together_or_not_at_all() {
        let store = MemoryStore::new();
        let bucket = store.bucket("b").unwrap();
        bucket.set(b"there", b"kept").unwrap();
        let tail = store.tail();
        let add = |pairs: &[(&[u8], &[u8])]| bucket.add_many(pairs).unwrap();
        assert!(!add(&[(b"new", b"v"), (b"there", b"v")]));
        assert_eq!(store.tail(), tail);
        assert!(bucket.get(b"new").unwrap().is_none());
        assert!(add(&[]));
        assert!(add(&[(b"new", b"1"), (b"new", b"2")]));
        assert_eq!(bucket.get(b"new").unwrap().unwrap().as_slice(), b"2");
        bucket.delete(b"there").unwrap();
        assert!(add(&[(b"there", b"again")]));
    }
}
