//! A [`Device`] that gathers small writes in memory and hands them to the device beneath in one call.
//!
//! Invariant: the device beneath is as long as everything that was accepted, before it is accepted. So a medium that is full refuses a
//! write, where nothing is lost yet, and not the handing over later.

use super::{Device, retry};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// As many bytes are gathered before they go on of their own accord.
const MOST_GATHERED: usize = 4 << 20;

/// Longer writes go past what is gathered, which goes on first.
const LONGEST_GATHERED: usize = 1 << 20;

/// Space is reserved ahead in steps of a quarter of the file, within these bounds: each takes a browser a millisecond.
const SHARE_RESERVED: u64 = 4;
const LEAST_RESERVED: u64 = 1 << 20;
const MOST_RESERVED: u64 = 64 << 20;

/// A device whose small writes wait in memory (4 MiB at most) until [`drain`](Self::drain), a sync, or the next one that does not fit.
///
/// Reads find them there. What was not drained is lost when it is dropped. The device beneath may be longer than this one says, by space
/// that is reserved; [`trim`](Self::trim) gives that back. One caller writes at a time; a reader waits while it hands bytes on.
#[derive(Debug)]
pub struct WriteBehind<D> {
    device: D,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What the device beneath does not have yet, from `start` on.
    gathered: Vec<u8>,
    start: u64,
    len: u64,
    /// The length of the device beneath, never less than `len`; asked again when a failed call left it unknown.
    reserved: Option<u64>,
    unsynced: u64,
}

impl State {
    /// Whether so many bytes at `at` can be put among those gathered.
    fn has_room(&self, at: u64, len: usize) -> bool {
        if self.gathered.is_empty() {
            return true;
        }
        let place = at
            .checked_sub(self.start)
            .and_then(|place| usize::try_from(place).ok());
        place.is_some_and(|place| {
            place <= self.gathered.len() && place.saturating_add(len) <= MOST_GATHERED
        })
    }

    /// Puts `bytes` among those gathered, where there is room for them.
    fn gather(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if self.gathered.is_empty() {
            self.start = at;
        }
        let place = self.place(at);
        let overlap = self.gathered.len().saturating_sub(place).min(bytes.len());
        let (over, new) = bytes.split_at(overlap);
        self.gathered.try_reserve(new.len())?;
        if let Some(target) = self.gathered.get_mut(place..place + overlap) {
            target.copy_from_slice(over);
        }
        self.gathered.extend_from_slice(new);
        Ok(())
    }

    /// Where the byte at `at` is or would be among those gathered; those before them count as the first.
    fn place(&self, at: u64) -> usize {
        usize::try_from(at.saturating_sub(self.start)).unwrap_or(usize::MAX)
    }
}

impl<D: Device> WriteBehind<D> {
    /// Asks `device` for its length.
    pub fn new(device: D) -> io::Result<Self> {
        let len = retry(|| device.len())?;
        let state = State {
            gathered: Vec::new(),
            start: len,
            len,
            reserved: Some(len),
            unsynced: 0,
        };
        Ok(Self {
            device,
            state: Mutex::new(state),
        })
    }

    /// The device beneath.
    pub const fn device(&self) -> &D {
        &self.device
    }

    /// Bytes written since the last good sync.
    pub fn unsynced(&self) -> u64 {
        self.state().unsynced
    }

    /// Hands what is gathered to the device beneath, in one write unless that takes less of it.
    ///
    /// If it fails, the bytes stay where they are: they are read from here, and the next call tries again.
    pub fn drain(&self) -> io::Result<()> {
        self.drain_locked(&mut self.state())
    }

    /// Drains, and gives the reserved space back.
    pub fn trim(&self) -> io::Result<()> {
        let mut state = self.state();
        self.drain_locked(&mut state)?;
        let len = state.len;
        self.cut(&mut state, len)
    }

