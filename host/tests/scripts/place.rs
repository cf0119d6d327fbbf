//! What one store ought to hold: keys of its buckets, the log of their changes, and what is known of its versions and tails.
//!
//! Versions and tails are the store's to choose: the model only knows which of them it saw, for what, and since when they mean nothing.

use std::collections::BTreeMap;

/// A key in its bucket.
pub type Name = (Vec<u8>, Vec<u8>);

/// A value, and which write it came by.
#[derive(Debug, Clone)]
pub struct Held {
    pub value: Vec<u8>,
    pub write: u64,
}

/// A change in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub bucket: Vec<u8>,
    pub key: Vec<u8>,
    pub is_deletion: bool,
}

/// Where a tail is: behind that many changes of the log, at least and at most.
pub type Behind = (usize, usize);

/// What a number that was handed in means now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning<T> {
    /// This, for sure.
    Known(T),
    /// Nothing any more, or it never did.
    Stale,
    /// Who knows: it was seen before something that may or may not have moved entries, or in another store.
    Unsure,
}

#[derive(Debug, Default)]
pub struct Place {
    /// Whether the file is there.
    pub exists: bool,
    /// Whether writes may compact the store without a word.
    pub compacts_itself: bool,
    pub buckets: BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Held>>,
    pub log: Vec<Logged>,
    writes: u64,
    /// How often entries may have been moved.
    epoch: u64,
    /// From which epoch on it is sure that they were moved in between.
    sure_since: u64,
    versions: BTreeMap<u64, (Name, u64, u64)>,
    tails: BTreeMap<u64, (Behind, u64)>,
    /// Tails of before a compaction that were let in, as one in 65,536 may be.
    accidents: u32,
}

impl Place {
    pub fn new(exists: bool, compacts_itself: bool) -> Self {
        Self {
            exists,
            compacts_itself,
            ..Self::default()
        }
    }

    pub fn get(&self, bucket: &[u8], key: &[u8]) -> Option<&Held> {
        self.buckets.get(bucket)?.get(key)
    }

