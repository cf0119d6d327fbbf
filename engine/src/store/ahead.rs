//! Asking for what a walk over the entries of a store is about to read, piece by piece.

use crate::backing::Backing;
use std::ops::Range;

/// What is asked for at once, in bytes.
const PIECE: u64 = 1 << 20;

/// What was asked for last.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ahead(Range<u64>);

impl Ahead {
    /// The walk is at `at` and goes to higher offsets.
    #[inline]
    pub(crate) fn upwards(&mut self, backing: &impl Backing, at: u64) {
        if !self.0.contains(&at) {
            self.0 = at..at.saturating_add(PIECE);
            backing.will_read(self.0.clone());
        }
    }

    /// The walk is at `at` and goes to lower offsets.
    #[inline]
    pub(crate) fn downwards(&mut self, backing: &impl Backing, at: u64) {
        if !self.0.contains(&at) {
            self.0 = at.saturating_sub(PIECE)..at.saturating_add(1);
            backing.will_read(self.0.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ahead, PIECE};
    use crate::backing::{Backing, MemoryBacking, MemoryView};
    use std::cell::RefCell;
    use std::io;
    use std::ops::Range;

    /// Notes what it was asked for.
    struct Asked(MemoryBacking, RefCell<Vec<Range<u64>>>);

    impl Backing for Asked {
        type View = MemoryView;

        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }

        fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
            self.0.read(at, buf)
        }

        fn view(&self, range: Range<u64>) -> io::Result<MemoryView> {
            self.0.view(range)
        }

        fn will_read(&self, range: Range<u64>) {
            self.1.borrow_mut().push(range);
        }

        fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
            self.0.write(at, parts)
        }

        fn truncate(&self, len: u64) -> io::Result<()> {
            self.0.truncate(len)
        }

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_byte_of_a_walk_is_asked_for_once_and_before_it_is_read() {
        let end = PIECE * 5 / 2;
        let places = || (0..end).step_by(1000);
        for is_upwards in [true, false] {
            let backing = Asked(MemoryBacking::new(), RefCell::default());
            let mut ahead = Ahead::default();
            let mut walk: Vec<u64> = places().collect();
            if !is_upwards {
                walk.reverse();
            }
            for at in walk {
                if is_upwards {
                    ahead.upwards(&backing, at);
                } else {
                    ahead.downwards(&backing, at);
                }
                let asked = backing.1.borrow();
                assert!(asked.last().is_some_and(|range| range.contains(&at)));
            }
            assert_eq!(backing.1.borrow().len(), 3);
        }
    }
}
