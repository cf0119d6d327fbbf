//! What keeps the keys: a small trait, of which the embedded engine is the default and any other store can be one.

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;
use tailstone_interface::{
    Change, ChangePage, Info, KeyPage, Packed, Refusal, Result, Stat, check_together, keyvalue,
};

use super::grant::Access;

/// Where a granted store lies. One backend may serve any number of plugins at a time.
pub trait Backend: Send + Sync + 'static {
    /// Opens a bucket. What two openings of one name write, both see at once.
    fn open(&self, bucket: &[u8], access: Access) -> Result<Arc<dyn Bucket>>;

    /// Whether it waits for something else than this machine, such as a server: then embeddings that await calls have it, and its
    /// buckets, called on a thread that may wait.
    fn is_remote(&self) -> bool {
        false
    }

    /// Whether the store is there already; [`open`](Self::open) for writing makes it if it is not.
    fn exists(&self) -> Result<bool> {
        Ok(true)
    }
}

/// An open bucket: keys in the order of their bytes, each with a value.
///
/// Every change is atomic, alone or in [`change`](Self::change). A version is never given to two values of a key.
pub trait Bucket: Send + Sync {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>>;

    /// What is known of the value of `key`.
    fn stat(&self, key: &[u8]) -> Result<Option<Stat>>;

    /// The value of `key` with its version.
    fn get_versioned(&self, key: &[u8]) -> Result<Option<(Bytes, u64)>>;

    /// Makes `value` the value of `key`.
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()>;

    /// The same if the value still is the one of this version, or if there still is none; says whether it was.
    fn put_if(&self, key: &[u8], value: &[u8], expected: Option<u64>) -> Result<bool>;

    /// Removes `key`, and says whether it had a value.
    fn delete(&self, key: &[u8]) -> Result<bool>;

    /// Makes all changes or none of them; of several for one key the last one counts.
    fn change(&self, changes: &[Change<'_>]) -> Result<()>;

    /// Stores all values if none of the keys has one yet; says whether it did. Of two for one key the last one stays.
    ///
    /// What is granted for appending alone is written by this. Unless a backend has it of its own it is two steps, of which
    /// another writer sees the first.
    fn add(&self, pairs: &[(&[u8], &[u8])]) -> Result<bool> {
        let mut changes = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            if self.stat(key)?.is_some() {
                return Ok(false);
            }
            changes.push(Change::Put(key, value));
        }
        self.change(&changes)?;
        Ok(true)
    }

    /// The first keys that begin with `prefix` and come behind `cursor`: at most `max`, and no more than the bounds of a page.
    fn scan(&self, prefix: &[u8], cursor: Option<&[u8]>, max: usize) -> Result<KeyPage>;

    /// The number by which [`key_of_number`](Self::key_of_number) finds the key again, even if it is deleted meanwhile.
    fn number_of_key(&self, key: &[u8]) -> Result<u64>;

    /// The key that a number was given for; [`Refusal::StaleCursor`] if that is not known any more.
    fn key_of_number(&self, number: u64) -> Result<Vec<u8>>;

    /// At most `len` bytes of a value from `offset` on.
    fn get_range(&self, key: &[u8], offset: u64, len: u64) -> Result<Option<Bytes>> {
        let value = self.get(key)?;
        Ok(value.map(|value| {
            let from = usize::try_from(offset).map_or(value.len(), |from| from.min(value.len()));
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            value.slice(from..from.saturating_add(len).min(value.len()))
        }))
    }

    /// The values of several keys in one list.
    fn get_packed(&self, keys: &[Vec<u8>]) -> Result<Packed> {
        let mut packed = Packed::default();
        for key in keys {
            let value = self.get(key)?;
            let from = packed.bytes.len();
            packed.extents.push(
                value
                    .as_ref()
                    .map(|value| (from as u64, value.len() as u64)),
            );
            if let Some(value) = value {
                check_together(from.saturating_add(value.len()))?;
                packed.bytes.extend_from_slice(&value);
            }
        }
        Ok(packed)
    }

    /// Adds `delta` to the number under `key`, 0 if it has no value, as long as the sum lies in `range`.
    fn increment(&self, key: &[u8], delta: i128, range: RangeInclusive<i128>) -> Result<i128> {
        loop {
            let stored = self.get_versioned(key)?;
            let (text, version) = stored.unzip();
            let sum = keyvalue::sum(text.as_deref(), delta, range.clone())?;
            if self.put_if(key, sum.to_string().as_bytes(), version)? {
                return Ok(sum);
            }
        }
    }

    /// The changes of this bucket behind the tail `since`.
    fn changes(&self, since: u64, max: usize) -> Result<ChangePage> {
        let _ = (since, max);
        Err(unsupported("keeps no list of changes"))
    }

    /// Returns once everything put so far is on stable storage.
    fn sync(&self) -> Result<()>;

    /// Gives back what is no longer in use.
    fn compact(&self) -> Result<()> {
        Ok(())
    }

    /// What the store holds and costs.
    fn info(&self) -> Result<Info> {
        Err(unsupported("does not say what it holds"))
    }

    /// What it takes, for quotas; `None` where nobody knows, and then no quota of bytes or entries can be kept.
    fn usage(&self) -> Option<Usage> {
        None
    }

    /// What one entry takes, key and everything besides the value included.
    fn cost(&self, key: usize, value: u64) -> u64 {
        (key as u64).saturating_add(value)
    }
}

/// What a store takes now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Entries in use.
    pub entries: u64,
    /// Bytes that they take.
    pub live_bytes: u64,
    /// Bytes of the file, with what is no longer in use.
    pub file_bytes: u64,
}

fn unsupported(what: &str) -> Refusal {
    Refusal::Other(format!("the store behind this plugin {what}"))
}
