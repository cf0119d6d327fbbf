//! How bytes get into the file: by stores into a writable window for what is small, by positioned writes from the caller's
//! slices for the rest. Either way they are copied once.
//!
//! Invariant: a store goes only to space that the file system set aside for this file (`Appender::reserved`), because a
//! store that finds no space is a fault where a write is an error.

use std::fs::File;
use std::io;
use std::ops::Range;

use super::platform;
#[cfg(any(target_os = "linux", target_os = "android"))]
use super::window::{Ahead, Window};
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use no_window::{Ahead, Window};

/// What is stored: writes of up to so many bytes, and longer ones whose parts are this short on average, which the system lists
/// no faster than it copies them (the figures are in ARCHITECTURE.md).
#[derive(Debug, Clone, Copy)]
struct Stored {
    bytes: u64,
    bytes_per_part: u64,
}

/// ... where pages are made many at a time,
const STORED_CALM: Stored = Stored {
    bytes: 96 << 10,
    bytes_per_part: 256,
};
/// ... and where each is a page of its own.
const STORED_MODEST: Stored = Stored {
    bytes: 20 << 10,
    bytes_per_part: 48,
};
/// Space is set aside in multiples of this, and stores begin at one: no page of theirs holds bytes that were there before,
/// which another file may share where copies share blocks. No page or block is larger.
pub(super) const GRANULE: u64 = 64 << 10;
/// The most that is set aside at once.
const MAX_STEP: u64 = 64 << 20;
/// The least, when the medium or a limit refuses more.
const MIN_STEP: u64 = 4 << 10;

/// How much is written after a sync before pages are made large again.
const CALM: u64 = 1 << 20;

/// The writing side of one file.
pub(super) struct Appender {
    /// The file system sets space aside when asked to.
    reserves: bool,
    /// ... and then always has that space when a page is stored to, and the window works.
    stores: bool,
    /// What is stored where pages are made many at a time, and where they come singly.
    calm: Stored,
    modest: Stored,
    /// Space that was set aside here; empty when none is.
    reserved: Range<u64>,
    /// No more than this at once, since more was refused.
    step_limit: u64,
    window: Option<Window>,
    /// Where the last write ended.
    written: u64,
    /// From here on the last sync counts no more.
    calm_from: u64,
}

impl Appender {
    pub(super) fn new(file: &File) -> Self {
        let stores = platform::keeps_reserved_space(file);
        Self {
            reserves: stores,
            stores,
            calm: STORED_CALM,
            modest: STORED_MODEST,
            reserved: 0..0,
            step_limit: MAX_STEP,
            window: None,
            written: 0,
            calm_from: 0,
        }
    }

    /// Sets space aside ahead of a write that ends at `end`. No space is no error here: the write itself will tell.
    pub(super) fn prepare(&mut self, file: &File, end: u64) -> io::Result<()> {
        if end <= self.reserved.end {
            return Ok(());
        }
        if !self.reserves {
            return platform::grow_for_mapping(file, end);
        }
        // What others of our writes put past the reserved space stays out of it: nobody promised anything for holes there.
        let from = file.metadata()?.len();
        if end <= from {
            return Ok(());
        }
        // The greatest power of two up to the file's new length, within bounds: never more than doubling a file.
        let mut step = (1 << end.ilog2())
            .clamp(GRANULE, MAX_STEP)
            .min(self.step_limit);
        let mut to = (end / step).saturating_add(1).saturating_mul(step);
        self.step_limit = self.step_limit.saturating_mul(2).min(MAX_STEP);
        loop {
            match platform::set_aside(file, from, to) {
                Ok(()) => {
                    let start = if self.reserved.end == from && !self.reserved.is_empty() {
                        self.reserved.start
                    } else {
                        from.next_multiple_of(GRANULE).min(to)
                    };
                    self.reserved = start..to;
                    return Ok(());
                }
                Err(error) => {
                    // A part of it may have been granted; others can use it better. Nothing was written past `from`.
                    if file.metadata()?.len() > from {
                        file.set_len(from)?;
                    }
                    if platform::is_never(&error) {
                        self.reserves = false;
                    }
                    if !self.reserves || to == end {
                        return Ok(());
                    }
                }
            }
            // Space is short: smaller steps, for the next time too, and at last the bare need.
            step /= 2;
            self.step_limit = step.max(MIN_STEP);
            to = if step < MIN_STEP {
                end
            } else {
                (end / step).saturating_add(1).saturating_mul(step)
            };
        }
    }

