//! The backing itself: where writes go, and how ranges are found again.

use super::arena::{ALIGNMENT, Appender, Chunk};
use super::list::List;
use super::pieces::Pieces;
use super::view::MemoryView;
use crate::backing::{Backing, Resident, Rewrite};
use crate::kernels;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The least memory that is asked for at a time.
const MIN_CHUNK: usize = 16 * 1024;

/// What a gap is filled from.
const ZEROS: [u8; 4096] = [0; 4096];

/// A [`Backing`] of heap memory, which grows by half of its length at a time and never moves a byte.
///
/// One `write` lies in one piece of memory. What several writes made may lie in several; then
/// [`view`](Backing::view) copies it together, and [`bytes`](Resident::bytes) does so once and keeps the copy.
/// A write below the end makes its own end the length: what lay behind is gone.
pub struct MemoryBacking {
    pieces: Pieces,
    len: AtomicU64,
    writer: Mutex<Option<Appender>>,
    joined: List<Joined>,
}

/// A copy of bytes that lie in several pieces.
struct Joined {
    start: u64,
    end: AtomicU64,
    chunk: Arc<Chunk>,
}

impl MemoryBacking {
    /// An empty backing; it takes no memory before something is written.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pieces: Pieces::new(),
            len: AtomicU64::new(0),
            writer: Mutex::new(None),
            joined: List::new(),
        }
    }

    /// A backing that holds a copy of `bytes`, such as a store that was read from elsewhere.
    pub fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        let backing = Self::new();
        backing.write(0, &[bytes])?;
        Ok(backing)
    }

    /// All its bytes, copied; what a file of the same store would hold.
    pub fn to_vec(&self) -> io::Result<Vec<u8>> {
        let len = self.length();
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?)?;
        self.for_each(0..len, |run| {
            bytes.extend_from_slice(run);
            Some(())
        })?;
        Ok(bytes)
    }

    fn length(&self) -> u64 {
        self.len.load(Ordering::Acquire)
    }

    fn writer(&self) -> MutexGuard<'_, Option<Appender>> {
        // A panic inside leaves nothing half done: bytes count only once they are published.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chunk, index and length of a range that lies in one piece or was copied together before.
    fn locate(&self, range: &Range<u64>) -> Option<(&Arc<Chunk>, usize, usize)> {
        if range.end > self.length() {
            return None;
        }
        let len = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        let piece = self.pieces.find(range.start)?;
        if range.end <= piece.end() {
            return Some((piece.chunk(), piece.index_of(range.start)?, len));
        }
        let joined = (1..=self.joined.count())
            .rev()
            .filter_map(|number| self.joined.get(number))
            .find(|joined| {
                joined.start <= range.start && range.end <= joined.end.load(Ordering::Acquire)
            })?;
        let index =
            offset_in_line(joined.start) + usize::try_from(range.start - joined.start).ok()?;
        Some((&joined.chunk, index, len))
    }

    /// Hands `take` the bytes of `range`, run by run, until it has no use for more.
    fn for_each(
        &self,
        range: Range<u64>,
        mut take: impl FnMut(&[u8]) -> Option<()>,
    ) -> io::Result<()> {
        if range.start > range.end || range.end > self.length() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut at = range.start;
        while at < range.end {
            let run = self.pieces.find(at).and_then(|piece| {
                let len = range
                    .end
                    .min(piece.end())
                    .checked_sub(at)
                    .filter(|len| *len > 0)?;
                let run = piece
                    .chunk()
                    .get(piece.index_of(at)?, usize::try_from(len).ok()?)?;
                at += len;
                Some(run)
            });
            run.and_then(&mut take)
                .ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        Ok(())
    }

    /// A copy of `range` in memory of its own, at the place in a line that its offset has.
    fn join(&self, range: Range<u64>) -> io::Result<Appender> {
        if range.start > range.end || range.end > self.length() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let pad = offset_in_line(range.start);
        let len = usize::try_from(range.end - range.start).ok();
        let capacity = len
            .and_then(|len| len.checked_add(pad))
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let mut copy = Appender::new(capacity)?;
        copy.append(&[zeros(pad)]);
        self.for_each(range, |run| copy.append(&[run]).then_some(()))?;
        Ok(copy)
    }

    /// Puts `parts`, `total` bytes, at `at`, which is at most the length.
    fn place(
        &self,
        writer: &mut Option<Appender>,
        at: u64,
        parts: &[&[u8]],
        total: usize,
    ) -> io::Result<u64> {
        let end = u64::try_from(total)
            .ok()
            .and_then(|total| at.checked_add(total));
        let end = end.ok_or(io::ErrorKind::FileTooLarge)?;
        if let (Some(appender), Some(top)) = (writer.as_mut(), self.pieces.top()) {
            let continues = top.end() == at
                && Arc::ptr_eq(top.chunk(), appender.chunk())
                && top.index_of(at) == Some(appender.chunk().filled());
            if continues && appender.append(parts) {
                top.extend_to(end);
                return Ok(end);
            }
            let filled = appender.chunk().filled();
            let pad = offset_in_line(at).wrapping_sub(filled) % ALIGNMENT;
            if pad
                .checked_add(total)
                .is_some_and(|needed| needed <= appender.room())
            {
                appender.append(&[zeros(pad)]);
                appender.append(parts);
                self.pieces
                    .push(at, end, Arc::clone(appender.chunk()), filled + pad)?;
                return Ok(end);
            }
        }
        let pad = offset_in_line(at);
        let needed = total.checked_add(pad).ok_or(io::ErrorKind::OutOfMemory)?;
        let half = usize::try_from(self.length() / 2).unwrap_or(usize::MAX);
        let mut appender =
            Appender::new(needed.max(half).max(MIN_CHUNK)).or_else(|_| Appender::new(needed))?;
        appender.append(&[zeros(pad)]);
        appender.append(parts);
        self.pieces
            .push(at, end, Arc::clone(appender.chunk()), pad)?;
        *writer = Some(appender);
        Ok(end)
    }

    /// Puts zeros at `from..to`, where `from` is the length.
    fn fill(&self, writer: &mut Option<Appender>, from: u64, to: u64) -> io::Result<()> {
        let gap =
            usize::try_from(to.saturating_sub(from)).map_err(|_| io::ErrorKind::OutOfMemory)?;
        if gap > MIN_CHUNK {
            // All at once, so that memory that does not exist is missed before anything is filled.
            *writer = Some(Appender::new(
                gap.checked_add(ALIGNMENT)
                    .ok_or(io::ErrorKind::OutOfMemory)?,
            )?);
        }
        let mut at = from;
        while at < to {
            let len = usize::try_from(to - at)
                .unwrap_or(usize::MAX)
                .min(ZEROS.len());
            at = self.place(writer, at, &[zeros(len)], len)?;
        }
        Ok(())
    }

    /// Makes `len` the length; copies of what lay past `kept` no longer count.
    fn publish(&self, kept: u64, len: u64) {
        if kept < self.length() {
            for joined in (1..=self.joined.count()).filter_map(|number| self.joined.get(number)) {
                joined.end.fetch_min(kept, Ordering::AcqRel);
            }
        }
        self.len.store(len, Ordering::Release);
    }
}

