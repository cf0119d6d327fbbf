//! Heap memory that is filled from its start and never changes once filled, nor moves.
//!
//! All `unsafe` of the memory backing is here. The invariant: bytes below `filled` are initialised and are only ever
//! read; bytes from there on are only ever touched by the chunk's one [`Appender`].
#![expect(
    unsafe_code,
    reason = "one writer fills memory that others already read further down"
)]

use std::alloc::{Layout, alloc, dealloc};
use std::io;
use std::ptr::NonNull;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The alignment of every chunk, which is that of payloads.
pub(super) const ALIGNMENT: usize = 64;

/// One block of heap memory; read here, filled through its [`Appender`].
#[derive(Debug)]
pub(super) struct Chunk {
    base: NonNull<u8>,
    layout: Layout,
    filled: AtomicUsize,
}

// SAFETY: a chunk owns its memory, plain bytes without ties to a thread.
unsafe impl Send for Chunk {}
// SAFETY: through `&Chunk` only bytes below `filled` are reached, and those are never written again. The appender
// stores `filled` with `Release` after it wrote them, and readers load it with `Acquire` before they look.
unsafe impl Sync for Chunk {}

impl Chunk {
    /// The `len` bytes at `index`, if they are filled.
    pub(super) fn get(&self, index: usize, len: usize) -> Option<&[u8]> {
        let end = index.checked_add(len)?;
        if end > self.filled() {
            return None;
        }
        // SAFETY: `index..end` lies below `filled`, hence inside the allocation and initialised, and it is not written
        // while the chunk lives; the borrow of `self` keeps the chunk alive. A layout never exceeds `isize::MAX`.
        Some(unsafe { slice::from_raw_parts(self.base.as_ptr().add(index), len) })
    }

    /// How many bytes are filled.
    pub(super) fn filled(&self) -> usize {
        self.filled.load(Ordering::Acquire)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: `base` was allocated with `layout` in `Appender::new`, and nobody borrows from a chunk being dropped.
        unsafe { dealloc(self.base.as_ptr(), self.layout) }
    }
}

/// The only one who fills a chunk: made together with it, and not to be cloned.
#[derive(Debug)]
pub(super) struct Appender {
    chunk: Arc<Chunk>,
}

impl Appender {
    /// A new chunk of at least `capacity` bytes; [`io::ErrorKind::OutOfMemory`] when there is no such memory.
    pub(super) fn new(capacity: usize) -> io::Result<Self> {
        let layout = Layout::from_size_align(capacity.max(ALIGNMENT), ALIGNMENT)
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        // SAFETY: the layout's size is at least `ALIGNMENT`, so not zero.
        let base = NonNull::new(unsafe { alloc(layout) }).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            chunk: Arc::new(Chunk {
                base,
                layout,
                filled: AtomicUsize::new(0),
            }),
        })
    }

    /// The chunk that this fills.
    pub(super) const fn chunk(&self) -> &Arc<Chunk> {
        &self.chunk
    }

    /// How many bytes still fit.
    pub(super) fn room(&self) -> usize {
        self.chunk.layout.size() - self.chunk.filled()
    }

    /// Fills in the concatenation of `parts`, all at once for those who look; `false`, and nothing done, if they do
    /// not fit.
    pub(super) fn append(&mut self, parts: &[&[u8]]) -> bool {
        let start = self.chunk.filled();
        let mut end = start;
        for part in parts {
            let room = self.chunk.layout.size() - end;
            if part.len() > room {
                return false;
            }
            // SAFETY: `end + part.len()` is at most the size of the allocation. The target lies at or past `filled`,
            // which no slice handed out reaches, and `&mut self` of the only appender excludes other writers; the
            // source is a live slice, so it cannot overlap with memory past `filled`.
            unsafe {
                self.chunk
                    .base
                    .as_ptr()
                    .add(end)
                    .copy_from_nonoverlapping(part.as_ptr(), part.len());
            }
            end += part.len();
        }
        self.chunk.filled.store(end, Ordering::Release);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_filled_is_handed_out() {
        let mut appender = Appender::new(100).unwrap();
        let chunk = Arc::clone(appender.chunk());
        assert_eq!(chunk.get(0, 0), Some(&[][..]));
        assert_eq!(chunk.get(0, 1), None);
        assert!(appender.append(&[b"abc", b"", b"de"]));
        let held = chunk.get(1, 3).unwrap();
        assert!(!appender.append(&[&[0; 50], &[0; 46]]));
        assert!(appender.append(&[&[7; 95]]));
        assert_eq!(held, b"bcd");
        assert_eq!(chunk.get(4, 2), Some(&b"e\x07"[..]));
        assert_eq!(chunk.get(99, 1), Some(&[7][..]));
        assert_eq!(chunk.get(99, 2), None);
        assert_eq!(chunk.get(usize::MAX, 2), None);
        assert_eq!(appender.room(), 0);
        assert_eq!(held.as_ptr().addr() % ALIGNMENT, 1);
    }

    #[test]
    fn memory_that_does_not_exist_is_an_error() {
        for capacity in [usize::MAX, isize::MAX.unsigned_abs()] {
            let refused = Appender::new(capacity).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::OutOfMemory);
        }
    }
}
