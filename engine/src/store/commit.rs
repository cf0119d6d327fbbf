//! The one way entries come into a store: find, append, publish.
//!
//! Whatever can fail happens before the tail and the index are touched, and what a failed append left behind the tail is cut off,
//! so a failed commit leaves no trace.

use super::append::{APPEND, Around, append_all, marker_of};
use super::generation::span_of;
use super::plan::{Appended, Change, Planned, length_of};
use super::{Generation, Request, Store, Writer};
use crate::backing::Backing;
use crate::bucket::Event;
use crate::error::{Error, Result};
use crate::index::{Extent, Hint, IndexWriter};
use crate::options::Durability;

impl Writer {
    /// Keeps the memory of a commit for the next one, which will hardly be of another size.
    pub(super) fn give_back(&mut self, mut appended: Appended) {
        appended.clear();
        self.appended = appended;
    }

    /// Goes over to another generation, behind whose tail there is nothing.
    pub(crate) fn start_over(&mut self, index: IndexWriter) {
        self.index = index;
        self.must_cut = false;
        self.ahead = None;
        self.snapshot_end = 0;
    }
}

/// How many lookups ahead the lines of the index are fetched.
const AHEAD: usize = 16;

impl<B: Backing> Store<B> {
    /// Appends a change and publishes it; returns the new tail.
    pub(crate) fn commit_one(&self, key_hash: u64, change: Change<'_>) -> Result<u64> {
        let request = Request::new(key_hash, change);
        Ok(self.commit_shared(&request)?.tail)
    }

    /// The same, for a caller that had to look at the store under the lock first.
    pub(crate) fn commit_one_locked(
        &self,
        writer: &mut Writer,
        key_hash: u64,
        change: Change<'_>,
    ) -> Result<u64> {
        self.check_writable()?;
        let generation = self.current.load();
        let tail = generation.tail();
        let planned = Planned::of(tail, key_hash, change)?;
        let (value, behind) = change.payload();
        // Memory that is there already: a single write asks for none.
        let mut appended = std::mem::take(&mut writer.appended);
        let published = appended
            .add(&generation, &planned)
            .and_then(|()| {
                self.append_or_cut(writer, &generation, || {
                    generation
                        .backing
                        .write(tail, &[planned.pad(), value, behind, &planned.trailer()])
                        .map_err(Error::io(APPEND))
                })
            })
            .and_then(|()| self.settle(writer, &generation, &appended));
        writer.give_back(appended);
        published
    }

    /// Appends changes and publishes them together; returns the new tail. The first error among them is the commit's, of which
    /// nothing shows then.
    ///
    /// With [`Durability::Sync`] they count together across a crash as well: without a marker, what a loss of power leaves of them
    /// could be a broken chain.
    pub(crate) fn commit_all<'a>(
        &self,
        mut changes: impl ExactSizeIterator<Item = Result<(u64, Change<'a>)>>,
    ) -> Result<u64> {
        if self.settings().durability == Durability::Sync {
            let changes: Vec<_> = changes.collect::<Result<_>>()?;
            return self.commit_together(&mut self.lock_writer(), &changes);
        }
        self.commit_plainly(&mut self.lock_writer(), &mut changes)
    }

