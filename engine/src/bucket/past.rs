//! What was in a bucket before: the versions of a key, the bucket as it was at an earlier tail, and what changed since then.
//!
//! Invariant: only entries that carry the very key are shown, and a deletion only above one of them: a deletion carries nothing but a hash.

use super::{Bucket, FULL_KEY_BYTES, FullKey, ShortBytes, Trailer, Value};
use crate::backing::{Backing, DefaultView};
use crate::error::Result;
use crate::store::{ChangePage, History, ReadView, Version};
use std::fmt;
use std::iter::FusedIterator;

/// The versions of one key of a bucket, newest first, deletions included, each looked for when its turn comes.
///
/// Costs and errors are those of [`History`]. What has expired shows, with its [`expires_at`](Value::expires_at).
pub struct BucketHistory<B: Backing> {
    versions: History<B>,
    full_key: ShortBytes<FULL_KEY_BYTES>,
    /// A version that was found before its turn: it told that the deletion above it was of this key.
    found: Option<BucketVersion<B::View>>,
}

/// One version of a key of a bucket: what a write or a deletion left there.
#[derive(Clone)]
pub struct BucketVersion<V = DefaultView> {
    offset: u64,
    tail: u64,
    value: Option<Value<V>>,
}

/// A bucket as it was at one tail, for as long as the view is held.
///
/// Costs are those of a [`ReadView`]. Expiry is not judged: a view shows what was stored, whenever it is looked at, and
/// [`Value::expires_at`] tells until when that was to be.
pub struct BucketView<'b, 's, B: Backing> {
    bucket: &'b Bucket<'s, B>,
    view: ReadView<B>,
}

impl<'s, B: Backing> Bucket<'s, B> {
    /// Every version of `key` that is still in the store, newest first, deletions included; the call itself reads nothing.
    pub fn history(&self, key: &[u8]) -> Result<BucketHistory<B>> {
        let key = self.full_key(key)?;
        let versions = self.store.history_with_key_hash(key.hash);
        Ok(BucketHistory::new(versions, key))
    }

    /// The bucket as it was at `tail`, which any write to the store returned; fails and costs as [`Store::as_of`](crate::Store::as_of) does.
    pub fn as_of(&self, tail: u64) -> Result<BucketView<'_, 's, B>> {
        let view = self.store.as_of(tail)?;
        Ok(BucketView { bucket: self, view })
    }

    /// The changes of this bucket made behind the tail `since`, oldest first, at most `limit` of them (at least one), as
    /// [`Store::changes`](crate::Store::changes) has them.
    ///
    /// A page goes past some thousand entries at most, so there may be nothing on it: go on from its tail all the same. A deletion shows
    /// only if the value before it is still in the log.
    pub fn changes(&self, since: u64, limit: usize) -> Result<ChangePage<B>> {
        self.store.changes_of(since, limit, Some(&self.name))
    }
}

impl<B: Backing> BucketView<'_, '_, B> {
    /// The tail that the view was asked for.
    #[must_use]
    pub const fn tail(&self) -> u64 {
        self.view.tail()
    }

    /// The value that `key` had.
    pub fn get(&self, key: &[u8]) -> Result<Option<Value<B::View>>> {
        let key = self.bucket.full_key(key)?;
        let entry = self.view.read_with_key_hash(key.hash)?;
        Ok(entry.and_then(|entry| Value::of(entry, &key.bytes)))
    }

    /// Whether `key` had a value; reads no value.
    pub fn exists(&self, key: &[u8]) -> Result<bool> {
        Ok(self.trailer(key)?.is_some())
    }

    /// What lies behind the value that `key` had.
    pub(super) fn trailer(&self, key: &[u8]) -> Result<Option<Trailer>> {
        let key = self.bucket.full_key(key)?;
        let Some((generation, located)) = self.view.locate_for_bucket(key.hash)? else {
            return Ok(None);
        };
        let trailer = Trailer::read(generation, located.extent)?;
        Ok(trailer.filter(|trailer| *trailer.full_key == *key.bytes))
    }

