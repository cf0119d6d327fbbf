//! Asking for a cache line before it is needed.

/// Brings the line nearer in which `value` begins. A hint: it changes nothing but time.
#[inline]
pub(crate) fn prefetch<T>(value: &T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: SSE, which every x86-64 has, is all the instruction needs; it neither faults nor reads anything for
    // the program, whatever the address, and this one is a live reference's.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = value;
}
