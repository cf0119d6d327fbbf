//! Makes a long message short without changing its checksum, by sums alone.
//!
//! A checksum is the remainder of the message, as a polynomial, by the one of the checksum, P. Anything that P divides may be added to
//! the message. So the words of 128 bits are taken away one after the other from the front, each by adding a multiple of
//!
//! ```text
//! y^300 + y^155 + y^117 + y^89 + 1,  where y is x^128
//! ```
//!
//! which P divides, and which has so few terms that it takes four sums a word; the last 300 words remain. That sums of few words do is
//! from S. Russell, "Chorba: A novel CRC32 implementation" (arXiv 2412.16398); this multiple was found by trying all of five
//! terms up to that degree.

/// Words that remain, and how far behind a word the last one lies that it is added to.
const REACH: usize = 300;
/// How far behind a word those lie that it is added to, the nearest first.
const TAPS: [usize; 4] = [145, 183, 211, REACH];
/// As many words do not depend on each other.
const STEP: usize = TAPS[0];
/// Words between two moves of those that are still needed.
const SPAN: usize = 4 * STEP;
/// Shorter messages are not worth it.
const LEAST: usize = 8 << 10;

/// A word, as it lies in the message.
type Word = [u8; 16];

/// If `bytes` are long: words that have from a register of zero the checksum which the front of `bytes` has from `register`, and the
/// rest of `bytes`.
pub(super) fn residual(register: u32, bytes: &[u8]) -> Option<([Word; REACH], &[u8])> {
    if bytes.len() < LEAST {
        return None;
    }
    let (words, rest) = bytes.as_chunks();
    let (front, last) = words.split_last_chunk()?;
    let before = take_away(register, front);
    let mut residual: [Word; REACH] = *last;
    for tap in TAPS {
        for (word, added) in residual.iter_mut().zip(before.get(REACH - tap..)?) {
            *word = (u128::from_le_bytes(*word) ^ added).to_le_bytes();
        }
    }
    Some((residual, rest))
}

/// What the last 300 words of `front` had become when they were taken away.
fn take_away(register: u32, front: &[Word]) -> [u128; REACH] {
    let mut words = [0; REACH + SPAN];
    // The register is added to the first bytes.
    let mut carried = u128::from(register);
    for span in front.chunks(SPAN) {
        let mut at = REACH;
        for step in span.chunks(STEP) {
            let (before, now) = words.split_at_mut(at);
            let [a, b, c, d] = TAPS.map(|tap| before.get(at - tap..).unwrap_or_default());
            for (((((now, word), a), b), c), d) in
                now.iter_mut().zip(step).zip(a).zip(b).zip(c).zip(d)
            {
                *now = u128::from_le_bytes(*word) ^ a ^ b ^ c ^ d;
            }
            if let Some(first) = now.first_mut() {
                *first ^= std::mem::take(&mut carried);
            }
            at += step.len();
        }
        words.copy_within(at - REACH..at, 0);
    }
    let mut last = [0; REACH];
    last.copy_from_slice(words.get(..REACH).unwrap_or_default());
    last
}
