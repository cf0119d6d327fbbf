//! Buckets: names for keys and values of any kind, above the store.
//!
//! Invariant: each entry carries its own key, which is compared on every hit, so that two keys with one hash are never taken for
//! each other: the second one is refused.

mod batch;
mod borrowed;
mod copied;
mod directory;
mod extent;
mod large;
mod list;
#[cfg(any(unix, windows))]
mod listing;
mod past;
mod short;
mod trailer;
mod update;
mod value;

pub use batch::BucketBatch;
pub use borrowed::BorrowedValue;
pub use extent::{ValueExtent, VersionExtent};
pub use large::BucketWriter;
pub use list::{KeyPage, Keys};
pub use past::{BucketHistory, BucketVersion, BucketView};
pub use value::{Value, ValueStream};

pub(crate) use directory::{Directory, Event};
pub(crate) use short::ShortBytes;
pub(crate) use trailer::Trailer;

use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{
    Keyed, MAX_BUCKET_NAME_BYTES, MAX_KEY_BYTES, behind_value, compute_hash, length_of_name,
};
use crate::store::{Generation, Store};

/// The longest name of a bucket, and the longest full key, that need no memory of their own.
const NAME_BYTES: usize = 40;
const FULL_KEY_BYTES: usize = 120;

/// A bucket of a store: a name that its keys are told apart by from those of other buckets and of the plain store.
///
/// Keys are up to 64 KiB long; values may be empty or anything else. Every entry carries its key, 24 bytes and the bucket's name besides.
/// It costs nothing to make one, and nothing is stored before its first key.
pub struct Bucket<'s, B: Backing> {
    store: &'s Store<B>,
    name: ShortBytes<NAME_BYTES>,
}

impl<B: Backing> Store<B> {
    /// The bucket called `name`; [`Error::KeyTooLong`] for a name of more than 65,535 bytes.
    pub fn bucket(&self, name: impl AsRef<[u8]>) -> Result<Bucket<'_, B>> {
        let name = name.as_ref();
        check_length(name, MAX_BUCKET_NAME_BYTES)?;
        Ok(Bucket {
            store: self,
            name: ShortBytes::concat(&[name]),
        })
    }
}

impl<B: Backing> Store<B> {
    /// Whether the time is over of what expires then, in milliseconds since the Unix epoch, if not never: the clock is asked only if
    /// it matters.
    fn is_over(&self, expires_at: u64) -> bool {
        expires_at != 0 && expires_at <= self.settings().now()
    }
}

/// A key as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FullKey {
    bytes: ShortBytes<FULL_KEY_BYTES>,
    hash: u64,
}

impl FullKey {
    /// What goes behind a value that expires at this time.
    fn behind(&self, expires_at: u64) -> Vec<u8> {
        behind_value(&self.bytes, expires_at)
    }

    /// What lies behind the value that is stored under this key, expired or not.
    fn trailer<B: Backing>(&self, generation: &Generation<B>) -> Result<Option<Trailer>> {
        trailer_of(generation, self.hash, &self.bytes)
    }
}

/// The same for a key in its two parts.
fn trailer_of<B: Backing>(
    generation: &Generation<B>,
    key_hash: u64,
    full_key: &[u8],
) -> Result<Option<Trailer>> {
    let Some(located) = generation.locate(key_hash)? else {
        return Ok(None);
    };
    let trailer = Trailer::read(generation, located.extent)?;
    Ok(trailer.filter(|trailer| *trailer.full_key == *full_key))
}

fn check_length(bytes: &[u8], maximum: usize) -> Result<()> {
    if bytes.len() <= maximum {
        Ok(())
    } else {
        Err(Error::KeyTooLong {
            length: bytes.len(),
            maximum,
        })
    }
}

