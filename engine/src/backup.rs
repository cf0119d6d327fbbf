//! Backups: the bytes of a store in a file, up to its tail of one moment, in another file.
//!
//! Invariant: at every moment, and after a crash at any, the target's path names nothing, what it named before, or a whole
//! store whose bytes are the source's from its start. Nothing but stores is ever written to or replaced.

use crate::backing::mmap::{Target, TargetFile};
use crate::backing::{Backing, MmapBacking};
use crate::error::{Error, Result};
use crate::format::MIN_ENTRY_SIZE;
use crate::recovery::recover;
use crate::store::DataStore;
use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

/// Bytes that are compared or copied at a time. What was copied is synced before more is, so that a loss of power finds at most
/// this much out of order.
const STEP_BYTES: u64 = 4 << 20;

/// What a backup did. The first two add up to the third.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupReport {
    /// Bytes that were copied.
    pub copied_bytes: u64,
    /// Bytes that an earlier backup, or an interrupted one, had put there already; each was compared.
    pub present_bytes: u64,
    /// The tail of the backup: the store's at the moment of the call.
    pub tail: u64,
}

impl fmt::Display for BackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bytes copied, {} were there already; the backup ends at {}",
            self.copied_bytes, self.present_bytes, self.tail
        )
    }
}

impl DataStore {
    /// Makes the file at `target` a copy of this store as it is now, on stable storage when this returns. `progress` is told how
    /// many bytes are done, and of how many.
    ///
    /// Readers, writers and compactions go on; what is written meanwhile is not in the backup. It takes the memory of two
    /// steps of 4 MiB, and while it lasts the disk space of the file that a compaction replaces. Bytes are copied as they
    /// are: deletions, old versions and damaged values too ([`verify`](Self::verify) finds the latter, on either side).
    ///
    /// What happens depends on what is at `target`:
    ///
    /// * Nothing: the bytes go to a partial file beside it, a hidden one whose name ends in `.tailstone-backup`, which takes the
    ///   name when it is complete and synced. An interrupted or failed attempt leaves it. The next one compares it byte by byte with
    ///   the store, goes on behind the last byte that is right and discards the others.
    /// * A store whose bytes are the beginning of this one's, such as an earlier backup: every byte is compared, what is new is
    ///   appended, and an error takes it back. A crash on the way leaves a store with a torn tail; opening cuts that off and has every entry
    ///   of the earlier backup. Power that fails while 4 MiB are under way may, on file systems that write out of order, leave
    ///   one that opening refuses as damaged; the next backup to it replaces it.
    /// * Any other store, such as a backup from before a compaction, or one that is ahead of this store: it is replaced as
    ///   a whole, in the way of the first case. A damaged one is replaced only if it begins with this store's first bytes.
    /// * Something else is refused and left as it is: [`Error::NotAStore`], [`Error::Corrupt`], [`Error::NotAFile`] (also for a link that leads
    ///   nowhere). This store itself, by whatever path or link, is [`Error::SameStore`]; a file that another handle has open, or
    ///   that came to lie there while the copy was made, is [`Error::Locked`], and so is the target of another backup at work.
    ///
    /// ```
    /// use tailstone::{DataStore, DataStoreReader, DataStoreWriter};
    /// # let folder = tempfile::tempdir()?;
    /// # let (path, copy) = (folder.path().join("notes.tsl"), folder.path().join("copy.tsl"));
    ///
    /// let store = DataStore::open(&path)?;
    /// store.write(b"greeting", b"good morning")?;
    /// let first = store.backup(&copy, &mut |_done, _total| {})?;
    /// assert_eq!(first.copied_bytes, store.tail());
    ///
    /// store.write(b"greeting", b"good evening")?;
    /// let second = store.backup(&copy, &mut |_done, _total| {})?;
    /// assert_eq!(second.present_bytes, first.tail);
    /// let value = DataStore::open(&copy)?.read(b"greeting")?.expect("was copied");
    /// assert_eq!(value.as_slice(), b"good evening");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backup(
        &self,
        target: impl AsRef<Path>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<BackupReport> {
        // Held to the end: a compaction meanwhile takes the file's name, not its bytes.
        let generation = self.current.load_full();
        let mut backup = Backup {
            source: &generation.backing,
            tail: generation.tail(),
            buffer: Vec::new(),
            told: None,
            progress,
        };
        let target = Target::open(target.as_ref(), backup.source)?;
        let present = match target.existing() {
            Some(file) => backup.earlier_tail(file)?,
            None => None,
        };
        let present = match (target.existing(), present) {
            (Some(file), Some(earlier)) => backup.append(file, earlier)?,
            _ => backup.replace(&target)?,
        };
        backup.tell(backup.tail);
        Ok(BackupReport {
            copied_bytes: backup.tail - present,
            present_bytes: present,
            tail: backup.tail,
        })
    }
}

