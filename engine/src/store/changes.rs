//! The log as a feed of changes, oldest first, page by page.
//!
//! Invariant: a page begins where it was asked to and says where the next one begins; between the two lies every entry that it left out
//! because it was not asked for. What the store keeps for itself is no change.

use super::generation::Located;
use super::{Generation, Store};
use crate::backing::Backing;
use crate::bucket::{Trailer, Value};
use crate::error::Result;
use crate::format::{Entry, is_reserved_hash, split_full_key};
use crate::recovery::Chain;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Entries that a page goes past at most, so that it ends in good time also when few of them are asked for.
const PASSED: usize = 16 << 10;

/// One change: a value that was stored, or a deletion.
pub struct LoggedChange<B: Backing> {
    generation: Arc<Generation<B>>,
    entry: Entry,
    full_key: Option<Vec<u8>>,
}

/// Some changes, oldest first, and where the next ones begin.
pub struct ChangePage<B: Backing> {
    /// The changes; there may be none although more come.
    pub changes: Vec<LoggedChange<B>>,
    /// The tail to go on from.
    pub tail: u64,
    /// Whether that was the store's tail when the page was asked for.
    pub is_last: bool,
}

impl<B: Backing> Store<B> {
    /// The changes made behind the tail `since`, oldest first, at most `limit` of them (at least one); 0 is the beginning.
    ///
    /// Ask again with the page's [`tail`](ChangePage::tail) for what comes then. Where a page ends, a batch may be cut in two. Values are
    /// read when they are asked for; the end of each is read for its key, if it is one of a bucket's. The key of a deletion in a
    /// bucket is that of the value before it, which is looked for backwards in the log, once for all deletions of a page, however far
    /// that is.
    ///
    /// [`Error::NoSuchTail`](crate::Error::NoSuchTail) if no entry ends at `since`. A compaction leaves of each live key its last change and
    /// starts the tails anew: one from before is refused or, by chance, means another moment, so go on from 0.
    /// The log only links backwards, so a first page walks through it to its end; later ones walk through some thousand entries.
    pub fn changes(&self, since: u64, limit: usize) -> Result<ChangePage<B>> {
        self.changes_of(since, limit, None)
    }

    /// The changes of one bucket, or all.
    pub(crate) fn changes_of(
        &self,
        since: u64,
        limit: usize,
        bucket: Option<&[u8]>,
    ) -> Result<ChangePage<B>> {
        let generation = self.current.load_full();
        let end = generation.tail();
        let limit = limit.max(1);
        // Of a bucket nobody knows before how many entries it takes.
        let enough = match bucket {
            Some(_) => limit.saturating_mul(16).min(PASSED),
            None => limit,
        };
        let (mut tail, mut entries) = (since, Vec::new());
        let mut found = 0;
        while found < enough {
            let mut more = generation.entries_behind(tail, end)?;
            if bucket.is_none() {
                more.truncate(entries_up_to(&more, enough - found));
            }
            let Some(last) = more.last() else {
                break;
            };
            tail = last.end();
            found += more.iter().filter(|entry| is_change(entry)).count();
            entries.append(&mut more);
        }
        let keys = keys_of(&generation, &entries)?;
        let mut changes = Vec::new();
        for (entry, full_key) in entries.iter().zip(keys) {
            let name = full_key.as_deref().map(|key| split_full_key(key).0);
            if !is_change(entry) || bucket.is_some() && bucket != name {
                continue;
            }
            changes.push(LoggedChange {
                generation: Arc::clone(&generation),
                entry: *entry,
                full_key,
            });
            if changes.len() == limit {
                tail = entry.end();
                break;
            }
        }
        Ok(ChangePage {
            changes,
            tail,
            is_last: tail == end,
        })
    }
}

fn is_change(entry: &Entry) -> bool {
    !is_reserved_hash(entry.metadata.key_hash)
}

