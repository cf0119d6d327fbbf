//! A [`Backing`] over a [`Device`]: reads through a bounded cache, writes with as few calls as they can be made with.
//!
//! Writes go through: the device always has what the cache has, and after a failed call the cache has nothing of what
//! that call may have touched.

use super::buffer::DeviceView;
use super::cache::{PAGE, PageCache, split};
use super::{Device, retry};
use crate::backing::Backing;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Longer ranges are read straight into their buffer, and longer writes leave only their end in the cache.
const LONGEST_CACHED: usize = 64 * 1024;

/// Parts that are at least this long are written from where they lie.
const LONG_PART: usize = 128 * 1024;

/// As many bytes of shorter parts go into one write call.
const LONGEST_COALESCED: usize = 1 << 20;

/// What a scratch buffer may keep between calls.
const KEPT_SCRATCH: usize = 64 * 1024;

/// A device made into a backing.
///
/// Reads take pages from a cache and fetch what is missing with one call per gap; ranges over 64 KiB (or an eighth of a
/// small cache) are fetched past it. Small parts of a write are put together, up to 1 MiB a call. Views are copies.
/// A reader waits while another fetches a page, never for a write to the device.
#[derive(Debug)]
pub struct DeviceBacking<D> {
    device: D,
    longest_cached: usize,
    /// Held by the one who changes the device; always taken before `state`.
    writer: Mutex<Vec<u8>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The length of the device; asked again when a failed call left it unknown.
    len: Option<u64>,
    cache: PageCache,
    fetched: Vec<u8>,
}

impl<D: Device> DeviceBacking<D> {
    /// Asks `device` for its length and keeps at most `cache_capacity` bytes of its pages, bookkeeping and the buffer
    /// for fetching included. A write takes up to 1 MiB beside that for its duration, of which 64 KiB are kept.
    pub fn new(device: D, cache_capacity: usize) -> io::Result<Self> {
        let len = retry(|| device.len())?;
        let longest_cached = (cache_capacity / 8).min(LONGEST_CACHED);
        let for_pages = cache_capacity.saturating_sub(longest_cached + 2 * PAGE);
        let cache = PageCache::new(for_pages);
        Ok(Self {
            device,
            longest_cached: if for_pages == 0 { 0 } else { longest_cached },
            writer: Mutex::new(Vec::new()),
            state: Mutex::new(State {
                len: Some(len),
                cache,
                fetched: Vec::new(),
            }),
        })
    }

    /// The device.
    pub const fn device(&self) -> &D {
        &self.device
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The cache takes over nothing before the device has it, so a panic in the device leaves nothing false behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Vec<u8>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_len(&self, state: &mut State) -> io::Result<u64> {
        match state.len {
            Some(len) => Ok(len),
            None => Ok(*state.len.insert(retry(|| self.device.len())?)),
        }
    }

    /// Fills `buf`, which lies within the length, from the cache and from the device.
    fn load(
        &self,
        mut state: MutexGuard<'_, State>,
        mut at: u64,
        buf: &mut [u8],
    ) -> io::Result<()> {
        if buf.len() > self.longest_cached {
            drop(state);
            return read_exact(&self.device, at, buf);
        }
        let len = self.known_len(&mut state)?;
        let State { cache, fetched, .. } = &mut *state;
        let mut left = buf;
        while !left.is_empty() {
            let run = left.len().min(PAGE - split(at).1);
            let (now, later) = std::mem::take(&mut left).split_at_mut(run);
            if cache.load(at, now) {
                at += run as u64;
                left = later;
                continue;
            }
            // The gap goes on to the next page at hand; whole pages are fetched.
            let mut missing = now.len();
            let mut rest = later.len();
            while rest > 0 && !cache.holds(at + missing as u64, rest.min(PAGE)) {
                missing += rest.min(PAGE);
                rest -= rest.min(PAGE);
            }
            let (page, skipped) = split(at);
            let first = page * PAGE as u64;
            let pages = (skipped + missing).div_ceil(PAGE);
            let wanted =
                usize::try_from(len - first).map_or(pages * PAGE, |len| len.min(pages * PAGE));
            if fetched.len() < wanted {
                *fetched = vec![0; wanted];
            }
            let target = fetched.get_mut(..wanted).unwrap_or_default();
            let got = read_at_least(&self.device, first, target, skipped + missing)?;
            let got = fetched.get(..got).unwrap_or_default();
            let bytes = got.get(skipped..).unwrap_or_default();
            let (head, tail) = bytes.split_at(now.len());
            now.copy_from_slice(head);
            let (gap, later) = later.split_at_mut(missing - now.len());
            gap.copy_from_slice(tail.get(..gap.len()).unwrap_or_default());
            cache.store(first, got);
            at += missing as u64;
            left = later;
        }
        Ok(())
    }

    /// The locked state, if `range` lies within the length.
    fn within(&self, start: u64, end: u64) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if start > end || end > self.known_len(&mut state)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(state)
    }