const COMPARE: &str = "compare the backup with the store";
const COPY: &str = "copy the store";

/// One run: the bytes of `source` below `tail`.
struct Backup<'a> {
    source: &'a MmapBacking,
    tail: u64,
    /// Bytes of the target, to be compared.
    buffer: Vec<u8>,
    /// What progress was told last: it never goes back, not even when what was compared turns out to be something else.
    told: Option<u64>,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Backup<'_> {
    /// The tail of the store in `file`, if its bytes are the beginning of the source's and what is new can be appended to it.
    fn earlier_tail(&mut self, file: &TargetFile) -> Result<Option<u64>> {
        let backing = file.as_backing().map_err(Error::io(COMPARE))?;
        match recover(&backing, |_| Ok(ControlFlow::Continue(()))) {
            // Appending to an empty store would go through files without any sound entry, which are no stores.
            Ok(report) if report.tail == 0 || report.tail > self.tail => Ok(None),
            Ok(report) => {
                let same = self.same_bytes(file, report.tail)?;
                Ok(Some(report.tail).filter(|tail| *tail == same))
            }
            // What an append that lost power may leave is ours to mend; other damaged stores wait for their rescue.
            Err(Error::Corrupt { .. })
                if self.same_bytes(file, MIN_ENTRY_SIZE)? == MIN_ENTRY_SIZE =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Appends what is new to `file`, whose first `from` bytes are the source's.
    fn append(&mut self, file: &TargetFile, from: u64) -> Result<u64> {
        self.copy(file, from).inspect_err(|_| {
            // Where even this fails, opening cuts off what was not finished.
            let _ = file.cut(from);
        })?;
        Ok(from)
    }

    /// Puts a whole copy in the target's place; says how much of it was in the partial file.
    fn replace(&mut self, target: &Target) -> Result<u64> {
        let partial = target.partial()?;
        let present = self.same_bytes(&partial, self.tail)?;
        self.copy(&partial, present)?;
        target.replace_by(&partial, self.source)?;
        Ok(present)
    }

    /// How many of the first `limit` bytes of `file` are the source's, up to the first that is not.
    fn same_bytes(&mut self, file: &TargetFile, limit: u64) -> Result<u64> {
        let limit = limit
            .min(self.tail)
            .min(file.len().map_err(Error::io(COMPARE))?);
        let mut at = 0;
        while at < limit {
            let view = self.step(at, limit)?;
            let ours = view.as_ref();
            self.buffer.resize(ours.len(), 0);
            file.read(at, &mut self.buffer)
                .map_err(Error::io(COMPARE))?;
            let end = at + length(ours);
            if ours != self.buffer {
                let same = ours.iter().zip(&self.buffer).take_while(|(a, b)| a == b);
                return Ok(at + u64::try_from(same.count()).unwrap_or(0));
            }
            at = end;
            self.tell(at);
        }
        Ok(limit)
    }

    /// Writes the source's bytes from `from` on, cuts what lies behind them, and syncs.
    fn copy(&mut self, file: &TargetFile, from: u64) -> Result<()> {
        file.cut(from).map_err(Error::io(COPY))?;
        let mut at = from;
        while at < self.tail {
            let view = self.step(at, self.tail)?;
            let bytes = view.as_ref();
            file.write(at, bytes).map_err(Error::io(COPY))?;
            file.sync().map_err(Error::io(COPY))?;
            at += length(bytes);
            self.tell(at);
        }
        file.sync().map_err(Error::io(COPY))
    }

    /// The next bytes of the source, where they lie.
    fn step(&self, at: u64, limit: u64) -> Result<<MmapBacking as Backing>::View> {
        let end = limit.min(at.saturating_add(STEP_BYTES));
        self.source
            .view(at..end)
            .map_err(Error::io("read the store"))
    }

    fn tell(&mut self, done: u64) {
        if self.told.is_none_or(|told| done > told) {
            self.told = Some(done);
            (self.progress)(done, self.tail);
        }
    }
}

fn length(bytes: &[u8]) -> u64 {
    // At most `STEP_BYTES`.
    u64::try_from(bytes.len()).unwrap_or(STEP_BYTES)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails here"
)]
mod tests;
