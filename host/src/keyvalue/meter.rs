//! Keeps one grant within its quota and to what it was granted for, above whatever backend.
//!
//! Invariant: whatever a plugin asks for is measured before the backend is asked to write it. Two plugins with quotas on one
//! store are measured one after the other when they came by the same grant; else what one of them writes between the
//! other's measuring and its writing can take the store past a bound by as much.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tailstone::format::MAX_KEY_BYTES;
use tailstone_interface::{
    Change, ChangePage, Info, KeyPage, Packed, Refusal, Result, Stat, keyvalue,
};

use super::backend::Bucket;
use super::grant::{Access, Grant, Quota};
use super::rate::Rate;

/// What a plugin opens a store for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Reading.
    Reading,
    /// Writing to what is there.
    Writing,
    /// Writing, and making it if it is not there.
    Creating,
    /// All that was granted.
    Everything,
}

/// A file is compacted for room if at least this part of its bound is dead.
const LEAST_DEAD_SHARE: u64 = 8;

/// A grant with what was used of it.
pub struct Metered {
    grant: Grant,
    handles: AtomicUsize,
    /// Held while a write is measured and made.
    writing: Mutex<Rate>,
}

/// An open bucket of a granted store.
pub struct Granted {
    metered: Arc<Metered>,
    bucket: Arc<dyn Bucket>,
    access: Access,
}

impl Metered {
    /// A grant of which nothing was used yet.
    pub fn new(grant: Grant) -> Self {
        let rate = Rate::new(grant.quota.write_bytes_per_second);
        Self {
            grant,
            handles: AtomicUsize::new(0),
            writing: Mutex::new(rate),
        }
    }

    /// Opens a bucket, for no more than was granted.
    pub fn open(self: &Arc<Self>, bucket: &[u8], asked: Asked) -> Result<Granted> {
        let access = match asked {
            Asked::Reading => Access::ReadOnly,
            Asked::Writing | Asked::Creating if self.grant.access == Access::ReadOnly => {
                return Err(Refusal::AccessDenied);
            }
            _ => self.grant.access,
        };
        if asked == Asked::Writing && !self.grant.backend.exists()? {
            return Err(Refusal::NoSuchStore);
        }
        let most = self.grant.quota.handles;
        if self.handles.fetch_add(1, Ordering::Relaxed) >= most {
            self.handles.fetch_sub(1, Ordering::Relaxed);
            return Err(exceeded(format!(
                "{most} buckets are open, which is the most at a time"
            )));
        }
        match self.grant.backend.open(bucket, access) {
            Ok(bucket) => Ok(Granted {
                metered: Arc::clone(self),
                bucket,
                access,
            }),
            Err(refusal) => {
                self.handles.fetch_sub(1, Ordering::Relaxed);
                Err(refusal)
            }
        }
    }

    /// Whether opening waits for something else than this machine.
    pub fn is_remote(&self) -> bool {
        self.grant.backend.is_remote()
    }

