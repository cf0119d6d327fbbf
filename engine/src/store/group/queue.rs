//! Who waits for a sync to share, and who leads.
//!
//! Invariant: while anybody waits, somebody leads or has been told to. A leader that gives up, by a panic too, answers those whose
//! requests it took and passes the lead on. Where there are no threads nobody ever waits.

use super::super::plan::Change;
use super::{Answer, Judge, Request};
use crate::backing::Backing;
use crate::error::{Error, Result};
use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most requests in one group,
const MAX_MEMBERS: usize = 1024;
/// ... and the bytes at which it has enough of them.
const ENOUGH_BYTES: usize = 1 << 20;
/// How long a leader waits for the next of those who wrote in the group before and are expected back. A sync takes longer
/// on most media, and who comes a moment late would wait for two of them.
const PATIENCE: Duration = Duration::from_micros(100);

/// The requests that wait for a group, oldest first.
pub(in crate::store) struct Queue<B: Backing> {
    state: Mutex<State<B>>,
    /// Told to a leader that gathers, when as many wait as it expects.
    gathered: Condvar,
}

struct State<B: Backing> {
    waiting: VecDeque<Member<B>>,
    is_led: bool,
    /// How many there were at the end of the last group: those that it was made of, and those who waited.
    expected: usize,
    /// How many a leader gathers; 0 if none does.
    wanted: usize,
}

/// A request of another thread, with all it needs.
pub(super) struct Member<B: Backing> {
    key_hash: u64,
    /// `None` for a deletion.
    payload: Option<Vec<u8>>,
    /// What of the payload is the value.
    value_len: usize,
    judge: Option<(Judge<B>, Vec<u8>)>,
    ticket: Arc<Ticket>,
}

/// Where one thread waits.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    state: Mutex<TicketState>,
    called: Condvar,
}

#[derive(Debug, Default)]
enum TicketState {
    #[default]
    Waits,
    Leads,
    Answered(Result<Answer>),
}

pub(super) enum Turn<'q, B: Backing> {
    Lead(Leading<'q, B>),
    Wait(Arc<Ticket>),
}

impl<B: Backing> Default for Queue<B> {
    fn default() -> Self {
        let state = State {
            waiting: VecDeque::new(),
            is_led: false,
            expected: 0,
            wanted: 0,
        };
        Self {
            state: Mutex::new(state),
            gathered: Condvar::new(),
        }
    }
}

impl<B: Backing> Queue<B> {
    /// The lead, if nobody has it, or a place in the queue.
    pub(super) fn join(&self, request: &Request<'_, B>) -> Turn<'_, B> {
        let mut state = self.state();
        if !state.is_led {
            state.is_led = true;
            return Turn::Lead(self.take_over());
        }
        let member = Member::of(request);
        let ticket = Arc::clone(&member.ticket);
        state.waiting.push_back(member);
        if state.wanted != 0 && state.waiting.len() >= state.wanted {
            self.gathered.notify_one();
        }
        Turn::Wait(ticket)
    }

    /// For who was given the lead.
    pub(super) const fn take_over(&self) -> Leading<'_, B> {
        Leading {
            queue: self,
            released: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Nothing that is done under the lock leaves it half-way.
    fn state(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lead, which is passed on when this is dropped.
pub(super) struct Leading<'q, B: Backing> {
    queue: &'q Queue<B>,
    /// How many the group was made of.
    released: usize,
}

impl<'q, B: Backing> Leading<'q, B> {
    /// Waits a moment for those who are expected, the leader being `own` of them unless it is in the queue.
    pub(super) fn gather(&self, own: usize) {
        let mut state = self.queue.state();
        let wanted = state.expected.min(MAX_MEMBERS).saturating_sub(own);
        while state.waiting.len() < wanted {
            let before = state.waiting.len();
            state.wanted = wanted;
            state = match self.queue.gathered.wait_timeout(state, PATIENCE) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
            state.wanted = 0;
            if state.waiting.len() == before {
                break;
            }
        }
    }

    /// Takes the oldest requests out: those that may go into one group behind `own`.
    ///
    /// One that depends on what is stored ends the group in front of it, if a request in the group changes that.
    pub(super) fn take(&mut self, own: Option<&Request<'_, B>>) -> Taken<'q, B> {
        let mut state = self.queue.state();
        let mut keys: HashSet<u64> = own.map(|own| own.key_hash).into_iter().collect();
        let mut bytes = own.map_or(0, Request::len);
        let mut members = Vec::new();
        while members.len() < MAX_MEMBERS && bytes < ENOUGH_BYTES {
            let next = state.waiting.pop_front_if(|next| {
                let is_new = keys.insert(next.key_hash);
                is_new || next.judge.is_none()
            });
            let Some(next) = next else {
                break;
            };
            bytes = bytes.saturating_add(next.request().len());
            members.push(next);
        }
        self.released = members.len().saturating_add(usize::from(own.is_some()));
        let left = state.waiting.iter();
        Taken {
            waiting_bytes: left.map(|member| member.request().len()).sum(),
            waiting: state.waiting.len(),
            queue: self.queue,
            answers: members.iter().map(|_| None).collect(),
            members,
        }
    }
}

impl<B: Backing> Drop for Leading<'_, B> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        match state.waiting.front() {
            Some(eldest) => eldest.ticket.set(TicketState::Leads),
            None => state.is_led = false,
        }
    }
}

/// Requests that a leader took out. When this is dropped, each has its answer.
pub(super) struct Taken<'q, B: Backing> {
    queue: &'q Queue<B>,
    pub(super) members: Vec<Member<B>>,
    /// As many as members.
    pub(super) answers: Vec<Option<Result<Answer>>>,
    /// How many were left in the queue, and the bytes of them.
    pub(super) waiting: usize,
    pub(super) waiting_bytes: usize,
}

