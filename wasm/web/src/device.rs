//! The OPFS handle as a [`Device`]: positioned reads and writes, every short answer noticed.

use crate::failure::thrown;
use crate::handle::{At, SyncHandle};
use crate::number;
use js_sys::Uint8Array;
use std::io;
use tailstone::backing::device::Device;

/// A file of the browser's own file system, held by a synchronous handle.
///
/// The handle excludes every other one on the same file. Whoever opened it closes it.
pub struct OpfsDevice {
    handle: SyncHandle,
    at: At,
}

impl OpfsDevice {
    /// Takes an open handle.
    #[must_use]
    pub fn new(handle: SyncHandle) -> Self {
        Self {
            handle,
            at: At::new(),
        }
    }

    /// Fills `target` with the bytes at `at`, without a copy through this module's memory.
    pub(crate) fn read_into(&self, at: u64, target: &Uint8Array) -> io::Result<()> {
        let length = target.length();
        let mut done = 0;
        while done < length {
            let rest = target.subarray(done, length);
            let options = self.at.offset(at + u64::from(done));
            let read = number::from_js(self.handle.read_into(&rest, options).map_err(thrown)?);
            match u32::try_from(read) {
                Ok(read) if read > 0 && read <= length - done => done += read,
                _ => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(())
    }
}

impl Device for OpfsDevice {
    /// A handle is of the worker that opened it.
    const ONE_THREAD: bool = true;

    fn len(&self) -> io::Result<u64> {
        self.handle.get_size().map(number::from_js).map_err(thrown)
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let length = buf.len();
        let read = self.handle.read(buf, self.at.offset(at)).map_err(thrown)?;
        Ok(number::length_from_js(read).min(length))
    }

    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
        let written = self.handle.write(buf, self.at.offset(at)).map_err(thrown)?;
        let written = number::length_from_js(written).min(buf.len());
        if written == 0 && !buf.is_empty() {
            // Browsers that run out of space write less than asked, in the end nothing, and throw nothing.
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "the browser wrote nothing",
            ));
        }
        Ok(written)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.handle.truncate(number::to_js(len)).map_err(thrown)
    }

    fn sync(&self) -> io::Result<()> {
        self.handle.flush().map_err(thrown)
    }
}