impl<B: Backing> Bucket<'_, B> {
    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The value of `key`; `None` if it has none or has expired.
    pub fn get(&self, key: &[u8]) -> Result<Option<Value<B::View>>> {
        let key = self.full_key(key)?;
        let value = self.stored(&key)?;
        Ok(value.filter(|value| !self.store.is_over(value.raw_expires_at())))
    }

    /// The values of several keys, in the order asked.
    pub fn get_many(&self, keys: &[&[u8]]) -> Result<Vec<Option<Value<B::View>>>> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// Whether `key` has a value; reads no value.
    pub fn exists(&self, key: &[u8]) -> Result<bool> {
        let key = self.full_key(key)?;
        let trailer = key.trailer(&self.store.current.load())?;
        Ok(trailer.is_some_and(|trailer| !self.store.is_over(trailer.expires_at)))
    }

    /// What [`put_if`](Self::put_if) compares: another number with each change of `key`'s value. `None` without a value.
    ///
    /// It is made of where the value lies, so a compaction changes it too.
    pub fn version(&self, key: &[u8]) -> Result<Option<u64>> {
        Ok(self.get(key)?.map(|value| value.version()))
    }

    #[inline]
    fn full_key(&self, key: &[u8]) -> Result<FullKey> {
        check_length(key, MAX_KEY_BYTES)?;
        let bytes = ShortBytes::concat(&[&length_of_name(&self.name), &self.name, key]);
        let hash = compute_hash(&bytes);
        Ok(FullKey { bytes, hash })
    }

    /// What is stored under a key, expired or not.
    fn stored(&self, key: &FullKey) -> Result<Option<Value<B::View>>> {
        let entry = self.store.read_for_bucket(key.hash)?;
        Ok(entry.and_then(|entry| Value::of(entry, &key.bytes)))
    }

    /// Whether an entry of this key is stored, expired or not; reads no value.
    fn is_stored(&self, key: &FullKey) -> Result<bool> {
        Ok(key.trailer(&self.store.current.load())?.is_some())
    }

    /// Refuses a key with [`Error::HashCollision`] if something else is stored under its hash; reads no value.
    fn check_collision(&self, key: &FullKey) -> Result<()> {
        let generation = self.store.current.load();
        if generation.locate(key.hash)?.is_some() && key.trailer(&generation)?.is_none() {
            return Err(match generation.read(key.hash)? {
                Some(entry) => another_key(&entry),
                None => Error::HashCollision { key_hash: key.hash },
            });
        }
        Ok(())
    }

    /// What is stored under a key, for who is about to write; [`Error::HashCollision`] if another key has the same hash.
    fn stored_or_collision(&self, key: &FullKey) -> Result<Option<Value<B::View>>> {
        let Some(entry) = self.store.read_for_bucket(key.hash)? else {
            return Ok(None);
        };
        if !is_of(&entry, &key.bytes) {
            return Err(another_key(&entry));
        }
        Ok(Value::of(entry, &key.bytes))
    }
}

/// What is wrong with an entry that has the hash of a key and not the key: it is another's, or its bytes have rotted.
fn another_key<V: AsRef<[u8]>>(entry: &crate::EntryHandle<V>) -> Error {
    if entry.is_valid_checksum() {
        Error::HashCollision {
            key_hash: entry.key_hash(),
        }
    } else {
        Error::Corrupt {
            offset: entry.start_offset(),
            what: "an entry of this key's hash has another checksum than stored",
        }
    }
}

impl<B: Backing> Clone for Bucket<'_, B> {
    fn clone(&self) -> Self {
        Self {
            store: self.store,
            name: self.name.clone(),
        }
    }
}

impl<B: Backing> std::fmt::Debug for Bucket<'_, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket")
            .field("name", &String::from_utf8_lossy(&self.name))
            .finish_non_exhaustive()
    }
}

/// The key and the value of an entry of some bucket, if `entry` is one.
fn keyed_of<V: AsRef<[u8]>>(entry: &crate::EntryHandle<V>) -> Option<Keyed<'_>> {
    Keyed::parse(entry.as_slice(), entry.key_hash())
}

/// Whether this is the key of `entry`, which was found by its hash.
fn is_of<V: AsRef<[u8]>>(entry: &crate::EntryHandle<V>, full_key: &[u8]) -> bool {
    Keyed::parse_as(entry.as_slice(), full_key).is_some()
}

/// Whether `entry` is one of a bucket that has expired.
pub(crate) fn has_expired<V: AsRef<[u8]>>(entry: &crate::EntryHandle<V>, now: u64) -> bool {
    keyed_of(entry).is_some_and(|keyed| keyed.has_expired(now))
}

#[cfg(test)]
mod tests;
