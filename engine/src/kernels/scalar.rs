//! The copy of the language: the oracle of the others, and what copies wherever none of them is better.

/// `core::ptr::copy_nonoverlapping`, which is the platform's `memcpy`, or `memory.copy` on wasm.
#[derive(Debug, Clone, Copy)]
pub struct Scalar(());

impl Scalar {
    /// Always.
    #[must_use]
    pub const fn is_available() -> bool {
        true
    }

    /// The kernel, always.
    #[must_use]
    pub const fn new() -> Option<Self> {
        Some(Self(()))
    }

    /// The kernel.
    ///
    /// # Safety
    ///
    /// None is asked here; `unsafe` keeps the signature that all kernels share.
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
        // SAFETY: a slice is valid for reads; the caller promises the writes and that nothing overlaps.
        unsafe { destination.copy_from_nonoverlapping(source.as_ptr(), source.len()) }
    }
}
