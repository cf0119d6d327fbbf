//! How pages come into memory when they are touched for the first time: together with those around them, or each by itself.
//!
//! The system reads ahead, by some kilobytes or by megabytes, as a disk is set up. Where a file fits into memory that is what fills it.
//! Where it does not, most of what comes along is thrown out before it is asked for, and pushes out what would be. So of a file
//! longer than half of the memory that this process may have, pages come one by one, and what is known to be read as a whole is asked for as
//! a whole.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use memmap2::MmapRaw;

use super::platform;

/// Files up to this long fit anywhere: what memory there is need not be known.
const ALWAYS_FITS: u64 = 64 << 20;
/// A range this long is asked for as a whole,
const LONG: usize = 32 << 10;
/// ... but no more of it at once.
const MOST_AT_ONCE: usize = 16 << 20;

/// Whether pages come one by one. It stays so: a store seldom becomes short again, and then is another file.
#[derive(Debug, Default)]
pub(super) struct Paging {
    is_single: AtomicBool,
}

impl Paging {
    /// Whether it takes a look at the memory to tell how pages of the file come.
    pub(super) fn may_become_single(&self, file_len: u64) -> bool {
        file_len > ALWAYS_FITS && !self.is_single()
    }

    /// Whether pages of the file come one by one from now on and did not before.
    pub(super) fn becomes_single(&self, file_len: u64) -> bool {
        self.may_become_single(file_len) && self.becomes_single_with(file_len, memory())
    }

    /// The same with so much memory.
    pub(super) fn becomes_single_with(&self, file_len: u64, memory: u64) -> bool {
        file_len > memory / 2 && !self.is_single.swap(true, Ordering::Relaxed)
    }

    /// Whether pages come one by one.
    pub(super) fn is_single(&self) -> bool {
        self.is_single.load(Ordering::Relaxed)
    }

    /// Whether `len` bytes that are about to be read should be asked for together.
    #[inline]
    pub(super) fn is_worth_asking(&self, len: usize) -> bool {
        len >= LONG && self.is_single()
    }
}

/// Has pages of `mapping` come one by one.
pub(super) fn make_single(mapping: &MmapRaw) {
    platform::expect_random_reads(mapping);
}

/// Asks for the beginning of a range that is about to be read.
#[cold]
pub(super) fn ask_for(mapping: &MmapRaw, offset: usize, len: usize) {
    let len = len
        .min(mapping.len().saturating_sub(offset))
        .min(MOST_AT_ONCE);
    platform::will_read(mapping, offset, len);
}

/// The memory that this process may have in bytes, as far as the system tells; as it was when it was first asked.
fn memory() -> u64 {
    static MEMORY: OnceLock<u64> = OnceLock::new();
    *MEMORY.get_or_init(platform::memory)
}
