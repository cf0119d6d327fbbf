//! An open bucket in which all keys of a case begin with the case's name, so that no case meets another one's.

use tailstone_conformance::{Place, Said, Verdict, ensure, equal};

use crate::draft::{Cursor, Number, atomics, batch, list_keys, store};

/// Keys of a page, and their bytes together, at most.
const PAGE_KEYS: usize = 1000;
const PAGE_BYTES: usize = 256 << 10;

/// More pages than any case has keys.
const PAGES: usize = 20_000;

/// A key with its value.
type Pair = (String, Vec<u8>);

/// An open bucket and a case's part of it.
pub struct Room {
    /// What the bucket was opened by.
    pub identifier: String,
    /// The bucket itself, for keys as they are.
    pub bucket: store::Bucket,
    prefix: String,
}

impl Place for Room {
    fn open(identifier: &str, case: &str) -> Result<Self, String> {
        Ok(Self {
            identifier: identifier.to_owned(),
            bucket: store::open(identifier).said("open")?,
            prefix: format!("{case}/"),
        })
    }
}

impl Room {
    /// The same part through another handle.
    pub fn again(&self) -> Result<Self, String> {
        Ok(Self {
            identifier: self.identifier.clone(),
            bucket: store::open(&self.identifier).said("open again")?,
            prefix: self.prefix.clone(),
        })
    }

    /// The key called `name` of this case.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub fn set(&self, name: &str, value: &[u8]) -> Verdict {
        self.bucket.set(&self.key(name), value).said("set")
    }

    pub fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.bucket.get(&self.key(name)).said("get")
    }

    pub fn delete(&self, name: &str) -> Verdict {
        self.bucket.delete(&self.key(name)).said("delete")
    }

    pub fn exists(&self, name: &str) -> Result<bool, String> {
        self.bucket.exists(&self.key(name)).said("exists")
    }

    pub fn increment(&self, name: &str, delta: Number) -> Result<Number, String> {
        atomics::increment(&self.bucket, &self.key(name), delta).said("increment")
    }

    pub fn get_many(&self, names: &[&str]) -> Result<Vec<Option<Pair>>, String> {
        let keys: Vec<String> = names.iter().map(|name| self.key(name)).collect();
        batch::get_many(&self.bucket, &keys).said("get-many")
    }

    pub fn set_many(&self, pairs: &[(&str, &[u8])]) -> Verdict {
        let pairs: Vec<Pair> = pairs
            .iter()
            .map(|(name, value)| (self.key(name), value.to_vec()))
            .collect();
        batch::set_many(&self.bucket, &pairs).said("set-many")
    }

    pub fn delete_many(&self, names: &[&str]) -> Verdict {
        let keys: Vec<String> = names.iter().map(|name| self.key(name)).collect();
        batch::delete_many(&self.bucket, &keys).said("delete-many")
    }

    /// Fails unless this is the value.
    pub fn has(&self, name: &str, value: &[u8]) -> Verdict {
        equal(
            &format!("the value of {name:?}"),
            &self.get(name)?.as_deref(),
            &Some(value),
        )
    }

    /// Fails unless there is no value.
    pub fn lacks(&self, name: &str) -> Verdict {
        equal(&format!("the value of {name:?}"), &self.get(name)?, &None)
    }

    /// Sets this many keys to a byte each, and gives their names in order.
    pub fn fill(&self, count: usize) -> Result<Vec<String>, String> {
        let names: Vec<String> = (0..count).map(|number| format!("{number:06}")).collect();
        for some in names.chunks(500) {
            let pairs: Vec<(&str, &[u8])> =
                some.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
            self.set_many(&pairs)?;
        }
        Ok(names)
    }

    /// This case's names among all keys that are listed, sorted.
    pub fn list(&self) -> Result<Vec<String>, String> {
        self.list_with(|_| Ok(()))
    }

    /// The same, doing something between a page and the next, given this case's names on it.
    pub fn list_with(
        &self,
        mut between: impl FnMut(&[String]) -> Verdict,
    ) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        let mut cursor: Option<Cursor> = None;
        for _ in 0..PAGES {
            let page = list_keys(&self.bucket, cursor.as_ref()).said("list-keys")?;
            let on_page = self.names_of(&page.keys);
            names.extend_from_slice(&on_page);
            cursor = page.cursor;
            if cursor.is_none() {
                names.sort_unstable();
                return Ok(names);
            }
            between(&on_page)?;
        }
        Err(format!("after {PAGES} pages there still was a cursor"))
    }

    /// This case's names among keys.
    pub fn names_of(&self, keys: &[String]) -> Vec<String> {
        let mine = keys.iter().filter_map(|key| key.strip_prefix(&self.prefix));
        mine.map(str::to_owned).collect()
    }
}

/// Fails if a page has more than a guest that has little memory can take.
pub fn check_bounds(keys: &[String]) -> Verdict {
    let bytes: usize = keys.iter().map(String::len).sum();
    let is_bounded = keys.len() <= PAGE_KEYS && (bytes <= PAGE_BYTES || keys.len() == 1);
    ensure(
        is_bounded,
        &format!("a page has {} keys of {bytes} bytes together", keys.len()),
    )
}