    /// The keys of a bucket behind a cursor that begin alike.
    pub fn keys<'p>(
        &'p self,
        bucket: &[u8],
        prefix: &'p [u8],
        cursor: Option<&'p [u8]>,
    ) -> impl Iterator<Item = &'p Vec<u8>> {
        let keys = self
            .buckets
            .get(bucket)
            .into_iter()
            .flat_map(BTreeMap::keys);
        keys.filter(move |key| {
            key.starts_with(prefix) && cursor.is_none_or(|cursor| key.as_slice() > cursor)
        })
    }

    pub fn count(&self, bucket: &[u8]) -> u64 {
        self.buckets.get(bucket).map_or(0, |keys| keys.len() as u64)
    }

    pub fn entries(&self) -> u64 {
        self.buckets.values().map(|keys| keys.len() as u64).sum()
    }

    /// The sum of something over all entries, given their buckets' names, keys and values by length.
    pub fn sum(&self, of: impl Fn(usize, usize, usize) -> u64) -> u64 {
        let entries = self.buckets.iter().flat_map(|(bucket, keys)| {
            keys.iter()
                .map(|(key, held)| (bucket.len(), key.len(), held.value.len()))
        });
        entries
            .map(|(bucket, key, value)| of(bucket, key, value))
            .sum()
    }

    /// Changes keys; what happens to the log is what the store says of each.
    pub fn change(
        &mut self,
        bucket: &[u8],
        changes: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
    ) {
        for (key, value) in changes {
            let keys = self.buckets.entry(bucket.to_vec()).or_default();
            let is_deletion = value.is_none();
            if let Some(value) = value {
                self.writes += 1;
                keys.insert(
                    key.clone(),
                    Held {
                        value,
                        write: self.writes,
                    },
                );
            } else if keys.remove(&key).is_none() {
                continue;
            }
            self.log.push(Logged {
                bucket: bucket.to_vec(),
                key,
                is_deletion,
            });
        }
        if self.compacts_itself {
            self.unsettle();
        }
    }

    /// Of each key only its last change is left, and versions and tails of before mean nothing.
    pub fn compact(&mut self) {
        self.epoch += 1;
        let mut live: Vec<(u64, Logged)> = Vec::new();
        for (bucket, keys) in &self.buckets {
            live.extend(keys.iter().map(|(key, held)| {
                (
                    held.write,
                    Logged {
                        bucket: bucket.clone(),
                        key: key.clone(),
                        is_deletion: false,
                    },
                )
            }));
        }
        live.sort_by_key(|(write, _)| *write);
        self.log = live.into_iter().map(|(_, logged)| logged).collect();
    }

    /// Versions and tails of before may mean anything.
    pub fn unsettle(&mut self) {
        self.epoch += 1;
        self.sure_since = self.epoch;
    }

    /// Whether a key that was deleted is in the log still.
    pub fn was_logged(&self, bucket: &[u8], key: &[u8]) -> bool {
        self.log
            .iter()
            .any(|logged| logged.bucket == bucket && logged.key == key)
    }

    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    fn age(&self, epoch: u64) -> Meaning<()> {
        if epoch == self.epoch {
            Meaning::Known(())
        } else if epoch >= self.sure_since {
            Meaning::Stale
        } else {
            Meaning::Unsure
        }
    }

    /// Notes the version of a key's value; fails if it was another one's, or this value had another one.
    pub fn note_version(&mut self, bucket: &[u8], key: &[u8], version: u64) -> Result<(), String> {
        let name = (bucket.to_vec(), key.to_vec());
        let write = self.get(bucket, key).map_or(0, |held| held.write);
        if let Some((before, of, epoch)) = self.versions.get(&version) {
            let same = *before == name && *of == write;
            let right = match self.age(*epoch) {
                Meaning::Known(()) => same,
                // A compaction gives every value another version.
                Meaning::Stale => *before != name,
                Meaning::Unsure => true,
            };
            if !right {
                return Err(format!("the version {version} was that of another value"));
            }
        }
        if self
            .version_of(&name, write)
            .is_some_and(|known| known != version)
        {
            return Err("the version changed, and the value did not".to_owned());
        }
        self.versions.insert(version, (name, write, self.epoch));
        Ok(())
    }

    /// The version of a write, if it was seen since entries were last moved.
    fn version_of(&self, name: &Name, write: u64) -> Option<u64> {
        let mut seen = self.versions.iter();
        let found =
            seen.find(|(_, (of, at, epoch))| of == name && *at == write && *epoch == self.epoch);
        found.map(|(version, _)| *version)
    }

    /// Whether the value of a key is of this version, if that is known.
    pub fn is_version(&self, bucket: &[u8], key: &[u8], expected: Option<u64>) -> Option<bool> {
        let held = self.get(bucket, key);
        let (Some(held), Some(expected)) = (held, expected) else {
            return Some(held.is_none() && expected.is_none());
        };
        let name = (bucket.to_vec(), key.to_vec());
        if let Some(known) = self.version_of(&name, held.write) {
            return Some(known == expected);
        }
        match self.versions.get(&expected) {
            Some((of, write, epoch)) => match self.age(*epoch) {
                Meaning::Known(()) => Some(*of == name && *write == held.write),
                Meaning::Stale => Some(false),
                Meaning::Unsure => None,
            },
            // Two stores may give the same versions.
            None => None,
        }
    }

    /// Notes where a tail is; fails if it was elsewhere.
    pub fn note_tail(&mut self, tail: u64, (least, most): Behind) -> Result<(), String> {
        if self.compacts_itself || tail == 0 {
            return Ok(());
        }
        let (mut least, mut most) = (least, most);
        if let Some(((before, behind), epoch)) = self.tails.get(&tail)
            && *epoch == self.epoch
        {
            (least, most) = (least.max(*before), most.min(*behind));
            if least > most {
                return Err(format!("the tail {tail} was elsewhere before"));
            }
        }
        self.tails.insert(tail, ((least, most), self.epoch));
        Ok(())
    }

    /// Where a tail is.
    pub fn meaning_of(&self, tail: u64) -> Meaning<Behind> {
        match self.tails.get(&tail) {
            _ if tail == 0 => Meaning::Known((0, 0)),
            Some((behind, epoch)) => match self.age(*epoch) {
                Meaning::Known(()) => Meaning::Known(*behind),
                Meaning::Stale => Meaning::Stale,
                Meaning::Unsure => Meaning::Unsure,
            },
            None => Meaning::Unsure,
        }
    }

    /// A tail that means nothing was let in: once in a while its mark fits by chance.
    pub fn let_in(&mut self) -> Result<(), String> {
        self.accidents += 1;
        if self.accidents > 1 {
            return Err("tails of before a compaction were let in twice".to_owned());
        }
        Ok(())
    }
}
