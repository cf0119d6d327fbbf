//! Makes a long message short without changing its checksum, by sums alone.
//!
//! A checksum is the remainder of the message, as a polynomial, by the one of the checksum, P. Anything that P divides may be added to
//! the message. So the words of 16 bytes are taken away one after the other from the front, each by adding a multiple of
//!
//! ```text
//! y^300 + y^155 + y^117 + y^89 + 1,  where y is x^8 or x^32
//! ```
//!
//! which P divides, and which has so few terms that it takes four sums a word; 300 or 1,200 bytes remain. That sums of few words do is
//! from S. Russell, "Chorba: A novel CRC32 implementation" (arXiv 2412.16398); this multiple was found by trying all of five
//! terms up to that degree. It holds for each y that is x to a power of two, as squaring a polynomial over two elements squares its
//! terms: the wider y is, the fewer loads meet what was stored just before, and the more remains.

use super::tables::look_up;
use std::mem::MaybeUninit;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use std::arch::wasm32::{v128 as Word, v128_xor as sum};

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
type Word = u128;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn sum(a: Word, b: Word) -> Word {
    a ^ b
}

/// How far behind a word those bytes lie that it is added to, in units of y, the nearest first.
const TAPS: [usize; 4] = [145, 183, 211, 300];
const WORD: usize = size_of::<Word>();
/// Shorter messages are not worth it.
const LEAST: usize = 512;
/// From here on y is four bytes.
const LEAST_OF_WIDE: usize = 4 << 10;
const SPACE: usize = 8 << 10;

/// Words that were taken away, what remains behind them.
#[repr(align(16))]
struct Space(MaybeUninit<[u8; SPACE]>);

/// What `register` becomes by `bytes`.
pub(super) fn run(register: u32, bytes: &[u8]) -> u32 {
    if bytes.len() < LEAST {
        return look_up(register, bytes);
    }
    if bytes.len() < LEAST_OF_WIDE {
        shorten::<1>(register, bytes)
    } else {
        shorten::<4>(register, bytes)
    }
}

/// The same for a message that is long enough, where y is `UNIT` bytes. By itself, so that short messages need no space.
#[inline(never)]
fn shorten<const UNIT: usize>(register: u32, bytes: &[u8]) -> u32 {
    let [nearest, .., farthest] = TAPS;
    let reach = (UNIT * farthest).next_multiple_of(WORD);
    // As many bytes do not depend on each other.
    let stride = UNIT * nearest / WORD * WORD;
    let front = bytes.len().saturating_sub(reach) / WORD * WORD;
    let Some((mut front, last)) = bytes.split_at_checked(front) else {
        return register;
    };
    let mut space = Space(MaybeUninit::uninit());
    let words: *mut u8 = space.0.as_mut_ptr().cast();
    let mut carried = register;
    let mut at = reach;
    // SAFETY: `at` is at least `reach`, a multiple of `WORD`, as are `stride` and the length of `front`; and what lies before it,
    // back to `reach`, was written: as zeros, as sums, or by the copy. A step writes up to `at + stride` and what follows the last
    // one up to `at + 2 * reach`, which the first condition of the loop keeps within the space: `3 * reach + stride` are. `last` has
    // `reach` bytes and those that make no whole word.
    let residual = unsafe {
        words.write_bytes(0, reach);
        while !front.is_empty() {
            if at + stride + 2 * reach > SPACE {
                words.copy_from(words.add(at - reach), reach);
                at = reach;
            }
            let (step, left) = front.split_at_unchecked(front.len().min(stride));
            add::<UNIT>(words.add(at), words.add(at), step);
            // The register is added to the first bytes.
            let first = words.add(at);
            let carried = std::mem::take(&mut carried).to_le();
            let sum = first.cast::<u32>().read_unaligned() ^ carried;
            first.cast::<u32>().write_unaligned(sum);
            at += step.len();
            front = left;
        }
        let behind = words.add(at);
        behind.write_bytes(0, reach);
        let residual = behind.add(reach);
        let (last, _) = last.split_at_unchecked(reach);
        add::<UNIT>(residual, behind, last);
        std::slice::from_raw_parts(residual, reach)
    };
    look_up(run(0, residual), last.get(reach..).unwrap_or_default())
}

/// Writes to `sums` the words of `message`, each with those added to it that lie before `behind` by the taps.
///
/// # Safety
///
/// `message` must be whole words, `sums` valid for writes of as many bytes, and what they are made of readable: from the farthest tap
/// before `behind` on as many bytes. Where `sums` is `behind`, `message` must not reach farther than the nearest tap.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as below")]
unsafe fn add<const UNIT: usize>(sums: *mut u8, behind: *const u8, message: &[u8]) {
    let [a, b, c, d] = TAPS;
    // SAFETY: passed on to the caller; `at` stays below the length of the message by what is read there.
    unsafe {
        let from = [
            message.as_ptr(),
            behind.sub(a * UNIT),
            behind.sub(b * UNIT),
            behind.sub(c * UNIT),
            behind.sub(d * UNIT),
        ];
        let mut at = 0;
        while at + 2 * WORD <= message.len() {
            let (first, second) = (all(from, at, 0), all(from, at, WORD));
            put(sums, at, 0, first);
            put(sums, at, WORD, second);
            at += 2 * WORD;
        }
        if at < message.len() {
            put(sums, at, 0, all(from, at, 0));
        }
    }
}

/// The sum of the words that lie `at` and a constant `more` behind each of these.
///
/// # Safety
///
/// They must be readable.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "where code is made small, every word would take a call"
)]
unsafe fn all([message, a, b, c, d]: [*const u8; 5], at: usize, more: usize) -> Word {
    // SAFETY: passed on to the caller.
    unsafe {
        let word = |from: *const u8| from.add(at).add(more).cast::<Word>().read_unaligned();
        sum(
            sum(sum(word(message), word(a)), sum(word(b), word(c))),
            word(d),
        )
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
unsafe fn put(sums: *mut u8, at: usize, more: usize, word: Word) {
    // SAFETY: passed on to the caller.
    unsafe { sums.add(at).add(more).cast::<Word>().write_unaligned(word) }
}
