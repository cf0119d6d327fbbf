//! Every kernel against the scalar one; a kernel that this CPU lacks is skipped.

use super::*;

/// Bytes around a destination, which must stay as they were.
const CANARY: u8 = 0xc5;
const MARGIN: usize = 64;

fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from((at * 131 + (at >> 8) * 7) % 251).unwrap())
        .collect()
}

/// Copies `length` bytes between the given distances from a multiple of 64, by `kernel` and by the oracle.
fn check(
    name: &str,
    kernel: &dyn Fn(*mut u8, &[u8]),
    bytes: &[u8],
    length: usize,
    from: usize,
    to: usize,
) {
    let start = bytes.as_ptr().align_offset(64) + from;
    let source = &bytes[start..start + length];
    let mut space = vec![CANARY; length + 64 + 64 + 2 * MARGIN];
    let at = space[MARGIN..].as_ptr().align_offset(64) + MARGIN + to;
    let mut expected = space.clone();
    // SAFETY: `at + length` is within `expected`, which nobody else sees.
    unsafe {
        Scalar::new()
            .unwrap()
            .copy(expected[at..at + length].as_mut_ptr(), source);
    };
    assert_eq!(&expected[at..at + length], source);
    kernel(space[at..at + length].as_mut_ptr(), source);
    assert!(
        space == expected,
        "{name}: {length} bytes from 64n+{from} to 64n+{to}"
    );
}

fn check_all(name: &str, kernel: &dyn Fn(*mut u8, &[u8])) {
    let bytes = pattern(if cfg!(miri) {
        512
    } else {
        STREAM_THRESHOLD + 512
    });
    // Miri takes minutes for what takes a second otherwise.
    let (lengths, step) = if cfg!(miri) { (70, 21) } else { (300, 1) };
    for from in (0..64).step_by(step) {
        for to in (0..64).step_by(step) {
            for length in (0..=lengths).step_by(step.min(3)) {
                check(name, kernel, &bytes, length, from, to);
            }
        }
    }
    if cfg!(miri) {
        return;
    }
    for length in [
        1 << 10,
        4095,
        4096,
        4097,
        65_537,
        (128 << 10) - 1,
        128 << 10,
        STREAM_THRESHOLD - 1,
        STREAM_THRESHOLD + 77,
    ] {
        for (from, to) in [(0, 0), (1, 0), (63, 0), (16, 5), (7, 63)] {
            check(name, kernel, &bytes, length, from, to);
        }
    }
}

#[test]
fn scalar_copies_what_is_asked_and_no_more() {
    check_all("scalar", &|to, source| {
        // SAFETY: `check` passes destinations of the length of the source, in memory of its own.
        unsafe { Scalar::new().unwrap().copy(to, source) };
    });
}

#[cfg(target_arch = "x86_64")]
#[test]
fn avx512_is_the_scalar_copy() {
    let Some(kernel) = Avx512::new() else {
        eprintln!("skipped: this CPU has no AVX-512");
        return;
    };
    check_all("avx512", &|to, source| {
        // SAFETY: `check` passes destinations of the length of the source, in memory of its own.
        unsafe { kernel.copy(to, source) };
    });
}

#[cfg(target_arch = "x86_64")]
#[test]
fn sse2_stream_is_the_scalar_copy() {
    let Some(kernel) = Sse2Stream::new() else {
        eprintln!("skipped: streaming stores are unknown here");
        return;
    };
    check_all("sse2 stream", &|to, source| {
        // SAFETY: `check` passes destinations of the length of the source, in memory of its own.
        unsafe { kernel.copy(to, source) };
    });
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[test]
fn simd128_is_the_scalar_copy() {
    let kernel = Simd128::new().unwrap();
    check_all("simd128", &|to, source| {
        // SAFETY: `check` passes destinations of the length of the source, in memory of its own.
        unsafe { kernel.copy(to, source) };
    });
}

#[test]
fn what_is_picked_is_the_scalar_copy() {
    check_all("copy_to", &|to, source| {
        // SAFETY: `check` passes destinations of the length of the source, in memory of its own.
        unsafe { copy_to(to, source) };
    });
}

#[test]
fn a_copy_of_slices_stops_at_the_shorter_one() {
    let source = pattern(2000);
    for (into, from) in [(0, 5), (5, 0), (5, 9), (9, 5), (1024, 2000), (2000, 1024)] {
        let mut destination = vec![CANARY; into];
        let length = copy(&mut destination, &source[..from]);
        assert_eq!(length, into.min(from));
        assert_eq!(destination[..length], source[..length]);
        assert!(destination[length..].iter().all(|byte| *byte == CANARY));
    }
}
