//! The unit that segments are made of: a few dozen lines.

use super::line::{LINE_PLACES, LINE_SIZE, Line};

/// Lines in a chunk; fewer for Miri and loom, which then see segments split with the few keys they have time for.
pub(super) const CHUNK_LINES: u32 = if cfg!(loom) {
    2
} else if cfg!(miri) {
    4
} else {
    32
};
/// Entries in a chunk.
pub(super) const CHUNK_PLACES: u32 = CHUNK_LINES * LINE_PLACES;
/// Bytes of a chunk.
pub const CHUNK_SIZE: usize = LINE_SIZE * CHUNK_LINES as usize;

/// The unit of growth, and nothing but its lines.
#[derive(Debug, Default)]
#[repr(transparent)]
pub(super) struct Chunk {
    lines: [Line; CHUNK_LINES as usize],
}

impl Chunk {
    /// The line `nth` of this chunk, counted round.
    #[inline]
    pub(super) fn line(&self, nth: u32) -> &Line {
        const { assert!(CHUNK_LINES.is_power_of_two()) };
        #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
        &self.lines[(nth % CHUNK_LINES) as usize]
    }

    /// Shows every entry of this chunk, as its tag and word, in the order of its lines.
    #[inline]
    pub(super) fn for_each(&self, mut visit: impl FnMut(u32, u64)) {
        for line in &self.lines {
            line.for_each(&mut visit);
        }
    }

    /// Makes a recycled chunk as good as new.
    pub(super) fn clear(&self) {
        self.lines.iter().for_each(Line::clear);
    }

    /// The bytes of a chunk that nobody stores to meanwhile, as in a snapshot.
    pub(super) fn to_bytes(&self) -> [u8; CHUNK_SIZE] {
        let mut bytes = [0; CHUNK_SIZE];
        let (lines, _) = bytes.as_chunks_mut::<LINE_SIZE>();
        for (bytes, line) in lines.iter_mut().zip(&self.lines) {
            *bytes = line.to_bytes();
        }
        bytes
    }

    /// The chunk of these bytes.
    pub(super) fn from_bytes(bytes: &[u8; CHUNK_SIZE]) -> Self {
        let chunk = Self::default();
        let (lines, _) = bytes.as_chunks::<LINE_SIZE>();
        for (bytes, line) in lines.iter().zip(&chunk.lines) {
            line.set_bytes(bytes);
        }
        chunk
    }

    /// Entries in it.
    pub(super) fn entries(&self) -> u32 {
        let entries = |line: &Line| LINE_PLACES - line.vacancies().count_ones();
        self.lines.iter().map(entries).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::extent::Extent;
    use super::*;

    #[test]
    fn a_chunk_is_its_bytes() {
        assert_eq!(size_of::<Chunk>(), CHUNK_SIZE);
        let chunk = Chunk::default();
        for nth in (0..CHUNK_PLACES).filter(|nth| nth % 5 != 0) {
            let tag = nth.wrapping_mul(0x9e37_79b9);
            let extent = Extent::new(u64::from(nth + 1) * 64 + 1, 1);
            let line = chunk.line(nth / LINE_PLACES);
            line.store(nth % LINE_PLACES, tag, extent);
            line.pass(tag);
        }
        let bytes = chunk.to_bytes();
        let other = Chunk::from_bytes(&bytes);
        assert_eq!(other.to_bytes(), bytes);
        assert_eq!(other.entries(), CHUNK_PLACES - CHUNK_PLACES.div_ceil(5));
        assert_eq!(bytes[LINE_SIZE..LINE_SIZE * 2], chunk.line(1).to_bytes());
    }
}