impl<B: Backing> Taken<'_, B> {
    /// Puts those that have no answer back to the front of the queue, and takes note of how many there are in all: before
    /// anybody is answered and comes again.
    pub(super) fn put_back(&mut self, leading: &mut Leading<'_, B>) {
        let answers = std::mem::take(&mut self.answers);
        let members = std::mem::take(&mut self.members);
        let mut state = self.queue.state();
        for (member, answer) in members.into_iter().zip(answers).rev() {
            if answer.is_some() {
                self.members.push(member);
                self.answers.push(answer);
            } else {
                leading.released = leading.released.saturating_sub(1);
                state.waiting.push_front(member);
            }
        }
        state.expected = leading.released.saturating_add(state.waiting.len());
    }
}

impl<B: Backing> Drop for Taken<'_, B> {
    fn drop(&mut self) {
        for (member, answer) in self.members.iter().zip(self.answers.drain(..)) {
            let answer = answer.unwrap_or_else(|| Err(abandoned()));
            member.ticket.set(TicketState::Answered(answer));
        }
    }
}

/// What is said to those whose leader panicked.
pub(super) fn abandoned() -> Error {
    Error::Io {
        doing: "append an entry",
        source: io::Error::other("the thread that was at it panicked"),
    }
}

impl<B: Backing> Member<B> {
    fn of(request: &Request<'_, B>) -> Self {
        let (value, behind) = request.change.payload();
        let is_deletion = matches!(request.change, Change::Delete);
        Self {
            key_hash: request.key_hash,
            payload: (!is_deletion).then(|| [value, behind].concat()),
            value_len: value.len(),
            judge: request.judge.map(|(judge, key)| (judge, key.to_vec())),
            ticket: Arc::default(),
        }
    }

    pub(super) fn request(&self) -> Request<'_, B> {
        let change = match &self.payload {
            None => Change::Delete,
            Some(payload) => match payload.split_at_checked(self.value_len) {
                Some((value, behind)) if !behind.is_empty() => Change::PutWith(value, behind),
                _ => Change::Put(payload),
            },
        };
        Request {
            key_hash: self.key_hash,
            change,
            judge: self.judge.as_ref().map(|(judge, key)| (*judge, &key[..])),
        }
    }
}

impl Ticket {
    /// Waits for the answer; `None` if the lead came first.
    pub(super) fn wait(&self) -> Option<Result<Answer>> {
        let mut state = self.state();
        loop {
            match std::mem::take(&mut *state) {
                TicketState::Waits => {}
                TicketState::Leads => return None,
                TicketState::Answered(answer) => return Some(answer),
            }
            let woken = self.called.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The answer that is there.
    pub(super) fn answer(&self) -> Result<Answer> {
        match std::mem::take(&mut *self.state()) {
            TicketState::Answered(answer) => answer,
            TicketState::Waits | TicketState::Leads => Err(abandoned()),
        }
    }

    fn set(&self, new: TicketState) {
        *self.state() = new;
        self.called.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, TicketState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