    /// Shows `look` the bytes that the device beneath does not have yet, and where they start.
    pub fn with_gathered<R>(&self, look: impl FnOnce(u64, &[u8]) -> R) -> R {
        let state = self.state();
        look(state.start, &state.gathered)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Bytes leave it only once the device has them, so a panic in the device leaves nothing false behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drain_locked(&self, state: &mut State) -> io::Result<()> {
        let mut done = 0;
        while let Some(rest) = state.gathered.get(done..).filter(|rest| !rest.is_empty()) {
            let at = state.start.saturating_add(done as u64);
            match retry(|| self.device.write_at(at, rest))? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => done += written.min(rest.len()),
            }
        }
        state.gathered.clear();
        Ok(())
    }

    /// Makes sure that the device beneath is at least `end` long: with space ahead if that can be had, else without.
    fn reserve(&self, state: &mut State, end: u64) -> io::Result<()> {
        if end <= self.known_reserved(state)? {
            return Ok(());
        }
        let step = (end / SHARE_RESERVED).clamp(LEAST_RESERVED, MOST_RESERVED);
        self.grow(state, end.saturating_add(step))
            .or_else(|_| self.grow(state, end))
    }

    /// Gives up what the device beneath has from `len` on.
    fn cut(&self, state: &mut State, len: u64) -> io::Result<()> {
        if len < self.known_reserved(state)? {
            state.reserved = None;
            retry(|| self.device.set_len(len))?;
            state.reserved = Some(len);
        }
        Ok(())
    }

    /// Extends with zeros, with nothing gathered. What a failed write may have left behind the end is cut off first.
    fn extend(&self, state: &mut State, len: u64) -> io::Result<()> {
        let end = state.len;
        self.cut(state, end)?;
        self.grow(state, len)?;
        state.len = len;
        Ok(())
    }

    fn known_reserved(&self, state: &mut State) -> io::Result<u64> {
        match state.reserved {
            Some(reserved) => Ok(reserved),
            None => Ok(*state.reserved.insert(retry(|| self.device.len())?)),
        }
    }

    /// Makes the device beneath longer.
    fn grow(&self, state: &mut State, len: u64) -> io::Result<()> {
        state.reserved = None;
        retry(|| self.device.set_len(len))?;
        // A device may take a longer length and not grow: a private window's files do.
        if self.known_reserved(state)? < len {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl<D: Device> Device for WriteBehind<D> {
    const ONE_THREAD: bool = D::ONE_THREAD;

    fn len(&self) -> io::Result<u64> {
        Ok(self.state().len)
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let state = self.state();
        let left = usize::try_from(state.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut count = left.min(buf.len());
        if at < state.start {
            if !state.gathered.is_empty() {
                count = count.min(usize::try_from(state.start - at).unwrap_or(usize::MAX));
            }
        } else if let Some(found) = state.gathered.get(state.place(at)..)
            && !found.is_empty()
        {
            count = count.min(found.len());
            let (found, _) = found.split_at(count);
            buf.get_mut(..count)
                .unwrap_or_default()
                .copy_from_slice(found);
            return Ok(count);
        }
        drop(state);
        match buf.get_mut(..count) {
            Some([]) | None => Ok(0),
            Some(buf) => self.device.read_at(at, buf),
        }
    }

    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
        let end = at
            .checked_add(buf.len() as u64)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        if buf.is_empty() {
            return Ok(0);
        }
        let mut state = self.state();
        let is_long = buf.len() > LONGEST_GATHERED;
        if is_long || !state.has_room(at, buf.len()) {
            self.drain_locked(&mut state)?;
        }
        if at > state.len {
            self.extend(&mut state, at)?;
        }
        self.reserve(&mut state, end)?;
        let written = if is_long {
            self.device.write_at(at, buf)?.min(buf.len())
        } else {
            state.gather(at, buf)?;
            buf.len()
        };
        state.len = state.len.max(at.saturating_add(written as u64));
        state.unsynced = state.unsynced.saturating_add(written as u64);
        Ok(written)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        if len > state.len {
            self.drain_locked(&mut state)?;
            return self.extend(&mut state, len);
        }
        self.cut(&mut state, len)?;
        let kept = state.place(len);
        state.gathered.truncate(kept);
        state.len = len;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        self.drain_locked(&mut state)?;
        self.device.sync()?;
        state.unsynced = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
