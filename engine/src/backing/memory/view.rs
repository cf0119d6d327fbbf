//! What a reader holds of a memory backing.

use super::arena::Chunk;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Bytes of a [`MemoryBacking`](super::MemoryBacking), which keeps the memory they lie in.
#[derive(Clone)]
pub struct MemoryView {
    pub(super) chunk: Arc<Chunk>,
    pub(super) index: usize,
    pub(super) len: usize,
}

impl Deref for MemoryView {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // Filled when the view was made, and nothing is ever unfilled.
        self.chunk.get(self.index, self.len).unwrap_or_default()
    }
}

impl AsRef<[u8]> for MemoryView {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for MemoryView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryView")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