    const fn quota(&self) -> &Quota {
        &self.grant.quota
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        self.metered.handles.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Granted {
    /// Whether its calls wait for something else than this machine.
    pub fn is_remote(&self) -> bool {
        self.metered.is_remote()
    }

    /// The value of `key`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.bucket.get(key)
    }

    /// The value of `key` with its version.
    pub fn get_versioned(&self, key: &[u8]) -> Result<Option<(Bytes, u64)>> {
        self.bucket.get_versioned(key)
    }

    /// At most `len` bytes of a value from `offset` on.
    pub fn get_range(&self, key: &[u8], offset: u64, len: u64) -> Result<Option<Bytes>> {
        self.bucket.get_range(key, offset, len)
    }

    /// What is known of the value of `key`.
    pub fn stat(&self, key: &[u8]) -> Result<Option<Stat>> {
        self.bucket.stat(key)
    }

    /// The values of several keys in one list.
    pub fn get_packed(&self, keys: &[Vec<u8>]) -> Result<Packed> {
        self.bucket.get_packed(keys)
    }

    /// The keys of a page.
    pub fn scan(&self, prefix: &[u8], cursor: Option<&[u8]>, max: usize) -> Result<KeyPage> {
        self.bucket
            .scan(prefix, cursor, max.min(self.page_entries()))
    }

    /// The changes of a page.
    pub fn changes(&self, since: u64, max: usize) -> Result<ChangePage> {
        self.bucket.changes(since, max.min(self.page_entries()))
    }

    /// Keys that are text, a page of them, and the last one if others come behind it.
    pub fn list_keys(&self, cursor: Option<&str>) -> Result<(Vec<String>, Option<String>)> {
        let page = keyvalue::texts(cursor, |behind| self.scan(b"", behind, usize::MAX))?;
        Ok((page.keys, page.cursor))
    }

    /// The same where a cursor is a number.
    pub fn list_keys_by_number(&self, cursor: Option<u64>) -> Result<(Vec<String>, Option<u64>)> {
        let behind = cursor
            .map(|number| self.bucket.key_of_number(number))
            .transpose()?
            .map(|key| String::from_utf8(key).map_err(|_| Refusal::StaleCursor))
            .transpose()?;
        let (keys, cursor) = self.list_keys(behind.as_deref())?;
        let number = cursor.map(|key| self.bucket.number_of_key(key.as_bytes()));
        Ok((keys, number.transpose()?))
    }

    /// Makes `value` the value of `key`.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.writing(&[Change::Put(key, value)], || {
            if self.access == Access::AppendOnly {
                return if self.bucket.put_if(key, value, None)? {
                    Ok(())
                } else {
                    Err(Refusal::AccessDenied)
                };
            }
            self.bucket.put(key, value)
        })
    }

    /// The same if the value still is the one of this version, or if there still is none; says whether it was.
    pub fn put_if(&self, key: &[u8], value: &[u8], expected: Option<u64>) -> Result<bool> {
        if self.access == Access::AppendOnly && expected.is_some() {
            return Err(Refusal::AccessDenied);
        }
        self.writing(&[Change::Put(key, value)], || {
            self.bucket.put_if(key, value, expected)
        })
    }

    /// Removes `key`, and says whether it had a value.
    pub fn delete(&self, key: &[u8]) -> Result<bool> {
        self.check_rewrite()?;
        self.bucket.delete(key)
    }

    /// Makes all changes or none of them.
    pub fn change(&self, changes: &[Change<'_>]) -> Result<()> {
        if changes
            .iter()
            .any(|change| matches!(change, Change::Delete(_)))
        {
            self.check_rewrite()?;
        }
        self.writing(changes, || {
            if self.access == Access::AppendOnly {
                // Who only adds was refused above to delete.
                let puts = changes.iter().filter_map(|change| match change {
                    Change::Put(key, value) => Some((*key, *value)),
                    Change::Delete(_) => None,
                });
                let is_added = self.bucket.add(&puts.collect::<Vec<_>>())?;
                return is_added.then_some(()).ok_or(Refusal::AccessDenied);
            }
            self.bucket.change(changes)
        })
    }

    /// Adds to a number.
    pub fn increment(
        &self,
        key: &[u8],
        delta: i128,
        range: std::ops::RangeInclusive<i128>,
    ) -> Result<i128> {
        self.check_rewrite()?;
        // The longest number that there is.
        self.writing(&[Change::Put(key, &[0; 20])], || {
            self.bucket.increment(key, delta, range)
        })
    }

    /// Returns once everything put so far is on stable storage.
    pub fn sync(&self) -> Result<()> {
        self.bucket.sync()
    }

    /// Gives back what is no longer in use.
    pub fn compact(&self) -> Result<()> {
        self.check_rewrite()?;
        self.bucket.compact()
    }

    /// What the store holds and costs.
    pub fn info(&self) -> Result<Info> {
        self.bucket.info()
    }

    fn page_entries(&self) -> usize {
        self.metered.quota().page_entries
    }

    fn check_rewrite(&self) -> Result<()> {
        match self.access {
            Access::ReadOnly => Err(Refusal::ReadOnly),
            Access::AppendOnly => Err(Refusal::AccessDenied),
            Access::ReadWrite => Ok(()),
        }
    }

    /// Makes a write once it was measured.
    fn writing<R>(&self, changes: &[Change<'_>], write: impl FnOnce() -> Result<R>) -> Result<R> {
        if self.access == Access::ReadOnly {
            return Err(Refusal::ReadOnly);
        }
        let quota = self.metered.quota();
        for change in changes {
            check_sizes(quota, change)?;
        }
        let unmeasured = Quota {
            handles: quota.handles,
            page_entries: quota.page_entries,
            ..Quota::default()
        };
        if *quota == unmeasured {
            return write();
        }
        let mut rate = self
            .metered
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let appended = self.measure(changes)?;
        rate.take(quota.write_bytes_per_second, appended)?;
        write()
    }

    /// Refuses what would go past a bound; how many bytes would be appended.
    fn measure(&self, changes: &[Change<'_>]) -> Result<u64> {
        let quota = self.metered.quota();
        let (mut appended, mut kept, mut freed) = (0_u64, 0_u64, 0_u64);
        let (mut more_entries, mut fewer_entries) = (0_u64, 0_u64);
        let mut met = HashSet::new();
        for change in changes.iter().rev() {
            let (Change::Put(key, _) | Change::Delete(key)) = change;
            let cost = match change {
                Change::Put(_, value) => self.bucket.cost(key.len(), value.len() as u64),
                Change::Delete(_) => 0,
            };
            appended = appended.saturating_add(cost);
            // Of several for one key only the last one stays.
            if changes.len() > 1 && !met.insert(*key) {
                continue;
            }
            let before = self
                .bucket
                .stat(key)?
                .map(|stat| self.bucket.cost(key.len(), stat.len));
            freed = freed.saturating_add(before.unwrap_or(0));
            kept = kept.saturating_add(cost);
            match change {
                Change::Put(..) => more_entries += u64::from(before.is_none()),
                Change::Delete(_) => fewer_entries += u64::from(before.is_some()),
            }
        }
        // Who only deletes is never refused.
        if appended == 0 {
            return Ok(0);
        }
        let Some(mut usage) = self.bucket.usage() else {
            return Ok(appended);
        };
        let entries = usage
            .entries
            .saturating_add(more_entries)
            .saturating_sub(fewer_entries);
        if entries > quota.entries {
            return Err(exceeded(format!(
                "{} entries are stored, and {} are the most",
                usage.entries, quota.entries
            )));
        }
        let live = usage.live_bytes.saturating_add(kept).saturating_sub(freed);
        if live > quota.live_bytes {
            let most = quota.live_bytes;
            return Err(exceeded(format!(
                "{} of {most} bytes are in use, and this takes {appended} more",
                usage.live_bytes
            )));
        }
        if usage.file_bytes.saturating_add(appended) > quota.file_bytes {
            // Not for a little: else each write of a store that is nearly full would write all of it.
            let dead = usage.file_bytes.saturating_sub(usage.live_bytes);
            let fits = usage.live_bytes.saturating_add(appended) <= quota.file_bytes;
            if fits && dead >= quota.file_bytes / LEAST_DEAD_SHARE {
                self.bucket.compact()?;
                usage = self.bucket.usage().unwrap_or(usage);
            }
            if usage.file_bytes.saturating_add(appended) > quota.file_bytes {
                let most = quota.file_bytes;
                return Err(exceeded(format!(
                    "the file has {} of {most} bytes, and this takes {appended} more",
                    usage.file_bytes
                )));
            }
        }
        Ok(appended)
    }
}

fn check_sizes(quota: &Quota, change: &Change<'_>) -> Result<()> {
    let (key, value) = match change {
        Change::Put(key, value) => (key.len() as u64, value.len() as u64),
        Change::Delete(_) => return Ok(()),
    };
    if key > quota.key_bytes {
        return Err(exceeded(format!(
            "a key of {key} bytes is too long; {} are the most",
            quota.key_bytes
        )));
    }
    // Of every backend, so that a plugin can go from one to another.
    if key > MAX_KEY_BYTES as u64 {
        return Err(Refusal::InvalidArgument(format!(
            "a key of {key} bytes is too long; {MAX_KEY_BYTES} are the most"
        )));
    }
    if value > quota.value_bytes {
        return Err(exceeded(format!(
            "a value of {value} bytes is too long; {} are the most",
            quota.value_bytes
        )));
    }
    Ok(())
}

pub const fn exceeded(sentence: String) -> Refusal {
    Refusal::QuotaExceeded(sentence)
}
