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
