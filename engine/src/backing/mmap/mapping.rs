//! The read-only mappings of one file, and what may be read through them.
//!
//! Invariant: every address below `base + written` is mapped for as long as the [`Reads`] lives. `written` is never past
//! the end of the file, where touching a page is a fault, nor past the end of the newest mapping, and it is published
//! (Release) after the mapping that covers it.
#![expect(
    unsafe_code,
    reason = "memory behind a mapping is reached through its address"
)]

use std::fs::File;
use std::io;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use memmap2::{MmapOptions, MmapRaw};

use super::paging::{self, Paging};
use super::platform;
use crate::backing::BeforeReads;

/// How many mappings one backing may come to hold. Each is four times the one before where mappings reach past the end
/// of the file, and an eighth larger at the least where they do not.
const MAX_GENERATIONS: usize = 192;
/// The smallest first reservation: address space, no memory.
pub(super) const FIRST_RESERVATION: u64 = if usize::BITS >= 64 {
    16 << 30
} else {
    256 << 20
};
/// How far `settled` stays behind `written` before the writer brings it up.
const SETTLE_STEP: u64 = 1 << 20;

/// What readers of one file share.
pub(super) struct Reads {
    hot: Hot,
    written: Written,
    paging: Arc<Paging>,
    current: AtomicUsize,
    generations: [OnceLock<Arc<Mapping>>; MAX_GENERATIONS],
}

/// What every read loads: on a cache line that the writer stores to once in a mebibyte, so that it stays in the readers' caches.
#[repr(align(64))]
struct Hot {
    /// Start of the newest mapping; null before the first.
    base: AtomicPtr<u8>,
    /// Never above `written`.
    settled: AtomicU64,
}

#[repr(align(64))]
struct Written(AtomicU64);

/// A mapping of the first bytes of a file, or a copy of some; made for reading alone.
struct Mapping(MmapRaw);

impl Reads {
    /// The first mapping of a file of `file_len` bytes, with room for `reservation` if that can be had.
    pub(super) fn new(file: &File, file_len: u64, reservation: u64) -> io::Result<Self> {
        let reads = Self {
            hot: Hot {
                base: AtomicPtr::new(ptr::null_mut()),
                settled: AtomicU64::new(0),
            },
            written: Written(AtomicU64::new(0)),
            paging: Arc::default(),
            current: AtomicUsize::new(0),
            generations: [const { OnceLock::new() }; MAX_GENERATIONS],
        };
        if reservation > 0 {
            reads.install(0, Mapping::at_most(file, reservation, file_len)?)?;
        }
        reads.written.0.store(file_len, Ordering::Release);
        reads.hot.settled.store(file_len, Ordering::Release);
        Ok(reads)
    }

    #[inline]
    pub(super) fn bytes(&self, range: Range<u64>) -> Option<&[u8]> {
        let (start, len) = self.locate(&range)?;
        // SAFETY: `locate` says that the bytes are mapped while `self` lives, which outlives the slice, and lie below
        // `written`, where nothing is stored any more; the Acquire load there orders this read behind the stores.
        Some(unsafe { std::slice::from_raw_parts(start.as_ptr(), len) })
    }

    #[inline]
    pub(super) fn view(&self, range: &Range<u64>) -> Option<View> {
        let (_, len) = self.locate(range)?;
        let Some(mapping) = self
            .generations
            .get(self.current.load(Ordering::Acquire))
            .and_then(OnceLock::get)
        else {
            // Nothing is mapped, so nothing was written, so the range is empty.
            return Some(View {
                mapping: None,
                start: dangling(),
                len: 0,
            });
        };
        let offset = usize::try_from(range.start).ok()?;
        // `current` was loaded after `written`, so this mapping covers what `locate` allowed. Checked all the same: the
        // pointer is made in safe code, but `as_ref` trusts it.
        if offset.checked_add(len)? > mapping.0.len() {
            return None;
        }
        let start = NonNull::new(mapping.0.as_mut_ptr().wrapping_add(offset))?;
        Some(View {
            mapping: Some(Arc::clone(mapping)),
            start,
            len,
        })
    }

