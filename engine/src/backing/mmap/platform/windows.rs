//! Windows: no mapping past the end of a file, no cutting of a mapped one, no syncing of directories.
#![expect(
    clippy::unnecessary_wraps,
    reason = "the same functions can fail on other systems"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::FileExt;
use std::path::Path;

use memmap2::MmapRaw;

/// A mapping ends where the file does, so the file grows ahead of the store.
pub(in super::super) const MAPS_PAST_END: bool = false;

/// `ERROR_USER_MAPPED_FILE`: the file cannot be cut while some of it is mapped.
const MAPPED: i32 = 1224;
const LEAST_GROWTH: u64 = 64 << 10;

pub(in super::super) fn never_wait(_: &mut OpenOptions) {}

pub(in super::super) fn private(_: &mut OpenOptions) {}

/// A file that is open keeps its name here as far as stores are concerned: replacing a mapped one is refused.
pub(in super::super) fn is_at(_: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// By path alone: a hard link is another path, and meets the lock on the file.
pub(in super::super) fn is_same_file(_: &File, real: &Path, path: &Path) -> io::Result<bool> {
    Ok(std::fs::canonicalize(path)? == real)
}

pub(in super::super) fn adopt_owner_and_permissions(_: &File, _: &File) -> io::Result<()> {
    Ok(())
}

pub(in super::super) fn sync_directory_of(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(in super::super) fn keeps_reserved_space(_: &File) -> bool {
    false
}

pub(in super::super) fn set_aside(_: &File, _: u64, _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(in super::super) fn is_never(_: &io::Error) -> bool {
    true
}

/// Lengthens the file past `end` by a quarter, so that mapping it again stays rare.
pub(in super::super) fn grow_for_mapping(file: &File, end: u64) -> io::Result<()> {
    if end <= file.metadata()?.len() {
        return Ok(());
    }
    let ahead = (end / 4).max(LEAST_GROWTH);
    file.set_len(end.saturating_add(ahead))
        .or_else(|_| file.set_len(end))
}

/// Cuts the file; while it is mapped, makes what lies past `len` look like space that was set aside: zeros, which opening
/// takes for just that.
pub(in super::super) fn cut(file: &File, len: u64, written: u64) -> io::Result<()> {
    match file.set_len(len) {
        Err(error) if error.raw_os_error() == Some(MAPPED) => {
            let zeros = [0; 4096];
            let mut at = len;
            while at < written {
                let count = usize::try_from(written - at)
                    .unwrap_or(usize::MAX)
                    .min(zeros.len());
                write_at(file, at, &[zeros.get(..count).unwrap_or(&zeros)])?;
                at += u64::try_from(count).unwrap_or(u64::MAX);
            }
            Ok(())
        }
        done => done,
    }
}

pub(in super::super) fn read_at(file: &File, mut at: u64, mut buf: &mut [u8]) -> io::Result<()> {
    while !buf.is_empty() {
        match file.seek_read(buf, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buf = buf.get_mut(count..).unwrap_or_default();
                at = at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(in super::super) fn write_at(file: &File, mut at: u64, parts: &[&[u8]]) -> io::Result<()> {
    for part in parts {
        let mut rest = *part;
        while !rest.is_empty() {
            match file.seek_write(rest, at) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    rest = rest.get(count..).unwrap_or_default();
                    at = at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The system decides alone.
pub(in super::super) const fn expect_random_reads(_: &MmapRaw) {}

/// The system decides alone.
pub(in super::super) const fn will_read(_: &MmapRaw, _: usize, _: usize) {}

/// Not needed, as nothing is decided by it.
pub(in super::super) const fn memory() -> u64 {
    u64::MAX
}
