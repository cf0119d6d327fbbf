//! A bucket of its own for each case, in one store.

use tailstone_conformance::{Place, Said, Verdict, equal};

use crate::bindings::tailstone::store::stores::{Access, Change, Entry, KeyPage, Store};

/// More pages than any case has keys.
const PAGES: usize = 20_000;

/// An open bucket.
pub struct Room {
    pub identifier: String,
    pub bucket: Vec<u8>,
    pub store: Store,
}

impl Place for Room {
    fn open(identifier: &str, case: &str) -> Result<Self, String> {
        Self::of(identifier, case.as_bytes(), Access::Create)
    }
}

impl Room {
    pub fn of(identifier: &str, bucket: &[u8], access: Access) -> Result<Self, String> {
        Ok(Self {
            identifier: identifier.to_owned(),
            bucket: bucket.to_owned(),
            store: Store::open(identifier, bucket, access).said("open")?,
        })
    }

    /// The same bucket through another handle.
    pub fn again(&self, access: Access) -> Result<Self, String> {
        Self::of(&self.identifier, &self.bucket, access)
    }

    pub fn put(&self, key: &[u8], value: &[u8]) -> Verdict {
        self.store.put(key, value).said("put")
    }

    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, String> {
        self.store.get(key).said("get")
    }

    pub fn delete(&self, key: &[u8]) -> Result<bool, String> {
        self.store.delete(key).said("delete")
    }

    pub fn batch(&self, changes: &[Change]) -> Verdict {
        self.store.append_batch(changes).said("append-batch")
    }

    /// Which value `key` has, if any.
    pub fn version(&self, key: &[u8]) -> Result<Option<u64>, String> {
        Ok(self.store.stat(key).said("stat")?.map(|stat| stat.version))
    }

    /// Fails unless this is the value.
    pub fn has(&self, key: &[u8], value: &[u8]) -> Verdict {
        equal(
            &format!("the value of {}", shown(key)),
            &self.get(key)?.as_deref(),
            &Some(value),
        )
    }

    /// Fails unless there is no value.
    pub fn lacks(&self, key: &[u8]) -> Verdict {
        equal(
            &format!("the value of {}", shown(key)),
            &self.get(key)?,
            &None,
        )
    }

    /// Puts this many keys, and gives them in order.
    pub fn fill(&self, count: usize) -> Result<Vec<Vec<u8>>, String> {
        let keys: Vec<Vec<u8>> = (0..count)
            .map(|number| format!("{number:06}").into_bytes())
            .collect();
        for some in keys.chunks(500) {
            let puts: Vec<Change> = some.iter().map(|key| put(key, b"x")).collect();
            self.batch(&puts)?;
        }
        Ok(keys)
    }

    /// All keys with this prefix, as the pages have them, doing something between a page and the next.
    pub fn scan_all(
        &self,
        prefix: &[u8],
        max: u32,
        mut between: impl FnMut(&KeyPage) -> Verdict,
    ) -> Result<Vec<Vec<u8>>, String> {
        let mut keys = Vec::new();
        let mut cursor: Option<Vec<u8>> = None;
        for _ in 0..PAGES {
            let page = self
                .store
                .scan(prefix, cursor.as_deref(), max)
                .said("scan")?;
            between(&page)?;
            keys.extend(page.keys);
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(keys),
            }
        }
        Err(format!("after {PAGES} pages there still was a cursor"))
    }

    /// All keys.
    pub fn keys(&self) -> Result<Vec<Vec<u8>>, String> {
        self.scan_all(b"", u32::MAX, |_| Ok(()))
    }
}

/// A change that puts.
pub fn put(key: &[u8], value: &[u8]) -> Change {
    Change::Put(Entry {
        key: key.to_vec(),
        value: value.to_vec(),
    })
}

/// A change that deletes.
pub fn delete(key: &[u8]) -> Change {
    Change::Delete(key.to_vec())
}

fn shown(key: &[u8]) -> String {
    let text = String::from_utf8_lossy(key);
    format!("{:?}", text.chars().take(40).collect::<String>())
}
