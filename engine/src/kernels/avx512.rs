//! Copies of one to a hundred KiB in 64-byte registers.
//!
//! Here the platform's `memcpy` may go over to `rep movsb`, which several CPUs execute at a twentieth of the speed when
//! the destination is a few bytes ahead of the source within its page. A plain loop has no such places, and starts
//! sooner.

use std::arch::x86_64::{
    _mm512_loadu_si512, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_storeu_si512,
};

/// Bytes in one register.
const LANE: usize = 64;

/// Possession proves that the CPU has AVX-512 F and BW.
#[derive(Debug, Clone, Copy)]
pub struct Avx512(());

impl Avx512 {
    /// The shortest copy it is used for, in bytes.
    pub const FROM: usize = 1 << 10;
    /// Copies of this many bytes or more are left to others.
    pub const BELOW: usize = 128 << 10;

    /// Whether the CPU has what it needs; the answer is kept by the standard library after the first question.
    #[must_use]
    #[inline]
    pub fn is_available() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
    }

    /// The kernel, if the CPU can run it.
    #[must_use]
    #[inline]
    pub fn new() -> Option<Self> {
        Self::is_available().then_some(Self(()))
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
    #[inline]
    pub unsafe fn copy(self, destination: *mut u8, source: &[u8]) {
        // SAFETY: `self` proves the features; the rest is the caller's promise.
        unsafe { copy_avx512(destination, source) }
    }
}

/// # Safety
///
/// That of [`copy_to`](super::copy_to), and the CPU must have the features.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn copy_avx512(mut destination: *mut u8, source: &[u8]) {
    let mut from = source.as_ptr();
    let mut left = source.len();
    // SAFETY: `left` bytes are readable at `from` and writable at `destination` throughout: both loops move what they
    // take off it, and both pointers by as much. The mask of the last step has `left` (fewer than 64) bits, and lanes
    // whose bit is not set are neither read nor written.
    unsafe {
        while left >= 4 * LANE {
            let a = _mm512_loadu_si512(from.cast());
            let b = _mm512_loadu_si512(from.add(LANE).cast());
            let c = _mm512_loadu_si512(from.add(2 * LANE).cast());
            let d = _mm512_loadu_si512(from.add(3 * LANE).cast());
            _mm512_storeu_si512(destination.cast(), a);
            _mm512_storeu_si512(destination.add(LANE).cast(), b);
            _mm512_storeu_si512(destination.add(2 * LANE).cast(), c);
            _mm512_storeu_si512(destination.add(3 * LANE).cast(), d);
            from = from.add(4 * LANE);
            destination = destination.add(4 * LANE);
            left -= 4 * LANE;
        }
        while left >= LANE {
            _mm512_storeu_si512(destination.cast(), _mm512_loadu_si512(from.cast()));
            from = from.add(LANE);
            destination = destination.add(LANE);
            left -= LANE;
        }
        if left > 0 {
            let mask = (1_u64 << left) - 1;
            let rest = _mm512_maskz_loadu_epi8(mask, from.cast());
            _mm512_mask_storeu_epi8(destination.cast(), mask, rest);
        }
    }
}
