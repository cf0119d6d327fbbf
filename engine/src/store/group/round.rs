//! What a leader does: it judges the requests of its group, appends them and answers.

use super::super::append::{end_of, marker_of};
use super::super::plan::{Change, Placed, check_key_hash};
use super::super::{Store, Writer};
use super::queue::{Leading, Member, Taken};
use super::shape::{Ahead, filler};
use super::{Answer, Request};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{METADATA_SIZE, PAYLOAD_ALIGNMENT};
use std::io;

impl<B: Backing> Store<B> {
    /// Commits one group: `own`, if it is not in the queue, and who waits. Answers them, and returns the answer to `own`.
    pub(super) fn lead(
        &self,
        mut leading: Leading<'_, B>,
        own: Option<&Request<'_, B>>,
    ) -> Option<Result<Answer>> {
        leading.gather(usize::from(own.is_some()));
        let mut writer = self.lock_writer();
        let mut taken = leading.take(own);
        let answer = self.write_group(&mut writer, own, &mut taken);
        taken.put_back(&mut leading);
        // Who is answered may write again at once.
        drop(writer);
        drop(taken);
        answer
    }

    /// What is to be done about a request.
    pub(super) fn judge(&self, request: &Request<'_, B>) -> Result<Option<bool>> {
        let judged = match request.judge {
            Some((judge, key)) => judge(self, request.key_hash, key)?,
            None => Some(true),
        };
        if judged.is_some() {
            check_key_hash(request.key_hash)?;
        }
        Ok(judged)
    }

    /// Writes what is to be written of a group. A request that did not fit in has no answer then.
    fn write_group(
        &self,
        writer: &mut Writer,
        own: Option<&Request<'_, B>>,
        taken: &mut Taken<'_, B>,
    ) -> Option<Result<Answer>> {
        let members = taken.members.iter().map(Member::request);
        let requests: Vec<Request<'_, B>> = own.copied().into_iter().chain(members).collect();
        let (mut changes, mut words) = (Vec::new(), Vec::new());
        let judged = requests.iter().map(|request| {
            let judged = self.check_writable().and_then(|()| self.judge(request));
            match judged {
                Ok(Some(word)) => {
                    changes.push((request.key_hash, request.change));
                    words.push(word);
                    None
                }
                Ok(None) => Some(Ok(Answer {
                    tail: self.tail(),
                    judged: None,
                })),
                Err(error) => Some(Err(error)),
            }
        });
        let mut answers: Vec<Option<Result<Answer>>> = judged.collect();
        let written = match changes.as_slice() {
            [] => Ok(Vec::new()),
            [(key_hash, change)] => self
                .commit_one_locked(writer, *key_hash, *change)
                .map(|tail| vec![tail]),
            _ => {
                // What each takes at most besides its payload.
                let beside = METADATA_SIZE + PAYLOAD_ALIGNMENT;
                let waiting = u64::try_from(taken.waiting).unwrap_or(0) * beside
                    + u64::try_from(taken.waiting_bytes).unwrap_or(0);
                self.commit_group(writer, &changes, waiting)
            }
        };
        let mut open = answers.iter_mut().filter(|answer| answer.is_none());
        match written {
            Ok(tails) => {
                for ((slot, word), tail) in open.zip(words).zip(tails) {
                    let judged = Some(word);
                    *slot = Some(Ok(Answer { tail, judged }));
                }
            }
            Err(error) => {
                open.by_ref()
                    .for_each(|slot| *slot = Some(Err(repeated(&error))));
            }
        }
        drop(requests);
        let own = own.and_then(|_| answers.remove(0));
        taken.answers = answers;
        own
    }

    /// Appends changes as one batch and publishes them; the tail behind each. If they go behind a marker that was announced
    /// for the group, these are as many as fit, at least one.
    fn commit_group(
        &self,
        writer: &mut Writer,
        changes: &[(u64, Change<'_>)],
        waiting: u64,
    ) -> Result<Vec<u64>> {
        let generation = self.current.load();
        let start = generation.tail();
        let ahead = writer.ahead.filter(|ahead| ahead.fitting(changes) > 0);
        let fitting = ahead.map_or(changes.len(), |ahead| ahead.fitting(changes));
        let (changes, left) = changes.split_at_checked(fitting).unwrap_or((changes, &[]));
        let waiting = waiting.saturating_add(end_of(0, left));
        if ahead.is_some() {
            // Nothing but the marker is behind the tail.
            (writer.must_cut, writer.ahead) = (false, None);
        }
        let mut appended = std::mem::take(&mut writer.appended);
        let next = self.append_or_cut(writer, &generation, || {
            let Ahead { from, to } = if let Some(ahead) = ahead {
                ahead
            } else {
                let marker = marker_of(start, changes)?;
                let from = self.write_marker(&generation, start, &marker)?;
                let to = end_of(from, changes);
                Ahead { from, to }
            };
            let end = end_of(from, changes);
            let mut trail = filler(end, to);
            let next = Ahead::announce(to, changes, end - from, waiting).map(|(next, marker)| {
                trail.extend_from_slice(&marker);
                next
            });
            self.append_behind_marker(&generation, from, &trail, changes, &mut appended)?;
            appended.end = to;
            Ok(next)
        });
        let published = next.and_then(|next| {
            self.settle(writer, &generation, &appended)?;
            (writer.must_cut, writer.ahead) = (next.is_some(), next);
            Ok(appended.placed.iter().map(Placed::end).collect())
        });
        writer.give_back(appended);
        published
    }
}

/// The same error for another of those whom it befell.
fn repeated(error: &Error) -> Error {
    match error {
        Error::Io { doing, source } => Error::Io {
            doing,
            source: match source.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(source.kind(), source.to_string()),
            },
        },
        Error::Latched => Error::Latched,
        Error::Corrupt { offset, what } => Error::Corrupt {
            offset: *offset,
            what,
        },
        Error::TooLarge { end, maximum } => Error::TooLarge {
            end: *end,
            maximum: *maximum,
        },
        other => Error::Io {
            doing: "append an entry",
            source: io::Error::new(other.kind(), other.to_string()),
        },
    }
}
