//! An open bucket, and the calls of `tailstone:store` on it.

use tailstone::backing::{Backing, Rewrite};
use tailstone::{Bucket, Store};

use crate::bounds;
use crate::refusal::{Refusal, Result};

/// Bits of a version that say where the value lies, and of a tail that say where it is.
const PLACE_BITS: u32 = 48;
/// Makes numbers that follow each other differ in many bits; odd, so that 65,536 of them differ.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bucket of an open store, made for a call or for as long as the store is borrowed.
#[derive(Debug)]
pub struct Table<'s, B: Backing> {
    store: &'s Store<B>,
    bucket: Bucket<'s, B>,
}

/// What is known of a value without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Length of the value in bytes.
    pub len: u64,
    /// Which value it is, for [`Table::put_if`].
    pub version: u64,
    /// When it expires, in milliseconds since 1970.
    pub expires_at: Option<u64>,
}

/// Values one behind the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    /// The values, as they come.
    pub bytes: Vec<u8>,
    /// Offset and length of each, in the order asked; `None` for a key without a value.
    pub extents: Vec<Option<(u64, u64)>>,
}

/// A change of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// Makes a value the newest of its key.
    Put(&'a [u8], &'a [u8]),
    /// Removes a key.
    Delete(&'a [u8]),
}

/// What a store holds and costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Keys of the bucket that have a value.
    pub keys: u64,
    /// Entries of all buckets that are in use.
    pub live_entries: u64,
    /// Length of the store in bytes.
    pub store_bytes: u64,
    /// Bytes that a compaction would free.
    pub savings_bytes: u64,
    /// Memory that the index takes.
    pub index_bytes: u64,
    /// Bytes of an unfinished last write that opening cut off or left out.
    pub cut_bytes: u64,
    /// Where the last entry ends.
    pub tail: u64,
    /// What opening found, as one sentence.
    pub recovery: String,
}

impl<'s, B: Backing> Table<'s, B> {
    /// The bucket called `name` of `store`.
    pub fn new(store: &'s Store<B>, name: &[u8]) -> Result<Self> {
        let bucket = store.bucket(name)?;
        Ok(Self { store, bucket })
    }

    /// The engine's bucket.
    #[must_use]
    pub const fn bucket(&self) -> &Bucket<'s, B> {
        &self.bucket
    }

    /// The value of `key`, copied from the medium into what is returned, with nothing in between.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get_range(key, 0, u64::MAX)
    }

    /// At most `len` bytes of a value from `offset` on; the rest of it is not read.
    pub fn get_range(&self, key: &[u8], offset: u64, len: u64) -> Result<Option<Vec<u8>>> {
        Ok(self.bucket.get_range(key, offset, len)?)
    }

    /// The version of a value, as [`stat`](Self::stat) and [`put_if`](Self::put_if) have it, by the engine's.
    #[must_use]
    pub fn version_of(&self, version: u64) -> u64 {
        self.seal(version)
    }

    /// Makes the engine's version one that does not come again after a compaction, and back: by the same sum.
    fn seal(&self, version: u64) -> u64 {
        version ^ self.store.compactions().wrapping_mul(SPREAD) << PLACE_BITS
    }

    /// The engine's tail with a mark by which it is known again, until the next compaction. 0 has none.
    pub(crate) fn mark(&self, tail: u64) -> Result<u64> {
        match self.store.mark_tail(tail)? {
            0 => Ok(0),
            marked => Ok(self.seal(marked)),
        }
    }

    /// What the engine calls that tail; [`Refusal::StaleCursor`] if it is not there any more.
    pub(crate) fn unmark(&self, marked: u64) -> Result<u64> {
        match marked {
            0 => Ok(0),
            marked => Ok(self.store.unmark_tail(self.seal(marked))?),
        }
    }

    /// What is known of the value of `key`; it is not read.
    pub fn stat(&self, key: &[u8]) -> Result<Option<Stat>> {
        let extent = self.bucket.extent_of(key)?;
        Ok(extent.map(|extent| Stat {
            len: extent.len,
            version: self.seal(extent.version),
            expires_at: Some(extent.expires_at).filter(|&at| at != 0),
        }))
    }

    /// The values of several keys in one list.
    pub fn get_packed<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Packed> {
        let mut packed = Packed::default();
        for key in keys {
            let from = packed.bytes.len();
            let value = match self.bucket.value_len(key.as_ref())? {
                Some(len) => {
                    let room = usize::try_from(len).unwrap_or(usize::MAX);
                    check_together(from.saturating_add(room))?;
                    // Not by `resize`, which stores byte after byte where code is made small.
                    packed.bytes.append(&mut vec![0; room]);
                    let target = packed.bytes.get_mut(from..).unwrap_or_default();
                    self.bucket.read_range(key.as_ref(), 0, target)?
                }
                None => None,
            };
            packed.bytes.truncate(from + value.unwrap_or(0));
            packed
                .extents
                .push(value.map(|len| (from as u64, len as u64)));
        }
        Ok(packed)
    }

    /// Makes `value` the value of `key`.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.bucket.set(key, value)?;
        Ok(())
    }

    /// The same if the value still is the one of this version, or if there still is none; says whether it was.
    pub fn put_if(&self, key: &[u8], value: &[u8], expected: Option<u64>) -> Result<bool> {
        let expected = expected.map(|version| self.seal(version));
        Ok(self.bucket.put_if(key, value, expected)?)
    }

    /// Removes `key`, and says whether it had a value.
    pub fn delete(&self, key: &[u8]) -> Result<bool> {
        Ok(self.bucket.delete(key)?)
    }

    /// Makes all changes or none of them.
    pub fn append_batch<'a>(&self, changes: impl IntoIterator<Item = Change<'a>>) -> Result<()> {
        let mut batch = self.bucket.batch();
        for change in changes {
            match change {
                Change::Put(key, value) => batch.put(key, value),
                Change::Delete(key) => batch.delete(key),
            };
        }
        if !batch.is_empty() {
            batch.commit()?;
        }
        Ok(())
    }

    /// Stores all values if none of the keys has one yet; says whether it did. Of two for one key the last one stays.
    pub fn add_many(&self, pairs: &[(&[u8], &[u8])]) -> Result<bool> {
        Ok(self.bucket.add_many(pairs)?)
    }

    /// Returns once everything put so far is on stable storage.
    pub fn sync(&self) -> Result<()> {
        Ok(self.store.sync()?)
    }

    /// What the store holds and costs.
    pub fn info(&self) -> Result<Info> {
        let stats = self.store.stats();
        let report = self.store.recovery_report();
        Ok(Info {
            keys: self.bucket.len()?,
            live_entries: stats.live_keys,
            store_bytes: stats.file_bytes,
            savings_bytes: stats.compaction_savings,
            index_bytes: stats.index_bytes,
            cut_bytes: report.cut_bytes,
            tail: self.mark(self.store.tail())?,
            recovery: report.to_string(),
        })
    }
}

impl<B: Rewrite> Table<'_, B> {
    /// Rewrites the store without what is no longer in use.
    pub fn compact(&self) -> Result<()> {
        Ok(self.store.compact()?)
    }
}

/// Refuses what is asked for together once it is more than a call may make.
pub fn check_together(bytes: usize) -> Result<()> {
    if bytes <= bounds::TOGETHER_BYTES {
        return Ok(());
    }
    let most = bounds::TOGETHER_BYTES;
    Err(Refusal::InvalidArgument(format!(
        "these values take more than {most} bytes together; ask for fewer at a time"
    )))
}
