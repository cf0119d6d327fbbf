//! The ordered directory of the keys of all buckets: built when it is first asked for, and then kept current.
//!
//! Invariants: while it is there, what it says and the events that wait together are what the index says; the events that wait are
//! of the generation that is current. Locks are taken in this order: the writer's, the directory's, that of the waiting events.
//!
//! A writer says which extent the index gave up for which, under the writer lock, and goes on; whoever lists next reads the keys
//! behind these extents. Old entries lie where they were until a compaction, which has the events applied first. Nobody who lists waits for
//! a writer, but for the moment in which recording is switched on.

mod key_set;
mod leaf;
mod names;
mod ordered;
mod record;
mod stored;

pub(crate) use key_set::has_expired;
pub(crate) use names::KeyDirectory;

use super::trailer::Trailer;
use crate::backing::Backing;
use crate::error::Result;
use crate::index::{Extent, sort_by_offset};
use crate::store::{Generation, Store, Writer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Events from which on writers apply them themselves, if nobody is listing just then.
const MANY: usize = 4 << 10;
/// Events that wait at most, 1 MiB of them: one more and the directory is given up, to be built again when it is asked for.
const MOST: usize = 64 << 10;

/// The directory of one store, if it has been asked for.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// Whether writers are to say what they change; switched on under the writer lock.
    recording: AtomicBool,
    waiting: Mutex<Waiting>,
    keys: Mutex<Option<KeyDirectory>>,
}

#[derive(Debug, Default)]
struct Waiting {
    events: Vec<Event>,
    /// There were too many: the directory is out of date for good.
    lost: bool,
}

/// What the index gave up and what it got for it, each a word that is 0 for nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    removed: u64,
    added: u64,
}

impl Event {
    /// `added` may be a deletion, which adds nothing.
    pub(crate) fn new(removed: Option<Extent>, added: Extent) -> Self {
        Self {
            removed: removed.map_or(0, Extent::to_word),
            added: if added.is_deletion() {
                0
            } else {
                added.to_word()
            },
        }
    }
}

impl Directory {
    /// Where a writer puts down what it changes, under the writer lock; `None` if nobody wants to know.
    pub(crate) fn recorder(&self) -> Option<Vec<Event>> {
        self.recording.load(Ordering::Acquire).then(Vec::new)
    }