    /// Puts `parts` at `at .. end`.
    pub(super) fn append(
        &mut self,
        file: &File,
        at: u64,
        end: u64,
        parts: &[&[u8]],
    ) -> io::Result<()> {
        self.written = end;
        if self.stores
            && self.reserved.start <= at
            && end <= self.reserved.end
            && self.stores_pay(at, end - at, parts.len())
        {
            if self.store(file, at, parts).is_ok() {
                return Ok(());
            }
            // No address space, or pages that cannot be had: both are told before anything faults. Writes still work.
            self.stores = false;
            self.window = None;
        }
        platform::write_at(file, at, parts)
    }

    /// Gives up what lies at or past `len`, which is about to be cut off.
    pub(super) fn forget_past(&mut self, len: u64) {
        self.window = None;
        self.reserved.end = self.reserved.end.min(len);
        if self.reserved.is_empty() {
            self.reserved = 0..0;
        }
    }

    /// Takes note that what was stored is about to be brought to stable storage.
    pub(super) fn note_sync(&mut self) {
        self.calm_from = self.written.saturating_add(CALM);
        if let Some(window) = &mut self.window {
            window.be_modest();
        }
    }

    /// Has everything stored from now on, or nothing, whatever pays.
    pub(super) const fn force(&mut self, is_stored: bool) {
        let all = Stored {
            bytes: u64::MAX,
            bytes_per_part: u64::MAX,
        };
        self.stores &= is_stored;
        (self.calm, self.modest) = (all, all);
    }

    /// Has everything written by system calls from now on.
    #[cfg(test)]
    pub(super) const fn only_write(&mut self) {
        self.reserves = false;
        self.stores = false;
    }

    /// Whether stores are still trusted.
    #[cfg(test)]
    pub(super) const fn stores(&self) -> bool {
        self.stores
    }

    pub(super) fn stores_pay(&self, at: u64, len: u64, parts: usize) -> bool {
        let stored = if self.is_calm(at) {
            self.calm
        } else if self
            .window
            .as_ref()
            .is_some_and(|window| at < window.filled())
        {
            // The sync that will follow, too, would write all of a large page for a store to some of it.
            return false;
        } else {
            self.modest
        };
        let parts = u64::try_from(parts).unwrap_or(u64::MAX).max(1);
        len <= stored.bytes || len / parts <= stored.bytes_per_part
    }

    /// Whether there was no sync lately.
    const fn is_calm(&self, at: u64) -> bool {
        at >= self.calm_from
    }

    fn store(&mut self, file: &File, mut at: u64, parts: &[&[u8]]) -> io::Result<()> {
        let ahead = Ahead {
            limit: self.reserved.end,
            fill: self.is_calm(at),
        };
        for part in parts.iter().filter(|part| !part.is_empty()) {
            let end = at.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
            let window = match &mut self.window {
                Some(window) if window.covers(at, end) => window,
                slot => {
                    // The old one goes first: two would need twice the address space.
                    *slot = None;
                    slot.insert(Window::open(file, at, end)?)
                }
            };
            window.put(file, at, part, ahead)?;
            at = end;
        }
        Ok(())
    }
}

/// Systems on which no file is stored to: the type is there so that the code above reads the same, and has no values.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod no_window {
    use std::fs::File;
    use std::io;

    pub(super) enum Window {}

    #[derive(Clone, Copy)]
    #[expect(dead_code, reason = "nothing is stored there")]
    pub(super) struct Ahead {
        pub(super) limit: u64,
        pub(super) fill: bool,
    }

    impl Window {
        pub(super) fn open(_: &File, _: u64, _: u64) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) const fn covers(&self, _: u64, _: u64) -> bool {
            match *self {}
        }

        pub(super) const fn put(&mut self, _: &File, _: u64, _: &[u8], _: Ahead) -> io::Result<()> {
            match *self {}
        }

        pub(super) const fn filled(&self) -> u64 {
            match *self {}
        }

        pub(super) const fn be_modest(&mut self) {
            match *self {}
        }
    }
}
