//! Writers who share a sync: single changes that are asked for at the same time under [`Durability::Sync`] go behind one marker,
//! as one batch, and are synced once.
//!
//! Invariant: more than one entry is written before a sync only behind a marker that is on stable storage, so that a loss of power
//! leaves all of them or none. A change that comes alone is appended alone, as if this were not here.
//!
//! `queue` is who waits and who leads, `round` what the leader does, `shape` how long a batch is that is announced before it is known.

mod queue;
mod round;
mod shape;

pub(super) use queue::Queue;
pub(super) use shape::Ahead;

use super::plan::Change;
use super::{Store, Writer};
use crate::backing::Backing;
use crate::error::Result;
use crate::options::Durability;
use queue::Turn;

/// Changes with longer payloads are not copied for another thread to write them; they go alone. In bytes.
pub(crate) const SHARED_BYTES: usize = 64 << 10;

/// Looks at what is stored, under the writer lock, given the key's hash and the key: whether the change is to be made, with a word for
/// the caller, or nothing is (`None`).
pub(crate) type Judge<B> = fn(&Store<B>, u64, &[u8]) -> Result<Option<bool>>;

/// One change, and what it depends on.
pub(crate) struct Request<'a, B: Backing> {
    pub(super) key_hash: u64,
    pub(super) change: Change<'a>,
    pub(super) judge: Option<(Judge<B>, &'a [u8])>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The tail behind the change.
    pub(crate) tail: u64,
    /// What was judged; true where there was nothing to judge.
    pub(crate) judged: Option<bool>,
}

impl<B: Backing> Clone for Request<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backing> Copy for Request<'_, B> {}

impl<'a, B: Backing> Request<'a, B> {
    /// A change that is made whatever is stored.
    pub(crate) const fn new(key_hash: u64, change: Change<'a>) -> Self {
        Self {
            key_hash,
            change,
            judge: None,
        }
    }

    /// A change that depends on what is stored under `key`.
    pub(crate) const fn judged(
        key_hash: u64,
        change: Change<'a>,
        judge: Judge<B>,
        key: &'a [u8],
    ) -> Self {
        Self {
            key_hash,
            change,
            judge: Some((judge, key)),
        }
    }

    /// Bytes that another thread would have to be given.
    fn len(&self) -> usize {
        let (value, behind) = self.change.payload();
        let key = self.judge.map_or(0, |(_, key)| key.len());
        value.len().saturating_add(behind.len()).saturating_add(key)
    }
}

impl<B: Backing> Store<B> {
    /// Makes one change, together with those that others ask for meanwhile if each would be synced.
    pub(crate) fn commit_shared(&self, request: &Request<'_, B>) -> Result<Answer> {
        let is_alone = B::ONE_THREAD || self.settings().durability != Durability::Sync;
        if is_alone || request.len() > SHARED_BYTES {
            let mut writer = self.lock_writer();
            self.check_writable()?;
            return self.commit_alone(&mut writer, request);
        }
        let (leading, own) = match self.group.join(request) {
            Turn::Lead(leading) => (leading, Some(request)),
            Turn::Wait(ticket) => {
                if let Some(answer) = ticket.wait() {
                    return answer;
                }
                // The eldest of those who wait leads, and finds its own request in the queue.
                self.lead(self.group.take_over(), None);
                return ticket.answer();
            }
        };
        self.lead(leading, own).unwrap_or_else(|| {
            // Its own request is the first of the group, and something of a group is always done.
            Err(queue::abandoned())
        })
    }

    fn commit_alone(&self, writer: &mut Writer, request: &Request<'_, B>) -> Result<Answer> {
        let judged = self.judge(request)?;
        let tail = match judged {
            Some(_) => self.commit_one_locked(writer, request.key_hash, request.change)?,
            None => self.tail(),
        };
        Ok(Answer { tail, judged })
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]
mod tests;