    /// Takes what a commit changed, once it is published; still under the writer lock.
    pub(crate) fn record<B: Backing>(
        &self,
        generation: &Generation<B>,
        recorded: Option<Vec<Event>>,
    ) {
        let Some(recorded) = recorded else {
            return;
        };
        let waiting = {
            let mut waiting = self.waiting();
            waiting.events.extend(recorded);
            waiting.events.len()
        };
        if waiting < MANY {
            return;
        }
        let keys = match self.keys.try_lock() {
            Ok(keys) => Some(keys),
            Err(TryLockError::Poisoned(keys)) => Some(keys.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        // A failure gives the directory up, and whoever builds it again meets it.
        let is_done = keys.is_some_and(|mut keys| {
            let caught_up = self.catch_up(&mut keys, generation);
            caught_up.unwrap_or(true)
        });
        if !is_done && waiting > MOST {
            self.recording.store(false, Ordering::Release);
            *self.waiting() = Waiting {
                events: Vec::new(),
                lost: true,
            };
        }
    }

    /// For a compaction that is about to put another generation in place, under the writer lock: brings the directory up to date
    /// with the old one, takes out what the compaction left out, and keeps everybody away until the guard is dropped.
    pub(crate) fn before_switch<B: Backing>(
        &self,
        old: &Generation<B>,
        now: u64,
    ) -> MutexGuard<'_, Option<KeyDirectory>> {
        let mut keys = self.keys();
        // A failure gives the directory up: the compaction has nothing to do with it.
        if let Ok(true) = self.catch_up(&mut keys, old)
            && let Some(keys) = keys.as_mut()
        {
            keys.remove_expired(now);
        }
        keys
    }

    /// Applies the events that wait; says whether there is a directory, which is current then.
    fn catch_up<B: Backing>(
        &self,
        keys: &mut Option<KeyDirectory>,
        generation: &Generation<B>,
    ) -> Result<bool> {
        let Some(directory) = keys else {
            return Ok(false);
        };
        let Waiting { events, lost } = std::mem::take(&mut *self.waiting());
        let applied = events.iter().try_for_each(|event| {
            for (word, is_added) in [(event.removed, false), (event.added, true)] {
                let Some(extent) = Extent::from_word(word) else {
                    continue;
                };
                match Trailer::read(generation, extent)? {
                    Some(trailer) if is_added => {
                        directory.put(trailer.name_and_key(), trailer.expires_at);
                    }
                    Some(trailer) => directory.remove(trailer.name_and_key()),
                    None => {}
                }
            }
            Ok(())
        });
        if lost || applied.is_err() {
            self.give_up(keys);
        }
        applied.map(|()| !lost)
    }

    /// Reads all there is, and what was changed while it did; says whether that is current.
    fn build<B: Backing>(
        &self,
        keys: &mut Option<KeyDirectory>,
        generation: &Generation<B>,
    ) -> Result<bool> {
        if let Some(stored) = Self::take_up(generation)? {
            *keys = Some(stored);
            return self.catch_up(keys, generation);
        }
        generation.wake_all()?;
        let mut extents = Vec::new();
        generation.index.for_each(|extent| extents.push(extent));
        sort_by_offset(&mut extents);
        let directory = keys.insert(KeyDirectory::default());
        let read = extents.into_iter().try_for_each(|extent| {
            if let Some(trailer) = Trailer::read(generation, extent)? {
                directory.put(trailer.name_and_key(), trailer.expires_at);
            }
            Ok(())
        });
        if let Err(error) = read {
            self.give_up(keys);
            return Err(error);
        }
        self.catch_up(keys, generation)
    }

    /// Memory that it takes, 0 as long as nobody has asked for it.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let bytes = self.keys().as_ref().map_or(0, KeyDirectory::memory_bytes);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    fn give_up(&self, keys: &mut Option<KeyDirectory>) {
        *keys = None;
        self.recording.store(false, Ordering::Release);
        *self.waiting() = Waiting::default();
    }

    fn switch_on(&self) {
        *self.waiting() = Waiting::default();
        self.recording.store(true, Ordering::Release);
    }

    fn keys(&self) -> MutexGuard<'_, Option<KeyDirectory>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Backing> Store<B> {
    /// What `read` makes of the directory as it is now: what every write left that has returned.
    ///
    /// The first call builds it, which reads the end of every live entry and takes 8 bytes for each meanwhile. An error gives it up.
    pub(crate) fn with_keys<R>(&self, read: impl FnOnce(&KeyDirectory) -> R) -> Result<R> {
        let directory = &self.directory;
        let mut keys = directory.keys();
        if !directory.catch_up(&mut keys, &self.current.load())? {
            drop(keys);
            // Recording begins between two commits.
            let writer = self.lock_writer();
            keys = directory.keys();
            // Somebody else may have built it meanwhile.
            let mut is_current = directory.catch_up(&mut keys, &self.current.load())?;
            if !is_current {
                directory.switch_on();
                drop(writer);
                is_current = directory.build(&mut keys, &self.current.load_full())?;
            }
            if !is_current {
                // Writers were too many at once, so they wait this time.
                drop(keys);
                return self.with_keys_locked(&self.lock_writer(), read);
            }
        }
        Ok(read(keys.get_or_insert_default()))
    }

    /// The same for who holds the writer lock: as long as that is so, the directory stays as it is.
    pub(crate) fn with_keys_locked<R>(
        &self,
        _writer: &Writer,
        read: impl FnOnce(&KeyDirectory) -> R,
    ) -> Result<R> {
        let directory = &self.directory;
        let mut keys = directory.keys();
        if !directory.catch_up(&mut keys, &self.current.load())? {
            directory.switch_on();
            directory.build(&mut keys, &self.current.load_full())?;
        }
        Ok(read(keys.get_or_insert_default()))
    }
}

#[cfg(test)]
mod tests;
