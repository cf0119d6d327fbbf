//! The chain of entries, newest first, as an iterator.
//!
//! Invariant: every step ends before the one above it, so that a walk ends on any content, and every entry handed out
//! is well-formed. Checksums are not looked at: [`recover`](super::recover) does that once, when a store is opened.

use super::window::Window;
use crate::backing::Backing;
use crate::format::{ENTRY_TRAILER, Entry, MIN_ENTRY_SIZE};
use crate::{Error, Result};

/// Walks the entries of a store from a tail back to the first one.
///
/// A step that is not well-formed is [`Error::Corrupt`], and the walk ends there. Neighbouring small entries are read
/// together (up to 1 MiB at a time), large ones by 4 KiB each.
pub struct Chain<'b, B: Backing> {
    window: Window<'b, B>,
    at: u64,
}

impl<'b, B: Backing> Chain<'b, B> {
    /// A walk that starts with the entry that ends at `tail`.
    #[must_use]
    pub const fn new(backing: &'b B, tail: u64) -> Self {
        Self {
            window: Window::new(backing),
            at: tail,
        }
    }

    /// The window that the walk reads through, for those who look at payloads on the way.
    pub(super) const fn window(&mut self) -> &mut Window<'b, B> {
        &mut self.window
    }
}

impl<B: Backing> Iterator for Chain<'_, B> {
    type Item = Result<Entry>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at == 0 {
            return None;
        }
        let end = std::mem::take(&mut self.at);
        match entry_at(&mut self.window, end) {
            Ok(Some(entry)) => {
                self.at = entry.metadata.prev_offset;
                Some(Ok(entry))
            }
            Ok(None) => Some(Err(Error::Corrupt {
                offset: end,
                what: "no entry ends where one should",
            })),
            Err(error) => Some(Err(error)),
        }
    }
}

/// The entry that ends at `end`, if it is well-formed.
#[inline]
pub(super) fn entry_at<B: Backing>(window: &mut Window<'_, B>, end: u64) -> Result<Option<Entry>> {
    Ok(trailer_at(window, end)?.and_then(|trailer| Entry::parse(end, &trailer)))
}

/// The last byte of the payload and the metadata of what ends at `end`; `None` where there is no room for them.
#[inline]
pub(super) fn trailer_at<B: Backing>(
    window: &mut Window<'_, B>,
    end: u64,
) -> Result<Option<[u8; ENTRY_TRAILER]>> {
    if end < MIN_ENTRY_SIZE {
        return Ok(None);
    }
    Ok(window.bytes(end - MIN_ENTRY_SIZE..end)?.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::sample::{Bytes, Sample};

    #[test]
    fn visits_every_entry_newest_first() {
        let mut sample = Sample::new();
        for i in 1..100_u64 {
            sample.put(i, &vec![1; usize::try_from(i * i % 700 + 1).unwrap()]);
            sample.delete(i / 2);
        }
        let backing = Bytes::new(sample.bytes.clone());
        let ends: Vec<u64> = Chain::new(&backing, sample.tail())
            .map(|entry| entry.unwrap().end())
            .collect();
        let expected: Vec<u64> = sample.ends.iter().rev().copied().collect();
        assert_eq!(ends, expected);
    }

    #[test]
    fn a_broken_step_is_an_error_and_the_end() {
        let mut sample = Sample::new();
        sample.put(1, &[0xff; 40]);
        let backing = Bytes::new(sample.bytes);
        let mut chain = Chain::new(&backing, 50);
        assert!(matches!(
            chain.next(),
            Some(Err(Error::Corrupt { offset: 50, .. }))
        ));
        assert!(chain.next().is_none());
        assert!(matches!(
            Chain::new(&backing, 5).next(),
            Some(Err(Error::Corrupt { offset: 5, .. }))
        ));
        assert!(Chain::new(&backing, 0).next().is_none());
    }
}
