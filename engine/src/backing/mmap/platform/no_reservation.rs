//! Unix systems other than Linux: no space is set aside, everything is written by system calls.

use std::fs::File;
use std::io;

pub(in super::super) const fn keeps_reserved_space(_: &File) -> bool {
    false
}

pub(in super::super) fn set_aside(_: &File, _: u64, _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(in super::super) const fn is_never(_: &io::Error) -> bool {
    true
}

/// Not known here, so that files are taken to fit.
pub(in super::super) const fn memory() -> u64 {
    u64::MAX
}