    /// Makes sure that offsets below `end` are inside the newest mapping. Called by the writer alone.
    pub(super) fn reserve(&self, file: &File, end: u64) -> io::Result<()> {
        let current = self.current.load(Ordering::Relaxed);
        let mapped = self
            .generations
            .get(current)
            .and_then(OnceLock::get)
            .map(|mapping| mapping.len());
        match mapped {
            Some(mapped) if end <= mapped => Ok(()),
            Some(mapped) => {
                let want = if platform::MAPS_PAST_END {
                    mapped.saturating_mul(4).max(end.saturating_mul(2))
                } else {
                    file.metadata()?.len()
                };
                self.install(current + 1, Mapping::at_most(file, want, end)?)
            }
            None => {
                let want = if platform::MAPS_PAST_END {
                    FIRST_RESERVATION.max(end)
                } else {
                    file.metadata()?.len()
                };
                self.install(0, Mapping::at_most(file, want, end)?)
            }
        }
    }

    /// Lets bytes below `end` be read. Called by the writer alone, once they are in the file and mapped.
    pub(super) fn publish(&self, end: u64) {
        if end > self.written.0.load(Ordering::Relaxed) {
            self.written.0.store(end, Ordering::Release);
            if end - self.hot.settled.load(Ordering::Relaxed) >= SETTLE_STEP {
                self.hot.settled.store(end, Ordering::Release);
                self.consider(end);
            }
        }
    }

    /// Has pages come one by one once the file is too long for memory. Called by the writer alone.
    fn consider(&self, file_len: u64) {
        if self.paging.becomes_single(file_len)
            && let Some(mapping) = self.mapping()
        {
            paging::make_single(&mapping.0);
        }
    }

    /// What [`consider`](Self::consider) does for the file as it is, if there is something to be found out.
    pub(super) fn before_random_reads(&self) -> Option<BeforeReads> {
        let file_len = self.written.0.load(Ordering::Relaxed);
        if !self.paging.may_become_single(file_len) {
            return None;
        }
        let mapping = Arc::clone(self.mapping()?);
        let paging = Arc::clone(&self.paging);
        Some(Box::new(move || {
            if paging.becomes_single(file_len) {
                paging::make_single(&mapping.0);
            }
        }))
    }

    /// Has `range` read, which is about to be touched.
    pub(super) fn will_read(&self, range: &Range<u64>) {
        let len = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        if self.paging.is_worth_asking(len) {
            self.ask_for(range.start, len);
        }
    }

    #[cold]
    fn ask_for(&self, start: u64, len: usize) {
        if let (Some(mapping), Ok(offset)) = (self.mapping(), usize::try_from(start)) {
            paging::ask_for(&mapping.0, offset, len);
        }
    }

    /// The newest one.
    fn mapping(&self) -> Option<&Arc<Mapping>> {
        let current = self.current.load(Ordering::Acquire);
        self.generations.get(current).and_then(OnceLock::get)
    }

    /// As if there were so much memory.
    #[cfg(test)]
    pub(super) fn consider_with(&self, file_len: u64, memory: u64) {
        if self.paging.becomes_single_with(file_len, memory)
            && let Some(mapping) = self.mapping()
        {
            paging::make_single(&mapping.0);
        }
    }

    /// Stops bytes at or past `end` from being read, and says how far they could be. Called by the writer alone.
    pub(super) fn lower(&self, end: u64) -> u64 {
        let written = self.written.0.load(Ordering::Relaxed);
        let settled = self.hot.settled.load(Ordering::Relaxed);
        self.hot.settled.store(settled.min(end), Ordering::Release);
        self.written.0.store(written.min(end), Ordering::Release);
        written
    }

    #[cfg(test)]
    pub(super) fn mappings(&self) -> usize {
        self.generations
            .iter()
            .filter(|slot| slot.get().is_some())
            .count()
    }

    /// Where `range` lies, if it was written; mapped for as long as `self` lives.
    #[inline]
    fn locate(&self, range: &Range<u64>) -> Option<(NonNull<u8>, usize)> {
        if range.end > self.hot.settled.load(Ordering::Acquire)
            && range.end > self.written.0.load(Ordering::Acquire)
        {
            return None;
        }
        let len = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        if self.paging.is_worth_asking(len) {
            self.ask_for(range.start, len);
        }
        // No base means no mapping, hence nothing written and an empty range.
        let Some(base) = NonNull::new(self.hot.base.load(Ordering::Acquire)) else {
            return Some((dangling(), 0));
        };
        // SAFETY: `range.start <= range.end <= written`, and the mapping that covers `written` was installed before
        // `written` was stored; that value was loaded (Acquire) before `base`, so `base` is of that mapping or of a later and
        // longer one, and the offset stays inside it. It fits `usize` because the mapping's length does.
        Some((unsafe { base.add(usize::try_from(range.start).ok()?) }, len))
    }

