//! Carrying requests out: every operation in its order, each with its answer.
//!
//! Invariant: an operation that fails is answered with its error, leaves nothing of itself, and does not keep later ones from their turn.

use crate::answers::{Answers, KEY_ALONE, KEY_OF_LONG_VALUE, KEY_WITH_VALUE, Listed};
use crate::changes::{Change, Changes};
use crate::failure::Description;
use crate::number;
use crate::request::{Keys, Malformed, Operation, Operations, Set};
use crate::version::Version;
use tailstone::backing::Backing;
use tailstone::{Bucket, Error, Result, Store, ValueExtent};

/// Longer values are not read: the answer says where they lie.
pub const LONGEST_INLINE: u64 = 16 << 10;

/// The least that a page has for a key.
const ENTRY_HEADER: usize = 12;

/// What requests are carried out on, and where what comes of them goes.
pub struct Executor<'s, B: Backing> {
    pub store: &'s Store<B>,
    /// The bytes under the store.
    pub backing: &'s B,
    pub generation: u32,
    pub answers: &'s mut Answers,
    pub changes: &'s mut Changes,
}

impl<B: Backing> Executor<'_, B> {
    /// Carries a request out, nothing of it if it is malformed.
    pub fn run(&mut self, request: &[u8]) -> std::result::Result<(), Malformed> {
        let mut operations = Operations::of(request)?;
        let mut bucket = None;
        while let Some(operation) = operations.next().transpose()? {
            if let Operation::Bucket(name) = operation {
                bucket = Some(self.store.bucket(name));
                continue;
            }
            let outcome = match &bucket {
                Some(Ok(bucket)) => self.carry_out(bucket, &operation),
                Some(Err(error)) => {
                    self.answers.error(&Description::of(error));
                    continue;
                }
                None => return Err(Malformed),
            };
            if let Err(error) = outcome {
                self.answers.error(&Description::of(&error));
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, bucket: &Bucket<'_, B>, operation: &Operation<'_>) -> Result<()> {
        match *operation {
            Operation::Bucket(_) => {}
            Operation::Set(Set {
                key,
                value,
                expires_at,
            }) => {
                bucket.set_until(key, value, expires_at)?;
                self.changes.add(Change::Set, bucket.name(), key);
                self.answers.done();
            }
            Operation::Get { key, is_versioned } => {
                let extent = bucket.extent_of(key)?;
                self.answer_value(extent, is_versioned)?;
            }
            Operation::Size(key) => match bucket.value_len(key)? {
                Some(length) => self.answers.number(length),
                None => self.answers.none(),
            },
            Operation::Delete(key) => {
                if bucket.delete(key)? {
                    self.changes.add(Change::Deleted, bucket.name(), key);
                    self.answers.done();
                } else {
                    self.answers.none();
                }
            }
            Operation::Range {
                key,
                offset,
                length,
            } => match bucket.extent_of(key)? {
                Some(extent) => {
                    let skipped = offset.min(extent.len);
                    let length = length.min(extent.len - skipped);
                    let version = Version::of(extent.version, self.generation);
                    self.answer_bytes(extent.offset + skipped, length, version, false)?;
                }
                None => self.answers.none(),
            },
            Operation::Batch(ref operations) => self.batch(bucket, operations)?,
            Operation::PutIf { key, expected, new } => self.put_if(bucket, key, expected, new)?,
            Operation::Keys(keys) => self.page(bucket, keys)?,
            Operation::Count => {
                let count = bucket.len()?;
                self.answers.number(count);
            }
            Operation::Clear => {
                let count = bucket.clear()?;
                if count > 0 {
                    self.changes.add(Change::Cleared, bucket.name(), b"");
                }
                self.answers.number(count);
            }
            Operation::History { key, limit } => self.history(bucket, key, limit)?,
            Operation::Version {
                key,
                tail,
                is_versioned,
            } => {
                let extent = bucket.as_of(tail)?.extent_of(key)?;
                self.answer_value(extent, is_versioned)?;
            }
            Operation::Locate(key) => match bucket.extent_of(key)? {
                Some(extent) => {
                    let version = Version::of(extent.version, self.generation);
                    self.answers.extent(extent.offset, extent.len, version);
                }
                None => self.answers.none(),
            },
        }
        Ok(())
    }

    fn answer_value(&mut self, extent: Option<ValueExtent>, is_versioned: bool) -> Result<()> {
        let Some(extent) = extent else {
            self.answers.none();
            return Ok(());
        };
        let version = Version::of(extent.version, self.generation);
        self.answer_bytes(extent.offset, extent.len, version, is_versioned)
    }

    fn answer_bytes(
        &mut self,
        offset: u64,
        length: u64,
        version: Version,
        is_versioned: bool,
    ) -> Result<()> {
        if let Some(length) = inline(length) {
            let version = is_versioned.then_some(version);
            let read = |target: &mut [u8]| read(self.backing, offset, target);
            return self.answers.value(version, length, read);
        }
        self.answers.extent(offset, length, version);
        Ok(())
    }

    fn batch(&mut self, bucket: &Bucket<'_, B>, operations: &Operations<'_>) -> Result<()> {
        let mut batch = bucket.batch();
        for operation in operations.clone() {
            match operation {
                Ok(Operation::Set(set)) => {
                    batch.put_until(set.key, set.value, set.expires_at);
                }
                Ok(Operation::Delete(key)) => {
                    batch.delete(key);
                }
                // The request was read before.
                _ => {}
            }
        }
        batch.commit()?;
        for operation in operations.clone() {
            let (change, key) = match operation {
                Ok(Operation::Set(set)) => (Change::Set, set.key),
                Ok(Operation::Delete(key)) => (Change::Deleted, key),
                _ => continue,
            };
            self.changes.add(change, bucket.name(), key);
        }
        self.answers.done();
        Ok(())
    }

    /// Compares and changes in two steps: nobody else has the store.
    fn put_if(
        &mut self,
        bucket: &Bucket<'_, B>,
        key: &[u8],
        expected: Option<(f64, u32)>,
        new: Option<&[u8]>,
    ) -> Result<()> {
        let now = bucket.extent_of(key)?;
        let now = now.map(|extent| Version::of(extent.version, self.generation));
        let expected = expected.map(|(version, generation)| Version {
            number: number::from_js(version),
            generation,
        });
        if now != expected {
            self.answers.number(0);
            return Ok(());
        }
        let change = match new {
            Some(value) => {
                bucket.set(key, value)?;
                Some(Change::Set)
            }
            None => bucket.delete(key)?.then_some(Change::Deleted),
        };
        if let Some(change) = change {
            self.changes.add(change, bucket.name(), key);
        }
        self.answers.number(1);
        Ok(())
    }

    fn page(&mut self, bucket: &Bucket<'_, B>, asked: Keys<'_>) -> Result<()> {
        let most_bytes = usize::try_from(asked.limit_bytes).unwrap_or(usize::MAX);
        let most = usize::try_from(asked.limit).unwrap_or(usize::MAX);
        let most = most.min(most_bytes / ENTRY_HEADER).max(1);
        let found = bucket.keys(asked.prefix, asked.cursor, most)?;
        let mut cursor = found.cursor.as_deref();
        let (mut bytes, mut entries) = (0, Vec::new());
        let mut last = None;
        for key in &found.keys {
            let extent = if asked.with_values {
                bucket.extent_of(key)?
            } else {
                None
            };
            // What is damaged since it was listed has no value any more.
            if asked.with_values && extent.is_none() {
                continue;
            }
            let length = extent.and_then(|extent| inline(extent.len));
            bytes += ENTRY_HEADER + key.len() + length.unwrap_or(0);
            if bytes > most_bytes && last.is_some() {
                cursor = last;
                break;
            }
            entries.push((key, extent, length));
            last = Some(key.as_slice());
        }
        let mut page = self.answers.page(entries.len(), cursor);
        for (key, extent, length) in entries {
            let kind = match (extent, length) {
                (None, _) => KEY_ALONE,
                (_, Some(_)) => KEY_WITH_VALUE,
                (_, None) => KEY_OF_LONG_VALUE,
            };
            let offset = extent.map_or(0, |extent| extent.offset);
            let read = |target: &mut [u8]| read(self.backing, offset, target);
            page.entry(key, kind, length.unwrap_or(0), read)?;
        }
        page.close();
        Ok(())
    }

    fn history(&mut self, bucket: &Bucket<'_, B>, key: &[u8], limit: u32) -> Result<()> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut entries = Vec::new();
        for version in bucket.history(key)?.take(limit) {
            let version = version?;
            entries.push(Listed {
                tail: version.tail(),
                size: version.value().map_or(0, |value| value.len() as u64),
                is_deletion: version.is_deletion(),
            });
        }
        self.answers.list(&entries);
        Ok(())
    }
}

/// The length of a value that goes into the answer.
fn inline(length: u64) -> Option<usize> {
    usize::try_from(length)
        .ok()
        .filter(|_| length <= LONGEST_INLINE)
}

fn read<B: Backing>(backing: &B, offset: u64, target: &mut [u8]) -> Result<()> {
    if target.is_empty() {
        return Ok(());
    }
    backing.read(offset, target).map_err(|source| Error::Io {
        doing: "read a value",
        source,
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub mod wire;