    /// The keys that began with `prefix`, ordered by their bytes.
    ///
    /// Costs what [`ReadView::entries`] does, and reads the end of every entry that was live: no directory is kept of the past.
    pub fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>> {
        let live = self.view.live_entries()?;
        let mut keys = Vec::new();
        for extent in &live.extents {
            let trailer = Trailer::read(&live.generation, *extent)?;
            let (name, key) = trailer.as_ref().map(Trailer::name_and_key).unzip();
            if name == Some(self.bucket.name())
                && let Some(key) = key.filter(|key| key.starts_with(prefix))
            {
                keys.push(key.to_vec());
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }

    /// The versions of `key` up to the tail of the view, newest first, deletions included.
    pub fn history(&self, key: &[u8]) -> Result<BucketHistory<B>> {
        let key = self.bucket.full_key(key)?;
        let versions = self.view.history_with_key_hash(key.hash);
        Ok(BucketHistory::new(versions, key))
    }
}

impl<B: Backing> BucketHistory<B> {
    fn new(versions: History<B>, key: FullKey) -> Self {
        Self {
            versions,
            full_key: key.bytes,
            found: None,
        }
    }

    /// The version if it is one of this key; `None` for another's value.
    fn own(&self, version: Version<B::View>) -> Option<BucketVersion<B::View>> {
        let (offset, tail) = (version.offset(), version.tail());
        let value = Value::of(version.into_value()?, &self.full_key)?;
        Some(BucketVersion {
            offset,
            tail,
            value: Some(value),
        })
    }
}

impl<B: Backing> Iterator for BucketHistory<B> {
    type Item = Result<BucketVersion<B::View>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(found) = self.found.take() {
            return Some(Ok(found));
        }
        // Of deletions that follow each other the first one did it.
        let mut deletion = None;
        loop {
            let version = match self.versions.next()? {
                Ok(version) => version,
                Err(error) => return Some(Err(error)),
            };
            if version.is_deletion() {
                deletion = Some(BucketVersion {
                    offset: version.offset(),
                    tail: version.tail(),
                    value: None,
                });
                continue;
            }
            match (self.own(version), deletion.take()) {
                (found, Some(deletion)) if found.is_some() => {
                    self.found = found;
                    return Some(Ok(deletion));
                }
                (Some(found), _) => return Some(Ok(found)),
                // A value of another key that has this hash, or of none.
                (None, _) => {}
            }
        }
    }
}

impl<B: Backing> FusedIterator for BucketHistory<B> {}

impl<V: AsRef<[u8]>> BucketVersion<V> {
    /// Whether this is a deletion, which has no value.
    #[must_use]
    pub const fn is_deletion(&self) -> bool {
        self.value.is_none()
    }

    /// The value where it lies; `None` for a deletion.
    #[must_use]
    pub const fn value(&self) -> Option<&Value<V>> {
        self.value.as_ref()
    }

    /// The value where it lies, which outlives this; `None` for a deletion.
    #[must_use]
    pub fn into_value(self) -> Option<Value<V>> {
        self.value
    }

    /// Where the entry starts, with its pad: [`as_of`](crate::Store::as_of) this offset shows what there was just before.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The tail right after the entry: [`as_of`](crate::Store::as_of) it shows this version.
    #[must_use]
    pub const fn tail(&self) -> u64 {
        self.tail
    }
}

impl<B: Backing> fmt::Debug for BucketHistory<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BucketHistory")
            .field(&self.versions)
            .finish()
    }
}

impl<V: AsRef<[u8]>> fmt::Debug for BucketVersion<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketVersion")
            .field("offsets", &(self.offset..self.tail))
            .field("value", &self.value)
            .finish()
    }
}

impl<B: Backing> fmt::Debug for BucketView<'_, '_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketView")
            .field("bucket", self.bucket)
            .field("tail", &self.tail())
            .finish_non_exhaustive()
    }
}