/// How many of these entries it takes until there are `limit` changes among them.
fn entries_up_to(entries: &[Entry], limit: usize) -> usize {
    let changes = entries.iter().enumerate();
    let mut changes = changes.filter(|(_, entry)| is_change(entry));
    let last = changes.nth(limit.saturating_sub(1));
    last.map_or(entries.len(), |(at, _)| at + 1)
}

/// The full key of each of these entries, which follow each other, if it is one of a bucket's.
fn keys_of<B: Backing>(
    generation: &Generation<B>,
    entries: &[Entry],
) -> Result<Vec<Option<Vec<u8>>>> {
    let mut keys = Vec::with_capacity(entries.len());
    // Where the newest value of a hash is among the entries so far, and which deletions wait for one that is older than all.
    let mut newest: BTreeMap<u64, usize> = BTreeMap::new();
    let mut unknown: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (nth, entry) in entries.iter().enumerate() {
        let key_hash = entry.metadata.key_hash;
        let mut key = None;
        if !entry.is_tombstone {
            key = key_at(generation, entry)?;
            newest.insert(key_hash, nth);
        } else if let Some(&before) = newest.get(&key_hash) {
            key = keys.get(before).cloned().flatten();
        } else {
            unknown.entry(key_hash).or_default().push(nth);
        }
        keys.push(key);
    }
    let start = entries
        .first()
        .map_or(0, |entry| entry.metadata.prev_offset);
    let mut older = Chain::new(&generation.backing, start);
    while !unknown.is_empty() {
        let Some(entry) = older.next().transpose()? else {
            break;
        };
        if !entry.is_tombstone
            && let Some(deletions) = unknown.remove(&entry.metadata.key_hash)
        {
            let key = key_at(generation, &entry)?;
            for nth in deletions {
                if let Some(slot) = keys.get_mut(nth) {
                    slot.clone_from(&key);
                }
            }
        }
    }
    Ok(keys)
}

fn key_at<B: Backing>(generation: &Generation<B>, entry: &Entry) -> Result<Option<Vec<u8>>> {
    let trailer = Trailer::read(generation, Located::of(entry).extent)?;
    Ok(trailer.map(|trailer| trailer.full_key.to_vec()))
}

impl<B: Backing> LoggedChange<B> {
    /// The tail right after this change, from which the next one follows.
    #[must_use]
    pub const fn tail(&self) -> u64 {
        self.entry.end()
    }

    /// Where its entry starts, with its pad: the tail before it.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.entry.metadata.prev_offset
    }

    /// The hash of its key.
    #[must_use]
    pub const fn key_hash(&self) -> u64 {
        self.entry.metadata.key_hash
    }

    /// Whether the key was deleted.
    #[must_use]
    pub const fn is_deletion(&self) -> bool {
        self.entry.is_tombstone
    }

    /// The name of the bucket that the key is in; `None` for a plain key.
    #[must_use]
    pub fn bucket(&self) -> Option<&[u8]> {
        self.full_key.as_deref().map(|key| split_full_key(key).0)
    }

    /// The key, if it is one of a bucket's: of others there is only the hash.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        self.full_key.as_deref().map(|key| split_full_key(key).1)
    }

    /// The value that was stored, expired or not; `None` for a deletion. Read now, and without what a bucket puts behind it.
    pub fn value(&self) -> Result<Option<Value<B::View>>> {
        if self.entry.is_tombstone {
            return Ok(None);
        }
        let entry = self.generation.handle_of(&self.entry)?;
        Ok(Some(Value::alone(entry)))
    }
}

impl<B: Backing> fmt::Debug for LoggedChange<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedChange")
            .field("offsets", &(self.offset()..self.tail()))
            .field("key_hash", &self.key_hash())
            .field("is_deletion", &self.is_deletion())
            .finish_non_exhaustive()
    }
}

impl<B: Backing> fmt::Debug for ChangePage<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangePage")
            .field("changes", &self.changes)
            .field("tail", &self.tail)
            .field("is_last", &self.is_last)
            .finish()
    }
}

#[cfg(test)]
mod tests;
