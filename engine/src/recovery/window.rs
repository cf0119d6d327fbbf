//! Reading backwards through a [`Backing`]: windows that grow while requests stay near each other.
//!
//! Invariant: a request costs at most one read of the medium, of at most [`MAX_SPAN`] bytes or the request's own length
//! and [`MIN_SPAN`]. Small neighbouring entries therefore cost one read per MiB, large ones one small read each.

use crate::backing::Backing;
use crate::{Error, Result};
use std::io;
use std::ops::Range;

/// What is read around a request that is far from the one before it.
pub(super) const MIN_SPAN: u64 = 4 << 10;
/// The most that is read ahead of (that is, below) a request.
pub(super) const MAX_SPAN: u64 = 1 << 20;

const DOING: &str = "read the store";

/// The bytes last read, and how far to read next.
pub(super) struct Window<'b, B: Backing> {
    backing: &'b B,
    view: Option<B::View>,
    range: Range<u64>,
    span: u64,
}

impl<'b, B: Backing> Window<'b, B> {
    pub(super) const fn new(backing: &'b B) -> Self {
        Self {
            backing,
            view: None,
            range: 0..0,
            span: MIN_SPAN,
        }
    }

    pub(super) const fn backing(&self) -> &'b B {
        self.backing
    }

    /// The bytes of `range`, which is short (a few KiB) and not empty.
    #[inline]
    pub(super) fn bytes(&mut self, range: Range<u64>) -> Result<&[u8]> {
        if range.start < self.range.start || range.end > self.range.end {
            self.load(&range)?;
        }
        self.view
            .as_ref()
            .and_then(|view| slice(view.as_ref(), self.range.start, &range))
            .ok_or_else(|| short_read(DOING))
    }

    #[cold]
    fn load(&mut self, range: &Range<u64>) -> Result<()> {
        let near = self.view.is_some() && self.range.start.saturating_sub(range.start) <= self.span;
        self.span = if near {
            (self.span * 2).min(MAX_SPAN)
        } else {
            MIN_SPAN
        };
        let length = self.span.max(
            range
                .end
                .saturating_sub(range.start)
                .saturating_add(MIN_SPAN),
        );
        let start = range.end.saturating_sub(length);
        self.view = None;
        self.view = Some(
            self.backing
                .view(start..range.end)
                .map_err(Error::io(DOING))?,
        );
        self.range = start..range.end;
        Ok(())
    }
}

/// Calls `each` with the bytes of `range`, piece by piece, in ascending order.
pub(super) fn for_each_piece<B: Backing>(
    backing: &B,
    range: Range<u64>,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut at = range.start;
    while at < range.end {
        let end = range.end.min(at.saturating_add(MAX_SPAN));
        let view = backing.view(at..end).map_err(Error::io(DOING))?;
        let bytes = slice(view.as_ref(), at, &(at..end)).ok_or_else(|| short_read(DOING))?;
        each(bytes)?;
        at = end;
    }
    Ok(())
}

/// The bytes of `range` out of `bytes`, which start at `base`.
pub(super) fn slice<'a>(bytes: &'a [u8], base: u64, range: &Range<u64>) -> Option<&'a [u8]> {
    let start = usize::try_from(range.start.checked_sub(base)?).ok()?;
    let end = usize::try_from(range.end.checked_sub(base)?).ok()?;
    bytes.get(start..end)
}

/// A medium that returned fewer bytes than the contract says.
pub(super) fn short_read(doing: &'static str) -> Error {
    Error::Io {
        doing,
        source: io::Error::from(io::ErrorKind::UnexpectedEof),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::sample::Bytes;

    #[test]
    fn neighbours_share_reads_and_strangers_read_little() {
        let backing = Bytes::new(vec![7; 8 << 20]);
        let mut window = Window::new(&backing);
        let mut at = 8 << 20;
        while at > 200 {
            assert_eq!(window.bytes(at - 100..at).unwrap(), [7; 100]);
            at -= 184;
        }
        let reads = backing.reads();
        assert!((8..=24).contains(&reads), "{reads} reads for 8 MiB");

        let mut window = Window::new(&backing);
        for at in (1..8).rev() {
            window.bytes((at << 20) - 21..at << 20).unwrap();
            assert!(window.range.end - window.range.start <= MIN_SPAN + 21);
        }
        assert_eq!(backing.reads() - reads, 7);
    }

    #[test]
    fn a_request_past_the_end_is_an_error() {
        let backing = Bytes::new(vec![1; 100]);
        assert!(matches!(
            Window::new(&backing).bytes(90..101),
            Err(Error::Io { .. })
        ));
    }
}
