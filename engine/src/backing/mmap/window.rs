//! A writable mapping of a piece of the file, which slides along with its end.
//!
//! Invariant: stores go to mapped addresses, checked here; that there is a file with space behind them is the caller's part
//! (`append.rs`), and is asked of the system for many pages at a time before the first store to them.
#![expect(unsafe_code, reason = "stores into a mapping go through its address")]

use std::fs::File;
use std::io;
use std::ops::Range;

use memmap2::{Advice, MmapOptions, MmapRaw};

use super::append::GRANULE;
use crate::kernels;

/// How much of the file is mapped at once.
const WINDOW_BYTES: u64 = if usize::BITS >= 64 { 64 << 20 } else { 8 << 20 };
/// How far ahead of a store pages are made ready in one call; doubles from the least to the most as they are used up.
const LEAST_AHEAD: u64 = 64 << 10;
const MOST_AHEAD: u64 = 512 << 10;

/// The window.
pub(super) struct Window {
    raw: MmapRaw,
    range: Range<u64>,
    /// Up to here the pages are ready, as far as the stores have come.
    ready: u64,
    ahead: u64,
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
            readies: true,
        })
    }

    pub(super) fn covers(&self, at: u64, end: u64) -> bool {
        self.range.start <= at && end <= self.range.end
    }

    /// Stores `bytes` at `at`, and makes pages ready up to `limit`, where the file's reserved space ends.
    pub(super) fn put(&mut self, at: u64, bytes: &[u8], limit: u64) -> io::Result<()> {
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
            self.make_ready(at, file_end, limit)?;
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
    fn make_ready(&mut self, at: u64, end: u64, limit: u64) -> io::Result<()> {
        let from = self.ready.max(at);
        let to = from
            .saturating_add(self.ahead)
            .max(end)
            .min(limit.max(end))
            .min(self.range.end);
        let (Ok(offset), Ok(len)) = (
            usize::try_from(from - self.range.start),
            usize::try_from(to - from),
        ) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
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
