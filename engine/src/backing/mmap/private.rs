//! A private mapping of a part of the file: pages are copied as they are stored to.
#![expect(
    unsafe_code,
    reason = "memory behind a mapping is reached through its address"
)]

use std::fs::File;
use std::ops::Range;

use memmap2::{MmapMut, MmapOptions};

/// Bytes of a file that are the holder's own.
#[derive(Debug)]
pub struct PrivateMapping(MmapMut);

impl PrivateMapping {
    /// The bytes of `range`, which were written; `None` if the system will not map them so, or where its words are not those of the format.
    pub(super) fn of(file: &File, range: &Range<u64>) -> Option<Self> {
        if cfg!(target_endian = "big") {
            return None;
        }
        let len = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        if len == 0 {
            return None;
        }
        let mut options = MmapOptions::new();
        options.offset(range.start).len(len).no_reserve_swap();
        // SAFETY: what was written to a store is never stored to again, so these pages change by their holder's stores alone. Programs
        // that ignore the lock are no different here than with the shared mapping: see `MmapBacking`.
        unsafe { options.map_copy(file) }.ok().map(Self)
    }

    pub(in super::super) fn as_mut_ptr_range(&mut self) -> Range<*mut u8> {
        self.0.as_mut_ptr_range()
    }
}

#[cfg(test)]
mod tests {
    use crate::backing::{Backing, MmapBacking, OpenMode};

    #[test]
    fn what_is_stored_there_stays_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tsl");
        let backing = MmapBacking::open(&path, OpenMode::Create).unwrap();
        backing.write(0, &[&[7; 10_000]]).unwrap();
        assert!(backing.private_pages(64..10_001).is_err());
        let mut pages = backing.private_pages(64..9_000).unwrap().unwrap();
        let range = pages.as_mut_ptr_range();
        assert_eq!(range.end as usize - range.start as usize, 9_000 - 64);
        assert_eq!(range.start as usize % 64, 0);
        // SAFETY: the pages are this test's own.
        let bytes = unsafe { std::slice::from_raw_parts_mut(range.start, 9_000 - 64) };
        assert!(bytes.iter().all(|&byte| byte == 7));
        bytes.fill(9);
        assert_eq!(backing.view(0..10_000).unwrap().as_ref(), &[7; 10_000]);
        assert_eq!(std::fs::read(&path).unwrap()[..10_000], [7; 10_000]);
    }
}