    fn install(&self, generation: usize, mapping: Mapping) -> io::Result<()> {
        let base = mapping.0.as_mut_ptr();
        if self.paging.is_single() {
            paging::make_single(&mapping.0);
        }
        let Some(slot) = self.generations.get(generation) else {
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "the file was mapped too many times",
            ));
        };
        // The writer alone installs, each slot once; a slot already taken would keep what it has, so `base` must not change.
        if slot.set(Arc::new(mapping)).is_err() {
            return Err(io::Error::other("a mapping was installed twice"));
        }
        self.current.store(generation, Ordering::Release);
        self.hot.base.store(base, Ordering::Release);
        Ok(())
    }
}

impl Mapping {
    /// `want` bytes; if the system refuses, a quarter of the longest half, quarter and so on that it grants, or all of that where less
    /// would be below `need`; an error if it does not grant that.
    ///
    /// A quarter, because others need address space too: the mapping of a compaction, a thread's stack, the heap.
    fn at_most(file: &File, want: u64, need: u64) -> io::Result<Self> {
        let mut want = want.max(need);
        let mut is_short = false;
        loop {
            let refusal = match usize::try_from(want)
                .ok()
                .filter(|&len| isize::try_from(len).is_ok())
            {
                Some(len) => match MmapOptions::new().len(len).map_raw_read_only(file) {
                    Ok(_) if is_short && want / 4 >= need => {
                        is_short = false;
                        want /= 4;
                        continue;
                    }
                    Ok(raw) => return Ok(Self(raw)),
                    Err(error) => error,
                },
                None => io::ErrorKind::OutOfMemory.into(),
            };
            if want <= need {
                return Err(refusal);
            }
            is_short = true;
            want = (want / 2).max(need);
        }
    }

    fn len(&self) -> u64 {
        // A length in memory fits 64 bits on every platform; the bound errs on the side of mapping again.
        u64::try_from(self.0.len()).unwrap_or(0)
    }
}

/// Bytes of a file where they are mapped. They stay in place, unchanged, for as long as any clone lives.
#[derive(Clone)]
pub struct View {
    /// Keeps the bytes mapped; `None` only for the empty view of a file that never was.
    mapping: Option<Arc<Mapping>>,
    start: NonNull<u8>,
    len: usize,
}

impl View {
    /// Bytes that are not settled yet, as they are now, where no later write reaches them.
    pub(super) fn copied(file: &File, range: &Range<u64>) -> io::Result<Self> {
        let out_of_memory = |_| io::Error::from(io::ErrorKind::OutOfMemory);
        let len = usize::try_from(range.end.saturating_sub(range.start)).map_err(out_of_memory)?;
        if len == 0 {
            return Ok(Self {
                mapping: None,
                start: dangling(),
                len,
            });
        }
        // Pages of our own, so that the address can be as far from a multiple of 64 as the offset is.
        let pad = usize::try_from(range.start % 64).map_err(out_of_memory)?;
        let mut pages = MmapOptions::new().len(len.saturating_add(pad)).map_anon()?;
        let target = pages.get_mut(pad..).ok_or(io::ErrorKind::OutOfMemory)?;
        platform::read_at(file, range.start, target)?;
        let mapping = Mapping(MmapRaw::from(pages));
        let start = NonNull::new(mapping.0.as_mut_ptr().wrapping_add(pad))
            .ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            mapping: Some(Arc::new(mapping)),
            start,
            len,
        })
    }
}

// SAFETY: a view is a shared slice and the `Arc` that keeps it mapped. The bytes are only ever read through it, and the mapping
// may be dropped on any thread.
unsafe impl Send for View {}
// SAFETY: as above; `&View` gives out nothing but `&[u8]`.
unsafe impl Sync for View {}

impl AsRef<[u8]> for View {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        debug_assert!(self.mapping.is_some() || self.len == 0);
        // SAFETY: the two places that make a `View` with a mapping saw to it that `start .. start + len` lies in the mapping,
        // which `self.mapping` keeps, and is not stored to any more: `Reads::view` because it lies below `written`,
        // `View::copied` because the pages are its own and were filled before. Without a mapping `len` is 0 and `start` is
        // aligned and not null, which is all an empty slice needs.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

/// An address for no bytes, aligned as a payload is.
const fn dangling() -> NonNull<u8> {
    NonNull::<Hot>::dangling().cast()
}