    /// The same, for a caller that had to look at the store under the lock first.
    pub(crate) fn commit_locked(
        &self,
        writer: &mut Writer,
        changes: &[(u64, Change<'_>)],
    ) -> Result<u64> {
        if self.settings().durability == Durability::Sync {
            return self.commit_together(writer, changes);
        }
        self.commit_plainly(writer, &mut changes.iter().copied().map(Ok))
    }

    /// Appends changes in one pass, without a marker.
    fn commit_plainly(
        &self,
        writer: &mut Writer,
        changes: &mut dyn ExactSizeIterator<Item = Result<(u64, Change<'_>)>>,
    ) -> Result<u64> {
        self.check_writable()?;
        let generation = self.current.load();
        let start = generation.tail();
        let mut appended = std::mem::take(&mut writer.appended);
        let published = self
            .append_or_cut(writer, &generation, || {
                append_all(
                    &generation,
                    start,
                    Around::default(),
                    changes,
                    &mut appended,
                )
            })
            .and_then(|()| self.settle(writer, &generation, &appended));
        writer.give_back(appended);
        published
    }

    /// Makes changes count together, across a crash as well: one by itself, more behind a marker.
    pub(crate) fn commit_together(
        &self,
        writer: &mut Writer,
        changes: &[(u64, Change<'_>)],
    ) -> Result<u64> {
        match changes {
            [_, _, ..] => self.commit_atomically(writer, changes),
            _ => self.commit_plainly(writer, &mut changes.iter().copied().map(Ok)),
        }
    }

    /// Appends changes behind a marker, so that they are there together or not at all after a crash as well, and publishes them;
    /// returns the new tail.
    ///
    /// Where a sync is asked for, the marker is synced before the rest is written: no part of the rest is ever found without it.
    fn commit_atomically(&self, writer: &mut Writer, changes: &[(u64, Change<'_>)]) -> Result<u64> {
        self.check_writable()?;
        let generation = self.current.load();
        let start = generation.tail();
        let marker = marker_of(start, changes)?;
        let mut appended = std::mem::take(&mut writer.appended);
        let published = self
            .append_or_cut(writer, &generation, || {
                if self.settings().durability == Durability::Sync {
                    let from = self.write_marker(&generation, start, &marker)?;
                    self.append_behind_marker(&generation, from, &[], changes, &mut appended)
                } else {
                    let around = Around {
                        lead: &marker,
                        trail: &[],
                    };
                    let mut changes = changes.iter().copied().map(Ok);
                    append_all(&generation, start, around, &mut changes, &mut appended)
                }
            })
            .and_then(|()| self.settle(writer, &generation, &appended));
        writer.give_back(appended);
        published
    }

    /// Brings a marker to stable storage, alone, and returns where it ends.
    pub(super) fn write_marker(
        &self,
        generation: &Generation<B>,
        start: u64,
        marker: &[u8],
    ) -> Result<u64> {
        generation
            .backing
            .write(start, &[marker])
            .map_err(Error::io(APPEND))?;
        self.sync_generation(generation)?;
        Ok(start.saturating_add(length_of(marker)))
    }

    /// Appends what a marker announces that is stable and ends at `from`, and `trail`. After a failure the marker may be cut off.
    pub(super) fn append_behind_marker(
        &self,
        generation: &Generation<B>,
        from: u64,
        trail: &[u8],
        changes: &[(u64, Change<'_>)],
        appended: &mut Appended,
    ) -> Result<()> {
        let around = Around { lead: &[], trail };
        let mut changes = changes.iter().copied().map(Ok);
        append_all(generation, from, around, &mut changes, appended).inspect_err(|_| {
            // The marker is to go last: some of what it stands before may still come to the medium.
            match generation.backing.truncate(from) {
                Ok(()) => drop(self.sync_generation(generation)),
                Err(_) => self.latch(),
            }
        })
    }

    /// Makes entries visible whose bytes are in place behind the tail, once they are stable if that is asked for, and returns the
    /// new tail.
    pub(super) fn settle(
        &self,
        writer: &mut Writer,
        generation: &Generation<B>,
        appended: &Appended,
    ) -> Result<u64> {
        if appended.placed.is_empty() {
            return Ok(generation.tail());
        }
        if self.settings().durability == Durability::Sync {
            self.sync_generation(generation)?;
        }
        self.publish(writer, generation, appended);
        Ok(appended.end)
    }

    fn publish(&self, writer: &mut Writer, generation: &Generation<B>, appended: &Appended) {
        let start = generation.tail();
        let mut changes = self.directory.recorder();
        let Some(first) = appended.placed.first() else {
            return;
        };
        generation.announce_tail(appended.end);
        let mut live_span = generation.live_span();
        // Those behind the last entry have no use.
        let mut hints: [Hint; AHEAD] = [writer.index.hint(first.key_hash); AHEAD];
        for (hint, entry) in hints.iter_mut().zip(&appended.placed).skip(1) {
            *hint = writer.index.hint(entry.key_hash);
        }
        for (at, entry) in appended.placed.iter().enumerate() {
            let Some(slot) = hints.get_mut(at % AHEAD) else {
                break;
            };
            let hint = *slot;
            if let Some(ahead) = appended.placed.get(at + AHEAD) {
                *slot = writer.index.hint(ahead.key_hash);
            }
            if let Some(hint) = hints.get((at + AHEAD / 2) % AHEAD) {
                writer.index.prefetch_further(*hint);
            }
            // The span that the entry before gives up, if it is found on the medium.
            let mut span_before = 0;
            let same = |extent: Extent| {
                if extent.metadata_offset() >= start {
                    let other = appended.at(extent);
                    other.is_some_and(|other| other.key_hash == entry.key_hash)
                } else if B::IN_MEMORY {
                    // Such a medium has every entry that the index names.
                    let located = generation.examine(extent).ok();
                    let located =
                        located.filter(|located| located.metadata.key_hash == entry.key_hash);
                    span_before = located.map_or(0, |located| span_of(located.payload_len()));
                    located.is_some()
                } else {
                    let before = appended.before.get(at).copied().flatten();
                    span_before = before.map_or(0, |(_, span)| span);
                    before.is_some_and(|(before, _)| before == extent)
                }
            };
            let replaced = if entry.extent.is_deletion() {
                writer.index.remove(entry.key_hash, same)
            } else {
                live_span += span_of(entry.payload_len);
                writer.index.put_at(hint, entry.extent, same)
            };
            if let Some(changes) = &mut changes {
                changes.push(Event::new(replaced, entry.extent));
            }
            if let Some(replaced) = replaced {
                let other = appended.at(replaced);
                let span = other.map_or(span_before, |other| span_of(other.payload_len));
                live_span = live_span.saturating_sub(span);
            }
        }
        generation.set_live_span(live_span);
        generation.publish_tail(appended.end);
        self.directory.record(generation, changes);
    }
}
