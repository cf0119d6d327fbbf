//! Key hash → extent of the newest entry, in memory, below 16 bytes a key.
//!
//! One writer at a time (by type: [`IndexWriter`] takes `&mut self`) and any number of readers that take no lock, write no
//! shared memory and are never held up by growth. From the bottom up:
//!
//! * `tag`: the 27 bits of a hash that an index keeps. They alone decide where an entry lies, so growing needs neither the file
//!   nor the full hashes.
//! * `line`, `chunk`: six entries and counts of those that went past in one cache line; 32 lines.
//! * `segment`, `segments`: up to 14 chunks that hold a range of tags, and the rows that lead to them. What a segment is made of never
//!   changes while readers can find it; growing it makes another.
//! * `directory`: the segment of each tag, and how a reader learns that it was replaced.
//! * `dormant`, `snapshot`: segments that came from a file and are looked at when they are first asked for.
//! * `arena`: where chunks and the like live: recycled, and never freed while the index lives.
//! * `read`, `write`, `grow`: the three things done with them; `bulk`, `settle`: all at once.

mod arena;
mod bulk;
mod chunk;
mod directory;
mod dormant;
mod extent;
mod grow;
#[cfg(all(test, loom))]
mod interleavings;
mod line;
mod read;
mod segment;
mod segments;
mod settle;
mod snapshot;
mod tag;
#[cfg(test)]
mod tests;
mod word;
mod write;

/// Hashes of keys that came by, each with a number. One type of all such maps, so that a program has their code once.
pub(crate) type Hashes = std::collections::HashMap<u64, usize>;

pub use bulk::BulkLoader;
pub(crate) use chunk::CHUNK_SIZE;
pub use extent::{Extent, sort_by_offset};
pub use read::{Glance, Index};
pub use segments::LoadedChunks;
pub use word::Candidate;
pub(crate) use word::LEN_END as LENGTHS_KEPT_BELOW;
pub use write::{Hint, IndexWriter};
