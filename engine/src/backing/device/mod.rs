//! Media that can only be read and written at an offset, made into a [`Backing`](super::Backing) by a bounded cache.

use std::io;

/// Something that is read and written at an offset: a file, an OPFS handle, a WASI descriptor, a faulty test device.
pub trait Device {
    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Reads some bytes at `at`; fewer than asked is fine, none means the end.
    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes some bytes at `at`, growing the device as needed; fewer than given is fine.
    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize>;

    /// Cuts or extends (with zeros) to `len` bytes.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Returns once all that was written is on stable storage.
    fn sync(&self) -> io::Result<()>;
}
