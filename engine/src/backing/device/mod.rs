//! Media that can only be read and written at an offset, made into a [`Backing`](super::Backing) by a bounded cache.

mod adapter;
mod buffer;
mod cache;
pub mod faulty;
pub(crate) mod seeded;
mod sparse;
mod write_behind;

pub use adapter::DeviceBacking;
pub use buffer::DeviceView;
pub(crate) use buffer::zeroed;
pub use write_behind::WriteBehind;

use std::io;

/// Something that is read and written at an offset: a file, an OPFS handle, a WASI descriptor, a faulty test device.
///
/// A call that comes back with [`io::ErrorKind::Interrupted`] did nothing and is made again.
#[expect(
    clippy::len_without_is_empty,
    reason = "emptiness has no meaning for an implementer"
)]
pub trait Device {
    /// [`Backing::ONE_THREAD`](super::Backing::ONE_THREAD) of what is made of it.
    const ONE_THREAD: bool = false;

    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Reads some bytes at `at`; fewer than asked is fine, none means the end.
    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes some bytes at `at`, growing the device as needed; fewer than given is fine. A gap before `at` reads as
    /// zeros.
    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize>;

    /// Cuts or extends (with zeros) to `len` bytes.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Returns once all that was written is on stable storage.
    fn sync(&self) -> io::Result<()>;
}

/// Calls until the answer is something other than "interrupted".
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}