impl Default for MemoryBacking {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryBacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBacking")
            .field("len", &self.length())
            .finish_non_exhaustive()
    }
}

impl Backing for MemoryBacking {
    type View = MemoryView;

    const IN_MEMORY: bool = true;

    fn len(&self) -> io::Result<u64> {
        Ok(self.length())
    }

    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        let end = u64::try_from(buf.len())
            .ok()
            .and_then(|len| at.checked_add(len));
        let mut left = buf;
        self.for_each(at..end.ok_or(io::ErrorKind::UnexpectedEof)?, |run| {
            let (now, later) = std::mem::take(&mut left).split_at_mut_checked(run.len())?;
            now.copy_from_slice(run);
            left = later;
            Some(())
        })
    }

    fn view(&self, range: Range<u64>) -> io::Result<MemoryView> {
        if let Some((chunk, index, len)) = self.locate(&range) {
            return Ok(MemoryView {
                chunk: Arc::clone(chunk),
                index,
                len,
            });
        }
        let index = offset_in_line(range.start);
        let chunk = Arc::clone(self.join(range)?.chunk());
        let len = chunk.filled() - index;
        Ok(MemoryView { chunk, index, len })
    }

    /// Nothing where the range lies in several pieces.
    #[inline]
    fn peek(&self, range: Range<u64>) -> Option<&[u8]> {
        let (chunk, index, len) = self.locate(&range)?;
        chunk.get(index, len)
    }

    #[inline]
    fn prefetch(&self, at: u64) {
        if let Some([byte]) = self.bytes(at..at.saturating_add(1)) {
            kernels::prefetch(byte);
        }
    }

    fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
        let total = parts
            .iter()
            .try_fold(0_usize, |sum, part| sum.checked_add(part.len()));
        let total = total.ok_or(io::ErrorKind::OutOfMemory)?;
        if total == 0 {
            return Ok(());
        }
        let mut writer = self.writer();
        self.fill(&mut writer, self.length(), at)?;
        let end = self.place(&mut writer, at, parts, total)?;
        self.publish(at, end);
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut writer = self.writer();
        self.fill(&mut writer, self.length(), len)?;
        self.publish(len, len);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Resident for MemoryBacking {
    /// The bytes of `range`. Where they lie in several pieces of memory, the first call copies them together, and the
    /// copy lives as long as the backing: ask so for payloads, and use [`view`](Backing::view) to scan.
    fn bytes(&self, range: Range<u64>) -> Option<&[u8]> {
        if range.start == range.end && range.end <= self.length() {
            return Some(&[]);
        }
        let found = self.locate(&range).or_else(|| {
            let chunk = Arc::clone(self.join(range.clone()).ok()?.chunk());
            let (start, end) = (range.start, AtomicU64::new(range.end));
            self.joined.push(Joined { start, end, chunk }).ok()?;
            self.locate(&range)
        });
        let (chunk, index, len) = found?;
        chunk.get(index, len)
    }
}

impl Rewrite for MemoryBacking {
    fn create_replacement(&self) -> io::Result<Self> {
        Ok(Self::new())
    }

    /// Does nothing: memory has no name that could lead to the old bytes or to the new ones.
    fn commit_replacement(&self, _replacement: &Self) -> io::Result<()> {
        Ok(())
    }
}

/// How far `offset` is behind a multiple of [`ALIGNMENT`].
fn offset_in_line(offset: u64) -> usize {
    const LINE: u64 = ALIGNMENT as u64;
    usize::try_from(offset % LINE).unwrap_or_default()
}

fn zeros(len: usize) -> &'static [u8] {
    ZEROS.get(..len).unwrap_or(&ZEROS)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
