//! A store in one file: read through a mapping that is made once, appended to by whichever way is fastest for the size.
//!
//! The invariant all of it rests on: no byte below `Reads::written` is stored to, and none at or past it is handed out.

mod append;
mod beside;
mod mapping;
mod open;
mod paging;
mod platform;
mod private;
mod replace;
mod spool;
mod target;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod window;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use self::append::Appender;
use self::mapping::Reads;
pub use self::mapping::View;
pub use self::open::OpenMode;
pub(super) use self::private::PrivateMapping;
pub(crate) use self::target::{Target, TargetFile};
use super::{Backing, BeforeReads, PrivatePages, Resident, Rewrite, Spool};
use crate::kernels;

/// A file that is read where the system maps it.
///
/// The file is locked for as long as the backing lives: exclusively when it can be written, shared when it is read-only.
/// The lock is advisory. A program that ignores it and shortens the file makes the pages behind the cut unreachable, and
/// touching a view of them faults; one that overwrites bytes changes what views show. No process can defend a shared
/// mapping against that, so keep such programs away from the file.
///
/// Where the file system keeps its promise about preallocated space (ext4, XFS and tmpfs on Linux) the file runs ahead of
/// the store by at most its own size and 64 MiB. [`truncate`](Backing::truncate) to the store's end takes that back.
pub struct MmapBacking {
    /// `None` when the file was opened read-only.
    writer: Option<Mutex<Appender>>,
    reads: Reads,
    file: File,
    paths: Paths,
    /// Where the file lies since it replaced another one.
    moved: OnceLock<Paths>,
    /// The file was made beside another one and is to go unless it comes to replace it.
    temporary: bool,
    /// The directory does not durably name the file yet.
    directory_pending: AtomicBool,
}

/// One file by the name it was asked for and by the one that no link or change of folder bends.
#[derive(Clone)]
struct Paths {
    given: PathBuf,
    real: PathBuf,
}

impl MmapBacking {
    /// The path the file was opened by; the replacement of a file takes over the path of that file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.paths().given
    }

    /// Whether the file was opened without the means to write it.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        self.writer.is_none()
    }

    /// Has all writes go by stores from now on, where there are any, or none: for `benches/appends.rs`.
    #[doc(hidden)]
    pub fn force_stores(&self, is_stored: bool) -> io::Result<()> {
        self.writer()?.force(is_stored);
        Ok(())
    }

    fn paths(&self) -> &Paths {
        self.moved.get().unwrap_or(&self.paths)
    }

    fn writer(&self) -> io::Result<MutexGuard<'_, Appender>> {
        let Some(writer) = &self.writer else {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the file is open read-only",
            ));
        };
        // A panic between lock and unlock leaves only hints about preallocated space behind, each checked before use.
        Ok(writer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Backing for MmapBacking {
    type View = View;

    const IN_MEMORY: bool = true;
    const WRITES_BESIDE_SYNCS: bool = true;

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Copies out of the mapping; asks the system only for what lies past what was written.
    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        let len = u64::try_from(buf.len()).unwrap_or(u64::MAX);
        let Some(end) = at
            .checked_add(len)
            .filter(|end| i64::try_from(*end).is_ok())
        else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        match self.reads.bytes(at..end) {
            Some(bytes) => {
                buf.copy_from_slice(bytes);
                Ok(())
            }
            None => platform::read_at(&self.file, at, buf),
        }
    }

    /// A copy where the range reaches past what was written, into space that is only set aside.
    #[inline]
    fn view(&self, range: Range<u64>) -> io::Result<View> {
        match self.reads.view(&range) {
            Some(view) => Ok(view),
            None if range.start <= range.end && range.end <= self.len()? => {
                View::copied(&self.file, &range)
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn private_pages(&self, range: Range<u64>) -> io::Result<Option<PrivatePages>> {
        // What was not written yet may still be stored to.
        if self.reads.bytes(range.clone()).is_none() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(PrivateMapping::of(&self.file, &range).map(PrivatePages::new))
    }

    #[inline]
    fn peek(&self, range: Range<u64>) -> Option<&[u8]> {
        self.reads.bytes(range)
    }

    fn will_read(&self, range: Range<u64>) {
        self.reads.will_read(&range);
    }

    fn before_random_reads(&self) -> Option<BeforeReads> {
        self.reads.before_random_reads()
    }

    #[inline]
    fn prefetch(&self, at: u64) {
        if let Some([byte]) = self.reads.bytes(at..at.saturating_add(1)) {
            kernels::prefetch(byte);
        }
    }

    fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
        let mut writer = self.writer()?;
        let end = parts.iter().try_fold(at, |end, part| {
            end.checked_add(u64::try_from(part.len()).ok()?)
        });
        // Offsets of files are signed.
        let Some(end) = end.filter(|&end| i64::try_from(end).is_ok()) else {
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        if end == at {
            return Ok(());
        }
        writer.prepare(&self.file, end)?;
        self.reads.reserve(&self.file, end)?;
        writer.append(&self.file, at, end, parts)?;
        self.reads.publish(end);
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut writer = self.writer()?;
        let written = self.reads.lower(len);
        writer.forget_past(len.min(written));
        // What a failed write left past `written` must not show up when the file is made longer than that.
        platform::cut(&self.file, len.min(written), written)
            .inspect_err(|_| self.reads.publish(written))?;
        if len > written {
            self.reads.reserve(&self.file, len)?;
            self.file.set_len(len)?;
            self.reads.publish(len);
        }
        Ok(())
    }

    fn spool(&self) -> io::Result<Option<Box<dyn Spool>>> {
        spool::beside(&self.paths().real).map(|file| Some(Box::new(file) as Box<dyn Spool>))
    }

    fn sync(&self) -> io::Result<()> {
        if let Some(writer) = &self.writer {
            writer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .note_sync();
            self.file.sync_data()?;
            if self.directory_pending.load(Ordering::Acquire) {
                platform::sync_directory_of(&self.paths().real)?;
                self.directory_pending.store(false, Ordering::Release);
            }
        }
        Ok(())
    }
}

impl Resident for MmapBacking {
    #[inline]
    fn bytes(&self, range: Range<u64>) -> Option<&[u8]> {
        self.reads.bytes(range)
    }
}

impl Rewrite for MmapBacking {
    fn create_replacement(&self) -> io::Result<Self> {
        replace::create(self)
    }

    fn commit_replacement(&self, replacement: &Self) -> io::Result<()> {
        replace::commit(self, replacement)
    }
}

impl Drop for MmapBacking {
    fn drop(&mut self) {
        if self.temporary && self.moved.get().is_none() {
            // Opening the store for writing tries again.
            let _ = std::fs::remove_file(&self.paths.real);
        }
        // Closing would do, but for a process that is just being made: until it runs its program it has the file open as well.
        let _ = self.file.unlock();
    }
}

impl fmt::Debug for MmapBacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MmapBacking")
            .field("path", &self.path())
            .field("read_only", &self.is_read_only())
            .finish_non_exhaustive()
    }
}
