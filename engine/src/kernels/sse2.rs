//! Copies of many MiB by stores that go past the caches.
//!
//! SSE2 belongs to every x86-64, so nothing is detected; wider stores are no faster, as memory is the limit.

use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_sfence, _mm_stream_si128};

/// Bytes in one register.
const LANE: usize = size_of::<__m128i>();
/// Bytes in a line of the cache, which streaming stores fill as a whole or slowly.
const LINE: usize = 64;

/// Non-temporal stores of 16 bytes.
#[derive(Debug, Clone, Copy)]
pub struct Sse2Stream(());

impl Sse2Stream {
    /// Always, but under Miri, which does not know these stores.
    #[must_use]
    #[inline]
    pub const fn is_available() -> bool {
        !cfg!(miri)
    }

    /// The kernel, if it can run.
    #[must_use]
    #[inline]
    pub const fn new() -> Option<Self> {
        if Self::is_available() {
            Some(Self(()))
        } else {
            None
        }
    }

    /// The kernel, without a question.
    ///
    /// # Safety
    ///
    /// [`is_available`](Self::is_available) must be true.
    #[must_use]
    pub const unsafe fn new_unchecked() -> Self {
        Self(())
    }

    /// Copies `source` to `destination`.
    ///
    /// # Safety
    ///
    /// That of [`copy_to`](super::copy_to).
    pub unsafe fn copy(self, destination: *mut u8, source: &[u8]) {
        let (head, body) = source.split_at(destination.align_offset(LINE).min(source.len()));
        let lines = body.chunks_exact(LINE);
        let tail = lines.remainder();
        // SAFETY: `head`, the lines and `tail` make up `source` in this order, and `to` moves by the length of each, so
        // the caller's promise covers every store. Behind `head`, `to` is a multiple of 64 (or there are no lines),
        // which makes each of the four stores aligned to its 16 bytes. Loads are of 64 bytes of a line. The fence
        // orders these stores, which are weakly ordered, before whatever publishes the bytes.
        unsafe {
            let mut to = destination;
            to.copy_from_nonoverlapping(head.as_ptr(), head.len());
            to = to.add(head.len());
            for line in lines {
                let from = line.as_ptr();
                let a = _mm_loadu_si128(from.cast());
                let b = _mm_loadu_si128(from.add(LANE).cast());
                let c = _mm_loadu_si128(from.add(2 * LANE).cast());
                let d = _mm_loadu_si128(from.add(3 * LANE).cast());
                _mm_stream_si128(to.cast(), a);
                _mm_stream_si128(to.add(LANE).cast(), b);
                _mm_stream_si128(to.add(2 * LANE).cast(), c);
                _mm_stream_si128(to.add(3 * LANE).cast(), d);
                to = to.add(LINE);
            }
            to.copy_from_nonoverlapping(tail.as_ptr(), tail.len());
            _mm_sfence();
        }
    }
}
