//! The bulk copy: the one way in which payloads reach memory that the engine owns; memory in large pages, and other things
//! that the processor knows and the language does not.
//!
//! Every kernel has the same inherent functions (`is_available`, `new`, `new_unchecked`, `copy`), and possession of one
//! proves that the CPU has what it needs. This file alone decides which of them copies what; the thresholds are the
//! bounds of the ground on which each beats `core::ptr::copy_nonoverlapping` (`benches/kernels.rs`). What was tried and
//! is not here lost there: ARCHITECTURE.md has the figures.

#![expect(
    unsafe_code,
    reason = "kernels write through pointers: mappings and arenas are not slices"
)]

#[cfg(target_arch = "x86_64")]
mod avx512;
#[doc(hidden)]
pub mod crc32;
mod lanes;
mod large_pages;
mod prefetch;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub(crate) use lanes::{LANES, Lanes};
pub(crate) use large_pages::{prefer_large_pages, vec_in_large_pages};
pub(crate) use prefetch::prefetch;
pub use scalar::Scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use simd128::Simd128;
#[cfg(target_arch = "x86_64")]
pub use sse2::Sse2Stream;

/// Copies of this many bytes or more go past the caches: they would evict everything else there and not stay themselves.
pub const STREAM_THRESHOLD: usize = 4 << 20;

/// Copies `source` to the front of `destination`, as far as that reaches, and returns how many bytes that were.
pub fn copy(destination: &mut [u8], source: &[u8]) -> usize {
    let length = destination.len().min(source.len());
    if let Some(source) = source.get(..length) {
        // SAFETY: `destination` is exclusively borrowed and at least `length` bytes long, so it is writable for all of
        // `source` and cannot overlap it.
        unsafe { copy_to(destination.as_mut_ptr(), source) };
    }
    length
}

/// Copies `source` to `destination`.
///
/// A release store that follows publishes the bytes, whichever kernel was picked: streaming stores are fenced.
///
/// # Safety
///
/// `destination` must be valid for writes of `source.len()` bytes, and none of these may overlap `source` or be
/// accessed by another thread during the call. It need not be initialised, nor aligned.
#[inline]
pub unsafe fn copy_to(destination: *mut u8, source: &[u8]) {
    // SAFETY: the caller's promise is what every kernel asks for, word for word.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if source.len() >= Avx512::FROM {
            return copy_large(destination, source);
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        if source.len() < Simd128::BELOW {
            return Simd128::new_unchecked().copy(destination, source);
        }
        Scalar::new_unchecked().copy(destination, source);
    }
}

/// Picks among what x86-64 has for a copy that is worth the question.
#[cfg(target_arch = "x86_64")]
unsafe fn copy_large(destination: *mut u8, source: &[u8]) {
    // SAFETY: passed on from the caller.
    unsafe {
        if source.len() >= STREAM_THRESHOLD {
            if let Some(kernel) = Sse2Stream::new() {
                return kernel.copy(destination, source);
            }
        } else if source.len() < Avx512::BELOW
            && let Some(kernel) = Avx512::new()
        {
            return kernel.copy(destination, source);
        }
        Scalar::new_unchecked().copy(destination, source);
    }
}
