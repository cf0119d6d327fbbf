//! A writable mapping of a piece of the file, which slides along with its end.
//!
//! Invariant: stores go to mapped addresses, checked here; that there is a file with space behind them is the caller's part
//! (`append.rs`), and is asked of the system for many pages at a time before the first store to them.
//!
//! Pages come into being by writes of zeros, many at a time: the system then makes large ones, which cost a third of what single
//! ones do, each by its fault. A store makes all of a large page go to the medium at the next sync, so there are none
//! where syncs are frequent.
#![expect(unsafe_code, reason = "stores into a mapping go through its address")]

use std::fs::File;
use std::io;
use std::ops::Range;

use memmap2::{Advice, MmapOptions, MmapRaw};

use super::append::GRANULE;
use super::platform;
use crate::kernels;

/// How much of the file is mapped at once.
const WINDOW_BYTES: u64 = if usize::BITS >= 64 { 64 << 20 } else { 8 << 20 };
/// How far ahead of a store pages are made ready in one go; doubles from the least to the most as they are used up.
const LEAST_AHEAD: u64 = 64 << 10;
const MOST_AHEAD: u64 = 512 << 10;
/// What pages are filled with, again and again.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The window.
pub(super) struct Window {
    raw: MmapRaw,
    range: Range<u64>,
    /// Up to here the pages are ready, as far as the stores have come.
    ready: u64,
    ahead: u64,
    /// Up to here there may be large pages.
    filled: u64,
    /// The kernel knows how to make pages ready (Linux 5.14).
    readies: bool,
}

impl Window {
    /// A window that holds `at .. end`, and much behind it.
    pub(super) fn open(file: &File, at: u64, end: u64) -> io::Result<Self> {
        let start = at / GRANULE * GRANULE;
        let len = (end - start).max(WINDOW_BYTES);
        let size = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let raw = MmapOptions::new().offset(start).len(size).map_raw(file)?;
        Ok(Self {
            raw,
            range: start..start.saturating_add(len),
            ready: start,
            ahead: LEAST_AHEAD,
            filled: start,
            readies: true,
        })
    }

    pub(super) fn covers(&self, at: u64, end: u64) -> bool {
        self.range.start <= at && end <= self.range.end
    }

    /// Up to here there may be large pages.
    pub(super) const fn filled(&self) -> u64 {
        self.filled
    }

    /// Stores `bytes` at `at`, behind which `file` has nothing but zeros up to `ahead.limit`.
    pub(super) fn put(
        &mut self,
        file: &File,
        at: u64,
        bytes: &[u8],
        ahead: Ahead,
    ) -> io::Result<()> {
        let offset = at
            .checked_sub(self.range.start)
            .and_then(|offset| usize::try_from(offset).ok());
        let Some((offset, end)) =
            offset.and_then(|offset| Some((offset, offset.checked_add(bytes.len())?)))
        else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if end > self.raw.len() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let file_end = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.readies && file_end > self.ready {
            self.make_ready(file, at, file_end, ahead)?;
        }
        // SAFETY: `offset .. offset + bytes.len()` was just checked to lie inside the mapping, which `self` owns and which is
        // writable; `bytes` is a shared slice, so it is not inside pages that only `&mut self` stores to: what readers hold of
        // the same file ends at `written`, and the caller stores past that.
        unsafe { kernels::copy_to(self.raw.as_mut_ptr().add(offset), bytes) };
        Ok(())
    }

    /// Goes back to small steps: pages made ready and not yet used would be written out as zeros by a sync.
    pub(super) fn be_modest(&mut self) {
        self.ahead = LEAST_AHEAD;
    }

    /// Makes the pages of `at .. end` and some behind them ready: one call in place of a fault for each, and one that
    /// reports what would have been a fault that kills.
    fn make_ready(&mut self, file: &File, at: u64, end: u64, ahead: Ahead) -> io::Result<()> {
        let from = self.ready.max(at);
        let to = end
            .saturating_add(1)
            .next_multiple_of(self.ahead)
            .min(ahead.limit.max(end))
            .min(self.range.end);
        let (Ok(offset), Ok(len)) = (
            usize::try_from(from - self.range.start),
            usize::try_from(to - from),
        ) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if ahead.fill {
            self.filled = to;
            fill(file, from, len)?;
        }
        match self.raw.advise_range(Advice::PopulateWrite, offset, len) {
            Ok(()) => {
                self.ready = to;
                self.ahead = (self.ahead * 2).min(MOST_AHEAD);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                self.readies = false;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// What may be done to a file ahead of a store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ahead {
    /// Where its reserved space ends.
    pub(super) limit: u64,
    /// Whether pages are filled, which makes them large.
    pub(super) fill: bool,
}

/// Writes `len` zeros at `at`.
fn fill(file: &File, at: u64, len: usize) -> io::Result<()> {
    let (whole, rest) = (len / ZEROS.len(), len % ZEROS.len());
    let mut parts: Vec<&[u8]> = vec![&ZEROS; whole];
    parts.extend(ZEROS.get(..rest));
    platform::write_at(file, at, &parts)
}
