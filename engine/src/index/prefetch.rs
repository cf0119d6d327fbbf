//! Asking for a cache line before it is needed.

use super::line::Line;

/// Brings `line` nearer. A hint: it changes nothing but time.
#[inline]
#[cfg_attr(
    all(target_arch = "x86_64", not(miri)),
    expect(unsafe_code, reason = "the instruction takes a bare address")
)]
pub(super) fn prefetch(line: &Line) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: SSE, which every x86-64 has, is all the instruction needs; it neither faults nor reads anything for
    // the program, whatever the address, and this one is a live reference's.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(line).cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    std::hint::black_box(line.was_passed(0));
}
