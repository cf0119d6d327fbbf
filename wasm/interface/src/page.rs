//! Keys and changes, a bounded page at a time.

use tailstone::backing::Backing;

use crate::bounds::{PAGE_BYTES, PAGE_ENTRIES};
use crate::refusal::Result;
use crate::table::Table;

/// Keys that are asked for at a time, so that a page of long ones is not much longer than it may be.
const AT_A_TIME: usize = 32;

/// Some keys in the order of their bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<Vec<u8>>,
    /// What to ask for the next page with; `None` if this was the last one.
    pub cursor: Option<Vec<u8>>,
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The key.
    pub key: Vec<u8>,
    /// The tail right behind it.
    pub tail: u64,
    /// Whether it removed the key.
    pub is_deletion: bool,
}

/// Some changes, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangePage {
    /// The changes. There may be none on a page that is not the last.
    pub changes: Vec<Changed>,
    /// What to ask for the next page with.
    pub tail: u64,
    /// Whether there was nothing more when the page was made.
    pub is_last: bool,
}

impl KeyPage {
    /// A page of at most `max` keys, made of what `more` gives behind a cursor, in pieces of any length up to the one asked for.
    pub fn gather(
        max: usize,
        cursor: Option<&[u8]>,
        mut more: impl FnMut(Option<&[u8]>, usize) -> Result<Self>,
    ) -> Result<Self> {
        let max = max.clamp(1, PAGE_ENTRIES);
        let mut page = Self {
            keys: Vec::new(),
            cursor: cursor.map(<[u8]>::to_vec),
        };
        let mut bytes = 0;
        loop {
            let piece = more(page.cursor.as_deref(), max - page.keys.len())?;
            for key in piece.keys {
                if bytes + key.len() > PAGE_BYTES && !page.keys.is_empty() {
                    page.cursor = page.keys.last().cloned();
                    return Ok(page);
                }
                bytes += key.len();
                page.keys.push(key);
            }
            page.cursor = piece.cursor;
            if page.cursor.is_none() || page.keys.len() >= max {
                return Ok(page);
            }
        }
    }
}

impl<B: Backing> Table<'_, B> {
    /// The first keys that begin with `prefix` and come behind `cursor`: `max` of them, or as many as a page has.
    pub fn scan(&self, prefix: &[u8], cursor: Option<&[u8]>, max: usize) -> Result<KeyPage> {
        KeyPage::gather(max, cursor, |cursor, limit| {
            let more = self.bucket().keys(prefix, cursor, limit.min(AT_A_TIME))?;
            Ok(KeyPage {
                keys: more.keys,
                cursor: more.cursor,
            })
        })
    }

    /// The changes behind the tail `since`: `max` of them, or as many as a page has.
    pub fn changes(&self, since: u64, max: usize) -> Result<ChangePage> {
        let max = max.clamp(1, PAGE_ENTRIES);
        let found = self.bucket().changes(self.unmark(since)?, max)?;
        let mut page = ChangePage {
            changes: Vec::new(),
            tail: self.mark(found.tail)?,
            is_last: found.is_last,
        };
        let mut bytes = 0;
        for change in &found.changes {
            let key = change.key().unwrap_or_default();
            if bytes + key.len() > PAGE_BYTES
                && let Some(last) = page.changes.last()
            {
                (page.tail, page.is_last) = (last.tail, false);
                break;
            }
            bytes += key.len();
            page.changes.push(Changed {
                key: key.to_vec(),
                tail: self.mark(change.tail())?,
                is_deletion: change.is_deletion(),
            });
        }
        Ok(page)
    }
}
