//! Checking and rescuing: of an open store, and of files that opening refuses.

use crate::backing::Backing;
use crate::error::Result;
use crate::recovery::{VerifyReport, verify_up_to};
use crate::store::Store;

impl<B: Backing> Store<B> {
    /// Checks every checksum and every link. `progress` is told how many bytes are done, and of how many.
    ///
    /// Writers and readers go on; what is written meanwhile may or may not be looked at.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport> {
        // Behind the tail there may be preallocated space.
        let generation = self.current.load_full();
        verify_up_to(&generation.backing, generation.tail(), progress)
    }
}

#[cfg(any(unix, windows))]
pub use file::{salvage, verify_file};

#[cfg(any(unix, windows))]
mod file {
    //! The same for files, by path.

    use crate::backing::{Backing, MmapBacking, OpenMode};
    use crate::error::{Error, Result};
    use crate::format::{TOMBSTONE, is_reserved_hash};
    use crate::options::Options;
    use crate::recovery::{SalvageReport, VerifyReport, verify_parallel};
    use crate::store::DataStoreWriter;
    use std::path::Path;

    /// Checks every checksum and every link of the file at `path`, which need not open as a store; on all processors.
    ///
    /// The file is locked against writers meanwhile and is not changed. `progress` is told how many bytes are done, and
    /// of how many.
    pub fn verify_file(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport> {
        verify_parallel(&to_read(path)?, progress)
    }

    /// The file at `path`, made ready for being read from one end to the other and here and there.
    fn to_read(path: &Path) -> Result<MmapBacking> {
        let backing = MmapBacking::open(path, OpenMode::ReadOnly)?;
        if let Some(before_reads) = backing.before_random_reads() {
            before_reads();
        }
        Ok(backing)
    }

    /// Writes every sound entry of the file at `source`, which need not open as a store, into a new store at `target`.
    ///
    /// `target` must not exist. Entries keep their order, so that the newest version of each key is the one that is read.
    /// `progress` is told how many bytes are done, and of how many.
    pub fn salvage(
        source: &Path,
        target: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<SalvageReport> {
        let damaged = to_read(source)?;
        let rescued = Options::new().create_new(true).open(target)?;
        let report = crate::recovery::salvage(
            &damaged,
            &mut |entry| {
                if is_reserved_hash(entry.key_hash) {
                    return Ok(());
                }
                let payload = damaged
                    .view(entry.payload)
                    .map_err(Error::io("read the damaged store"))?;
                let value = if entry.is_tombstone {
                    &TOMBSTONE
                } else {
                    payload.as_ref()
                };
                rescued
                    .batch_write_with_key_hashes(vec![(entry.key_hash, value)], true)
                    .map(drop)
            },
            progress,
        )?;
        rescued.close()?;
        Ok(report)
    }
}