    /// Writes `parts` at `at` with few calls.
    fn put(&self, scratch: &mut Vec<u8>, at: u64, parts: &[&[u8]]) -> io::Result<()> {
        if let [part] = parts {
            return write_all(&self.device, at, part);
        }
        let short = parts
            .iter()
            .map(|part| part.len())
            .filter(|len| *len < LONG_PART);
        scratch.try_reserve_exact(short.sum::<usize>().min(LONGEST_COALESCED))?;
        let mut written = at;
        for part in parts {
            let long = part.len() >= LONG_PART;
            if long || scratch.len() + part.len() > LONGEST_COALESCED {
                write_all(&self.device, written, scratch)?;
                written += scratch.len() as u64;
                scratch.clear();
            }
            if long {
                write_all(&self.device, written, part)?;
                written += part.len() as u64;
            } else {
                scratch.extend_from_slice(part);
            }
        }
        write_all(&self.device, written, scratch)
    }
}

impl<D: Device> Backing for DeviceBacking<D> {
    type View = DeviceView;

    const ONE_THREAD: bool = D::ONE_THREAD;

    fn len(&self) -> io::Result<u64> {
        self.known_len(&mut self.state())
    }

    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        let end = at
            .checked_add(buf.len() as u64)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        self.load(self.within(at, end)?, at, buf)
    }

    fn view(&self, range: Range<u64>) -> io::Result<DeviceView> {
        let state = self.within(range.start, range.end)?;
        let len = range.end - range.start;
        DeviceView::filled(len, |buf| self.load(state, range.start, buf))
    }

    fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
        let total = parts
            .iter()
            .try_fold(0_u64, |sum, part| sum.checked_add(part.len() as u64));
        let end = total.and_then(|total| at.checked_add(total));
        let end = end.ok_or(io::ErrorKind::FileTooLarge)?;
        if end == at {
            return Ok(());
        }
        let mut scratch = self.writer();
        let put = self.put(&mut scratch, at, parts);
        scratch.clear();
        scratch.shrink_to(KEPT_SCRATCH);
        let mut state = self.state();
        if put.is_err() {
            state.len = None;
            state.cache.forget_from(at);
            return put;
        }
        if let Some(len) = &mut state.len {
            *len = end.max(*len);
        }
        let cached = end - at <= self.longest_cached as u64;
        let first = if cached {
            at
        } else {
            end.saturating_sub(PAGE as u64).max(at)
        };
        if !cached {
            state.cache.forget_from(at);
        }
        let mut offset = at;
        for part in parts {
            let skipped = usize::try_from(first.saturating_sub(offset)).unwrap_or(usize::MAX);
            if let Some(bytes) = part.get(skipped..) {
                state.cache.store(offset + skipped as u64, bytes);
            }
            offset += part.len() as u64;
        }
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let _writer = self.writer();
        let set = retry(|| self.device.set_len(len));
        let mut state = self.state();
        let grows = state.len.is_none_or(|old| old < len);
        state.len = None;
        state.cache.forget_from(len);
        set?;
        // A device may take a longer length and not grow: a private window's files do.
        if grows && self.known_len(&mut state)? < len {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.len = Some(len);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        retry(|| self.device.sync())
    }
}

/// Fills `buf` from `at`.
fn read_exact(device: &impl Device, at: u64, buf: &mut [u8]) -> io::Result<()> {
    let wanted = buf.len();
    read_at_least(device, at, buf, wanted).map(drop)
}

/// Fills `buf` from `at` as far as the device goes, at least `needed` bytes; how many it were.
fn read_at_least(
    device: &impl Device,
    at: u64,
    buf: &mut [u8],
    needed: usize,
) -> io::Result<usize> {
    let mut got = 0;
    while got < needed {
        let rest = buf.get_mut(got..).unwrap_or_default();
        let most = rest.len();
        match retry(|| device.read_at(at + got as u64, rest))? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => got += read.min(most),
        }
    }
    Ok(got)
}

/// Writes all of `bytes` at `at`.
fn write_all(device: &impl Device, mut at: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = retry(|| device.write_at(at, bytes))?.min(bytes.len());
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        at += written as u64;
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
