//! A device in memory that fails on demand: for tests of the engine and of what is built on it.
//!
//! What a store must survive, that is, lose nothing it acknowledged, show nothing it did not, and return an error where
//! it could not do what it was asked:
//!
//! * any single call that fails, does less than asked, or is interrupted and does nothing;
//! * a write that fails after a part of it was done, also because the device is full;
//! * a sync that fails, after which what was written before it may be lost whatever later syncs say;
//! * a crash: of what was written since the last good sync any subset of sectors of [`SECTOR`] bytes is there, in
//!   whatever order, and a change of the length may or may not have been made.
//!
//! Not simulated, hence not promised: synced bytes that change later, sectors that are torn within, writes that reach
//! other places than they were meant for.

mod log;

use super::Device;
use super::seeded::Seeded;
use super::sparse::Sparse;
use log::{Change, Log};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is written whole or not at all.
pub const SECTOR: u64 = 512;

/// The calls of [`Device`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// [`Device::len`].
    Len,
    /// [`Device::read_at`].
    Read,
    /// [`Device::write_at`].
    Write,
    /// [`Device::set_len`].
    SetLen,
    /// [`Device::sync`].
    Sync,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing and fails so.
    Fail(io::ErrorKind),
    /// A write does a part of what it was asked and then fails so; other calls do nothing and fail.
    Torn(io::ErrorKind),
    /// A read or a write does less than it was asked, though at least a byte; other calls do all.
    Short,
    /// It does nothing and is to be called again.
    Interrupted,
}

/// A handle to the device; clones are handles to the same one, so that a test can look at it while a store uses it.
#[derive(Debug, Clone, Default)]
pub struct FaultyDevice {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    log: Log,
    /// What reads see.
    visible: Sparse,
    calls: BTreeMap<Call, u64>,
    planned: BTreeMap<(Call, u64), Fault>,
    always_short: bool,
    limit: u64,
    random: Seeded,
}

impl FaultyDevice {
    /// An empty device without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A device that holds `bytes`, synced.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut sparse = Sparse::default();
        sparse.write(0, bytes);
        Self::from_sparse(sparse)
    }

    /// Lets the `nth` call of this kind from now on, counted from 0, go wrong.
    pub fn plan(&self, call: Call, nth: u64, fault: Fault) {
        let mut inner = self.lock();
        let number = inner
            .calls
            .get(&call)
            .copied()
            .unwrap_or(0)
            .saturating_add(nth);
        inner.planned.insert((call, number), fault);
    }

    /// Takes back every planned fault that did not happen yet, the limit, and shortness.
    pub fn heal(&self) {
        let mut inner = self.lock();
        inner.planned.clear();
        inner.always_short = false;
        inner.limit = u64::MAX;
    }

    /// Lets every read and write do less than asked, by amounts that follow from `seed`.
    pub fn always_short(&self, seed: u64) {
        let mut inner = self.lock();
        inner.always_short = true;
        inner.random = Seeded::new(seed);
    }

    /// Lets the device be full at `bytes`: a write does what fits, and fails with [`io::ErrorKind::StorageFull`] when
    /// nothing does.
    pub fn limit(&self, bytes: u64) {
        self.lock().limit = bytes;
    }

    /// How many calls of this kind were made since [`reset_counts`](Self::reset_counts), failed ones included.
    #[must_use]
    pub fn count(&self, call: Call) -> u64 {
        self.lock().calls.get(&call).copied().unwrap_or(0)
    }

    /// Starts counting at 0 again; plans keep their distance.
    pub fn reset_counts(&self) {
        let mut inner = self.lock();
        let calls = std::mem::take(&mut inner.calls);
        inner.planned = std::mem::take(&mut inner.planned)
            .into_iter()
            .map(|((call, number), fault)| {
                let made = calls.get(&call).copied().unwrap_or(0);
                ((call, number.saturating_sub(made)), fault)
            })
            .collect();
    }

    /// All bytes, as reads see them.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let inner = self.lock();
        let mut bytes = vec![0; usize::try_from(inner.visible.len()).unwrap_or(usize::MAX)];
        inner.visible.read(0, &mut bytes);
        bytes
    }

    /// Whether everything written is beyond the reach of a crash.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.lock().log.is_synced()
    }

    /// Another device, with what a crash left of this one at this moment; `seed` decides what that is.
    #[must_use]
    pub fn crash(&self, seed: u64) -> Self {
        Self::from_sparse(self.lock().log.crash(seed))
    }

    fn from_sparse(sparse: Sparse) -> Self {
        let device = Self::new();
        let mut inner = device.lock();
        inner.visible = sparse.clone();
        inner.log = Log::of(sparse);
        drop(inner);
        device
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            log: Log::default(),
            visible: Sparse::default(),
            calls: BTreeMap::new(),
            planned: BTreeMap::new(),
            always_short: false,
            limit: u64::MAX,
            random: Seeded::new(0),
        }
    }
}

impl Inner {
    /// Counts the call; the fault it shall have, those that need no more than an error already being one.
    fn begin(&mut self, call: Call) -> io::Result<Option<Fault>> {
        let count = self.calls.entry(call).or_insert(0);
        let number = *count;
        *count += 1;
        match self.planned.remove(&(call, number)) {
            Some(Fault::Fail(kind)) => Err(kind.into()),
            Some(Fault::Torn(kind)) if call != Call::Write => Err(kind.into()),
            Some(Fault::Interrupted) => Err(io::ErrorKind::Interrupted.into()),
            None if self.always_short => Ok(Some(Fault::Short)),
            fault => Ok(fault),
        }
    }

    /// How much of `len` bytes is done: `least` or more, not all if that can be.
    fn part_of(&mut self, len: usize, least: usize) -> usize {
        let most = len.saturating_sub(1).max(least).min(len);
        least.min(most) + self.random.len_below(most.saturating_sub(least) + 1)
    }

    fn make(&mut self, change: Change) {
        change.apply(&mut self.visible);
        self.log.push(change);
    }
}

impl Device for FaultyDevice {
    fn len(&self) -> io::Result<u64> {
        let mut inner = self.lock();
        inner.begin(Call::Len)?;
        Ok(inner.visible.len())
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut inner = self.lock();
        let fault = inner.begin(Call::Read)?;
        let len = if fault == Some(Fault::Short) {
            inner.part_of(buf.len(), 1)
        } else {
            buf.len()
        };
        Ok(inner
            .visible
            .read(at, buf.get_mut(..len).unwrap_or_default()))
    }

    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
        let mut inner = self.lock();
        let fault = inner.begin(Call::Write)?;
        if at.checked_add(buf.len() as u64).is_none() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let room = usize::try_from(inner.limit.saturating_sub(at)).unwrap_or(usize::MAX);
        let fits = room.min(buf.len());
        if fits == 0 && !buf.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let len = match fault {
            Some(Fault::Short) => inner.part_of(fits, 1),
            Some(Fault::Torn(_)) => inner.part_of(fits, 0),
            _ => fits,
        };
        inner.make(Change::Write(
            at,
            buf.get(..len).unwrap_or_default().to_vec(),
        ));
        match fault {
            Some(Fault::Torn(kind)) => Err(kind.into()),
            _ => Ok(len),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut inner = self.lock();
        inner.begin(Call::SetLen)?;
        if len > inner.limit.max(inner.visible.len()) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        inner.make(Change::SetLen(len));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.lock();
        let begun = inner.begin(Call::Sync);
        if !matches!(&begun, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
            inner.log.sync(begun.is_ok());
        }
        begun.map(drop)
    }
}

#[cfg(test)]
mod tests;
