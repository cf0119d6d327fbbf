//! What is in a bucket: its keys in their order, page by page, and how many they are.

use super::directory::has_expired;
use super::{Bucket, Trailer};
use crate::backing::Backing;
use crate::error::Result;
use crate::format::{compute_hash, full_key};
use crate::store::{Change, Located, Store, newest_first};
use std::fmt;
use std::ops::Bound;

/// Keys that an iterator fetches at a time.
const PAGE: usize = 256;

/// Entries that are looked at for a key that was deleted: a millisecond.
const LOOKED_BACK: usize = 20_000;

/// Some keys of a bucket in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys, ordered by their bytes.
    pub keys: Vec<Vec<u8>>,
    /// What to ask for the next page with, the last key of this one; `None` if there was no other key behind it.
    pub cursor: Option<Vec<u8>>,
}

/// All keys of a bucket that begin alike, in their order.
///
/// They are fetched some hundreds at a time, so what is written meanwhile may show: a key that was there all along comes exactly once.
pub struct Keys<'b, 's, B: Backing> {
    bucket: &'b Bucket<'s, B>,
    prefix: Vec<u8>,
    page: std::vec::IntoIter<Vec<u8>>,
    /// Behind what the next page begins.
    cursor: Option<Vec<u8>>,
    is_last: bool,
}

impl<B: Backing> Bucket<'_, B> {
    /// The first keys that begin with `prefix` and come behind `cursor`, at most `limit` of them (at least one), ordered by their bytes.
    /// Keys that have expired are left out.
    ///
    /// The cursor is the one of the page before, or any other key, there or not: it holds whatever is written or compacted meanwhile, and
    /// no key that was there all along is skipped or comes twice.
    ///
    /// The first listing of a store reads the end of every live entry. From then on the keys of all its buckets are kept in memory (a
    /// few bytes each besides their own, less where neighbours begin alike), and a page costs what is on it. No listing but
    /// the first waits for a writer.
    pub fn keys(&self, prefix: &[u8], cursor: Option<&[u8]>, limit: usize) -> Result<KeyPage> {
        let limit = limit.max(1);
        let now = self.store.settings().now();
        let start = match cursor {
            Some(cursor) if cursor >= prefix => Bound::Excluded(cursor),
            _ => Bound::Included(prefix),
        };
        self.store.with_keys(|directory| {
            let mut page = KeyPage::default();
            let Some(keys) = directory.bucket(&self.name) else {
                return page;
            };
            keys.visit(start, |key, expires_at| {
                if !key.starts_with(prefix) {
                    return false;
                }
                if has_expired(expires_at, now) {
                    return true;
                }
                if page.keys.len() == limit {
                    page.cursor = page.keys.last().cloned();
                    return false;
                }
                page.keys.push(key.to_vec());
                true
            });
            page
        })
    }

    /// The 64-bit hash by which the store tells `key` of this bucket from all its other keys.
    pub fn hash_of(&self, key: &[u8]) -> Result<u64> {
        Ok(self.full_key(key)?.hash)
    }

    /// The key of this bucket that has this hash, or had it when it last had a value; `None` if the log holds none.
    ///
    /// A key that was deleted is looked for backwards in the log, for some ten thousand entries; then it is not known any more.
    pub fn key_with_hash(&self, key_hash: u64) -> Result<Option<Vec<u8>>> {
        let generation = self.store.current.load_full();
        if let Some(located) = generation.locate(key_hash)? {
            let trailer = Trailer::read(&generation, located.extent)?;
            return Ok(trailer.and_then(|trailer| self.own_key(&trailer)));
        }
        for entry in newest_first(&generation).take(LOOKED_BACK) {
            let entry = entry?;
            if entry.metadata.key_hash == key_hash && !entry.is_tombstone {
                let trailer = Trailer::read(&generation, Located::of(&entry).extent)?;
                return Ok(trailer.and_then(|trailer| self.own_key(&trailer)));
            }
        }
        Ok(None)
    }

    fn own_key(&self, trailer: &Trailer) -> Option<Vec<u8>> {
        let (name, key) = trailer.name_and_key();
        (*name == *self.name).then(|| key.to_vec())
    }

    /// All keys that begin with `prefix`, in their order, some hundreds fetched at a time as [`keys`](Self::keys) does.
    #[must_use]
    pub fn iter_keys(&self, prefix: &[u8]) -> Keys<'_, '_, B> {
        Keys {
            bucket: self,
            prefix: prefix.to_vec(),
            page: Vec::new().into_iter(),
            cursor: None,
            is_last: false,
        }
    }

    /// How many keys have a value, those left out that have expired. Asks the list of keys, as [`keys`](Self::keys) does, and goes
    /// through a part of it if some of them expire.
    pub fn len(&self) -> Result<u64> {
        let now = self.store.settings().now();
        self.store.with_keys(|directory| {
            let keys = directory.bucket(&self.name);
            keys.map_or(0, |keys| keys.live(now))
        })
    }

    /// Whether no key has a value.
    pub fn is_empty(&self) -> Result<bool> {
        let now = self.store.settings().now();
        self.store.with_keys(|directory| {
            let keys = directory.bucket(&self.name);
            !keys.is_some_and(|keys| keys.has_live(now))
        })
    }

    /// Deletes all keys, or none of them, across a crash as well; returns how many had a value.
    ///
    /// Takes some 60 bytes of memory for each, and other writers wait meanwhile.
    pub fn clear(&self) -> Result<u64> {
        let now = self.store.settings().now();
        let mut writer = self.store.lock_writer();
        self.store.check_writable()?;
        let (changes, live) = self.store.with_keys_locked(&writer, |directory| {
            let mut changes = Vec::new();
            let Some(keys) = directory.bucket(&self.name) else {
                return (changes, 0);
            };
            keys.visit(Bound::Unbounded, |key, _| {
                let key_hash = compute_hash(&full_key(&self.name, key));
                changes.push((key_hash, Change::Delete));
                true
            });
            (changes, keys.live(now))
        })?;
        self.store.commit_together(&mut writer, &changes)?;
        Ok(live)
    }
}

impl<B: Backing> Store<B> {
    /// The names of the buckets that have a key with a value, ordered by their bytes. Costs what [`Bucket::keys`] does.
    pub fn buckets(&self) -> Result<Vec<Vec<u8>>> {
        let now = self.settings().now();
        self.with_keys(|directory| {
            let live = directory.buckets().filter(|(_, keys)| keys.has_live(now));
            live.map(|(name, _)| name.to_vec()).collect()
        })
    }
}

impl<B: Backing> Iterator for Keys<'_, '_, B> {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(key) = self.page.next() {
                return Some(Ok(key));
            }
            if std::mem::replace(&mut self.is_last, true) {
                return None;
            }
            let cursor = self.cursor.take();
            match self.bucket.keys(&self.prefix, cursor.as_deref(), PAGE) {
                Ok(KeyPage { keys, cursor }) => {
                    self.page = keys.into_iter();
                    self.is_last = cursor.is_none();
                    self.cursor = cursor;
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<B: Backing> std::iter::FusedIterator for Keys<'_, '_, B> {}

impl<B: Backing> fmt::Debug for Keys<'_, '_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("bucket", self.bucket)
            .finish_non_exhaustive()
    }
}
