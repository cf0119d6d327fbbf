//! Which memory holds which offsets: runs of consecutive bytes, found without a lock beside one writer.
//!
//! Pieces form a stack ordered by their first offset. Writing again below the end starts a piece there, and every older
//! byte from that offset on is out of the stack; its memory stays as it was for those who still look at it.

use super::arena::Chunk;
use super::list::List;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Consecutive bytes of the backing that lie consecutively in one chunk.
#[derive(Debug)]
pub(super) struct Piece {
    start: u64,
    end: AtomicU64,
    chunk: Arc<Chunk>,
    index: usize,
    depth: u32,
    /// The number of the piece below in the stack; 0 at the bottom.
    below: u32,
    /// A piece further down, chosen so that any is reached in a logarithmic number of steps; itself at the bottom.
    jump: u32,
}

impl Piece {
    /// The offset behind its last byte.
    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    pub(super) const fn chunk(&self) -> &Arc<Chunk> {
        &self.chunk
    }

    /// Where in the chunk the byte at `offset` lies or would lie.
    pub(super) fn index_of(&self, offset: u64) -> Option<usize> {
        let distance = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.index.checked_add(distance)
    }

    /// Makes what was appended to its chunk part of it.
    pub(super) fn extend_to(&self, end: u64) {
        self.end.store(end, Ordering::Release);
    }
}

/// The stack.
#[derive(Debug)]
pub(super) struct Pieces {
    list: List<Piece>,
}

impl Pieces {
    pub(super) const fn new() -> Self {
        Self { list: List::new() }
    }

    /// The piece pushed last.
    pub(super) fn top(&self) -> Option<&Piece> {
        self.list.get(self.list.count())
    }

    /// The only piece that may hold the byte at `offset`.
    pub(super) fn find(&self, offset: u64) -> Option<&Piece> {
        self.number_at(offset)
            .and_then(|number| self.list.get(number))
    }

    /// Puts the bytes of `chunk` from `index` on at `start..end`, in place of everything from `start` on.
    pub(super) fn push(
        &self,
        start: u64,
        end: u64,
        chunk: Arc<Chunk>,
        index: usize,
    ) -> io::Result<()> {
        let number = self.list.count() + 1;
        let below = start
            .checked_sub(1)
            .and_then(|before| self.number_at(before));
        let (below, depth, jump) =
            match below.and_then(|below| Some((below, self.list.get(below)?))) {
                Some((number, piece)) => (number, piece.depth + 1, self.jump_above(number, piece)),
                None => (0, 0, number),
            };
        let piece = Piece {
            start,
            end: AtomicU64::new(end),
            chunk,
            index,
            depth,
            below,
            jump,
        };
        if self.list.push(piece).is_err() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        if let Some(below) = self.list.get(below) {
            below.end.fetch_min(start, Ordering::AcqRel);
        }
        Ok(())
    }

    fn number_at(&self, offset: u64) -> Option<u32> {
        let mut number = self.list.count();
        loop {
            let piece = self.list.get(number)?;
            if piece.start <= offset {
                return Some(number);
            }
            number = match self.list.get(piece.jump) {
                Some(jump) if jump.start > offset && jump.depth < piece.depth => piece.jump,
                _ => piece.below,
            };
        }
    }

    /// Where the piece right above `piece` jumps to: spans double where two equal ones meet, as in Myers' skew-binary
    /// lists ("An applicative random-access stack", 1983).
    fn jump_above(&self, number: u32, piece: &Piece) -> u32 {
        let spans = self.list.get(piece.jump).and_then(|jump| {
            let further = self.list.get(jump.jump)?;
            (piece.depth - jump.depth == jump.depth - further.depth).then_some(jump.jump)
        });
        spans.unwrap_or(number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::Appender;
    use super::*;

    fn push(pieces: &Pieces, start: u64, end: u64) {
        let chunk = Arc::clone(Appender::new(64).unwrap().chunk());
        pieces.push(start, end, chunk, 0).unwrap();
    }

    fn found(pieces: &Pieces, offset: u64) -> (u64, u64) {
        let piece = pieces.find(offset).unwrap();
        (piece.start, piece.end())
    }

    #[test]
    fn a_piece_replaces_everything_from_its_start_on() {
        let pieces = Pieces::new();
        assert!(pieces.find(0).is_none() && pieces.top().is_none());
        push(&pieces, 0, 100);
        push(&pieces, 100, 200);
        push(&pieces, 200, 300);
        push(&pieces, 150, 160);
        assert_eq!(found(&pieces, 99), (0, 100));
        assert_eq!(found(&pieces, 149), (100, 150));
        assert_eq!(found(&pieces, 150), (150, 160));
        assert_eq!(found(&pieces, 250), (150, 160));
        push(&pieces, 0, 7);
        assert_eq!(found(&pieces, u64::MAX), (0, 7));
    }

    #[test]
    fn every_piece_of_a_tall_stack_is_found_in_few_steps() {
        let pieces = Pieces::new();
        let count = if cfg!(miri) { 20 } else { 5_000 };
        for n in 0..count {
            push(&pieces, n * 10, n * 10 + 10);
        }
        for offset in 0..count * 10 {
            assert_eq!(
                found(&pieces, offset),
                (offset / 10 * 10, offset / 10 * 10 + 10)
            );
        }
        for offset in [0, 9, count * 5, count * 10 - 1] {
            let (mut number, mut steps) = (pieces.list.count(), 0);
            while let Some(piece) = pieces.list.get(number).filter(|piece| piece.start > offset) {
                let jump = pieces.list.get(piece.jump).unwrap();
                number = if jump.start > offset {
                    piece.jump
                } else {
                    piece.below
                };
                steps += 1;
            }
            assert!(steps <= 40, "{steps} steps to {offset}");
        }
    }
}
