//! Copies of less than half a KiB in 16-byte registers of wasm.
//!
//! `memory.copy` is a call out of compiled code, which takes longer than such a copy does.

use std::arch::wasm32::{v128_load, v128_store};

/// Bytes in one register.
const LANE: usize = 16;

/// A build with `simd128` proves that the machine has it: a module that uses it would not load elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Simd128(());

impl Simd128 {
    /// Copies of this many bytes or more are left to `memory.copy`.
    pub const BELOW: usize = 512;

    /// Always, where this file is compiled.
    #[must_use]
    pub const fn is_available() -> bool {
        true
    }

    /// The kernel.
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
    pub unsafe fn copy(self, mut destination: *mut u8, source: &[u8]) {
        let mut from = source.as_ptr();
        let mut left = source.len();
        // SAFETY: `left` bytes are readable at `from` and writable at `destination` throughout: the loops move what they
        // take off it, and both pointers by as much.
        unsafe {
            while left >= 4 * LANE {
                let a = v128_load(from.cast());
                let b = v128_load(from.add(LANE).cast());
                let c = v128_load(from.add(2 * LANE).cast());
                let d = v128_load(from.add(3 * LANE).cast());
                v128_store(destination.cast(), a);
                v128_store(destination.add(LANE).cast(), b);
                v128_store(destination.add(2 * LANE).cast(), c);
                v128_store(destination.add(3 * LANE).cast(), d);
                from = from.add(4 * LANE);
                destination = destination.add(4 * LANE);
                left -= 4 * LANE;
            }
            while left >= LANE {
                v128_store(destination.cast(), v128_load(from.cast()));
                from = from.add(LANE);
                destination = destination.add(LANE);
                left -= LANE;
            }
            while left > 0 {
                // A volatile store, or the compiler makes the `memory.copy` of this loop that it is there to avoid.
                destination.write_volatile(from.read());
                from = from.add(1);
                destination = destination.add(1);
                left -= 1;
            }
        }
    }
}
