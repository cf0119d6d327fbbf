//! Whose turn it is to sync a medium that is written to meanwhile.
//!
//! Invariant: there is one sync at a time. A system tells of a failure once; of two that run together one could succeed with bytes that are
//! lost. Who comes after a failed one finds the store latched.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long who has the turn waits for the next of those who were there the last time. A sync takes longer on most media, and who
/// comes a moment late would wait for two of them.
const PATIENCE: Duration = Duration::from_micros(100);

/// Those who sync: one at a time, the others wait for it to end.
#[derive(Debug, Default)]
pub(super) struct Syncs {
    state: Mutex<State>,
    /// Told to those who wait when a sync has ended.
    ended: Condvar,
    /// Told to who gathers when as many wait as it expects.
    gathered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_taken: bool,
    /// How many shared syncs began.
    round: u64,
    /// How many wait for a sync that begins later than now, who gathers among them.
    waiting: usize,
    /// How many wait for the turn to end. With nobody there, ending it is no call to the system.
    asleep: usize,
    /// How many the last sync was for, and waited when it ended.
    expected: usize,
    /// How many are gathered; 0 if nobody does.
    wanted: usize,
}

/// The turn, which ends when this is dropped.
pub(super) struct Turn<'s> {
    syncs: &'s Syncs,
    /// How many share what is done in it.
    sharing: usize,
}

impl Syncs {
    /// The turn of who syncs for itself, when it comes.
    pub(super) fn turn(&self) -> Turn<'_> {
        let mut state = self.lock();
        while state.is_taken {
            state = self.until_an_end(state);
        }
        state.is_taken = true;
        Turn {
            syncs: self,
            sharing: 0,
        }
    }

    /// The turn of one who syncs for all who wait, once those who were there the last time are back; `None` as soon as `is_done` says
    /// that somebody did it.
    pub(super) fn shared_turn(&self, is_done: impl Fn() -> bool) -> Option<Turn<'_>> {
        let mut state = self.lock();
        let mut counted_in = None;
        loop {
            let is_counted = counted_in == Some(state.round);
            if is_done() {
                state.waiting -= usize::from(is_counted);
                return None;
            }
            if !is_counted {
                counted_in = Some(state.round);
                state.waiting += 1;
                if state.wanted != 0 && state.waiting >= state.wanted {
                    self.gathered.notify_one();
                }
            }
            if !state.is_taken {
                break;
            }
            state = self.until_an_end(state);
        }
        state.is_taken = true;
        let mut before = 0;
        while before < state.waiting && state.waiting < state.expected {
            before = state.waiting;
            state.wanted = state.expected;
            state = match self.gathered.wait_timeout(state, PATIENCE) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
            state.wanted = 0;
        }
        let sharing = std::mem::take(&mut state.waiting);
        state.round += 1;
        Some(Turn {
            syncs: self,
            sharing,
        })
    }

    fn until_an_end<'s>(&self, mut state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        state.asleep += 1;
        let woken = self.ended.wait(state);
        let mut state = woken.unwrap_or_else(PoisonError::into_inner);
        state.asleep -= 1;
        state
    }

    /// Nothing that is done under the lock leaves it half-way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.syncs.lock();
        state.is_taken = false;
        if self.sharing != 0 {
            state.expected = self.sharing + state.waiting;
        }
        let is_awaited = state.asleep != 0;
        drop(state);
        if is_awaited {
            self.syncs.ended.notify_all();
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails there and then"
)]
mod tests;
