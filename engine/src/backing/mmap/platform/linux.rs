//! Linux: space is set aside in the file system before it is stored to.

use std::fs::File;
use std::io;

use rustix::fs::{FallocateFlags, FsWord, fallocate, fstatfs};
use rustix::io::Errno;

/// File systems that overwrite space where `fallocate` put it, so that a store to it cannot find the disk full: ext4
/// (ext2 and ext3 share its number and refuse to set aside), XFS and tmpfs. What writes each block anew elsewhere (btrfs,
/// ZFS, F2FS, bcachefs) can run out of space at any store, and overlays do not say what lies below them.
const KEEPERS: [FsWord; 3] = [0xef53, 0x5846_5342, 0x0102_1994];

/// Whether a store to space that was set aside cannot fail for want of space.
pub(in super::super) fn keeps_reserved_space(file: &File) -> bool {
    fstatfs(file).is_ok_and(|about| KEEPERS.contains(&about.f_type))
}

/// Lengthens the file from `from` to `to`, zeros that have their place on the medium.
pub(in super::super) fn set_aside(file: &File, from: u64, to: u64) -> io::Result<()> {
    loop {
        match fallocate(file, FallocateFlags::empty(), from, to.saturating_sub(from)) {
            Err(Errno::INTR) => {}
            done => return Ok(done?),
        }
    }
}

/// Whether an error of [`set_aside`] means that this file system never will.
pub(in super::super) fn is_never(error: &io::Error) -> bool {
    let never = [
        Errno::OPNOTSUPP,
        Errno::NOSYS,
        Errno::NODEV,
        Errno::INVAL,
        Errno::PERM,
    ];
    never
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
