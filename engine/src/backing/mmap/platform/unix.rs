//! What POSIX gives: positioned reads and writes, the identity of a file, directories that can be synced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use memmap2::{Advice, MmapRaw};
use rustix::fs::OFlags;
use rustix::io::{Errno, pwritev};

/// A mapping may be longer than the file, and shows what the file grows by.
pub(in super::super) const MAPS_PAST_END: bool = true;

/// Slices per system call, the least that Linux, macOS and the BSDs all take.
const SLICES: usize = 1024;
/// Enough for one entry, on less stack.
const FEW_SLICES: usize = 8;

/// Keeps opening from waiting for the other end of a pipe, and from adopting a terminal.
pub(in super::super) fn never_wait(options: &mut OpenOptions) {
    options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
}

/// Makes a new file its owner's alone. A link that somebody put in its place is not followed.
pub(in super::super) fn private(options: &mut OpenOptions) {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    options.mode(0o600).custom_flags(flags.bits().cast_signed());
}

/// Whether `path` names the file that is open.
pub(in super::super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (open, named) = (file.metadata()?, fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
}

/// Whether `path` names the file that is open at `real`, by whichever link.
pub(in super::super) fn is_same_file(file: &File, _real: &Path, path: &Path) -> io::Result<bool> {
    is_at(file, path)
}

/// Gives `to` the permissions of `from`, and its owner and group where the process may.
pub(in super::super) fn adopt_owner_and_permissions(from: &File, to: &File) -> io::Result<()> {
    let (wanted, made) = (from.metadata()?, to.metadata()?);
    if (wanted.uid(), wanted.gid()) != (made.uid(), made.gid()) {
        // Only the superuser gives files away; the group alone may still be one of ours.
        let _ = fchown(to, Some(wanted.uid()), Some(wanted.gid()))
            .or_else(|_| fchown(to, None, Some(wanted.gid())));
    }
    to.set_permissions(wanted.permissions())
}

/// Brings the directory entry of `path` to stable storage.
pub(in super::super) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        // A directory that may be entered but not listed cannot be opened, and some network file systems cannot sync one.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput
            ) =>
        {
            Ok(())
        }
        done => done,
    }
}

/// Nothing to do: the mapping reaches past the end.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the same function can fail on Windows"
)]
pub(in super::super) const fn grow_for_mapping(_: &File, _: u64) -> io::Result<()> {
    Ok(())
}

pub(in super::super) fn cut(file: &File, len: u64, _written: u64) -> io::Result<()> {
    file.set_len(len)
}

pub(in super::super) fn read_at(file: &File, at: u64, buf: &mut [u8]) -> io::Result<()> {
    file.read_exact_at(buf, at)
}

/// Writes the parts one behind the other, as many at a time as the system takes.
pub(in super::super) fn write_at(file: &File, at: u64, parts: &[&[u8]]) -> io::Result<()> {
    if parts.len() <= FEW_SLICES {
        write_by::<FEW_SLICES>(file, at, parts)
    } else {
        write_by::<SLICES>(file, at, parts)
    }
}

fn write_by<const N: usize>(file: &File, mut at: u64, parts: &[&[u8]]) -> io::Result<()> {
    let mut slices = [IoSlice::new(&[]); N];
    for chunk in parts.chunks(N) {
        let mut count = 0;
        for (slot, part) in slices
            .iter_mut()
            .zip(chunk.iter().filter(|part| !part.is_empty()))
        {
            *slot = IoSlice::new(part);
            count += 1;
        }
        let Some(mut rest) = slices.get_mut(..count) else {
            continue;
        };
        while !rest.is_empty() {
            match pwritev(file, rest, at) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    at = at.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
                    IoSlice::advance_slices(&mut rest, written);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Tells the system to read no more than what is touched. Where it does not listen nothing is lost but time.
pub(in super::super) fn expect_random_reads(mapping: &MmapRaw) {
    let _ = mapping.advise(Advice::Random);
}

/// Has the system read a range that is about to be touched.
pub(in super::super) fn will_read(mapping: &MmapRaw, offset: usize, len: usize) {
    let _ = mapping.advise_range(Advice::WillNeed, offset, len);
}
