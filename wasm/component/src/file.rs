//! A file of WASI as a device: read and written at an offset, as far as one call of the host goes.

use std::io;

use tailstone::backing::device::Device;
use wasip2::filesystem::types::{Descriptor, ErrorCode};

/// As much goes into one call. A host gives less when it likes to (wasmtime reads at most 64 KiB), and more would only
/// make it hold a second copy of a long value.
const LONGEST_CALL: usize = 1 << 20;

/// An open file.
#[derive(Debug)]
pub struct WasiFile(Descriptor);

impl WasiFile {
    /// Takes over `descriptor`, which must be one of a regular file.
    pub const fn new(descriptor: Descriptor) -> Self {
        Self(descriptor)
    }
}

impl Device for WasiFile {
    /// A component has no threads.
    const ONE_THREAD: bool = true;

    fn len(&self) -> io::Result<u64> {
        self.0.stat().map(|stat| stat.size).map_err(io_error)
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let wanted = buf.len().min(LONGEST_CALL);
        let (bytes, _at_end) = self.0.read(wanted as u64, at).map_err(io_error)?;
        let target = buf
            .get_mut(..bytes.len())
            .ok_or_else(|| io::Error::other("the host gave more bytes than it was asked for"))?;
        target.copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
        let part = buf.get(..LONGEST_CALL).unwrap_or(buf);
        let written = self.0.write(part, at).map_err(io_error)?;
        Ok(usize::try_from(written)
            .unwrap_or(usize::MAX)
            .min(part.len()))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_size(len).map_err(io_error)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data().map_err(io_error)
    }
}

/// What the host said, as the engine understands it.
pub fn io_error(code: ErrorCode) -> io::Error {
    let kind = match code {
        ErrorCode::Access | ErrorCode::NotPermitted => io::ErrorKind::PermissionDenied,
        ErrorCode::Exist => io::ErrorKind::AlreadyExists,
        ErrorCode::FileTooLarge => io::ErrorKind::FileTooLarge,
        ErrorCode::InsufficientSpace => io::ErrorKind::StorageFull,
        ErrorCode::Interrupted => io::ErrorKind::Interrupted,
        ErrorCode::Invalid | ErrorCode::NameTooLong => io::ErrorKind::InvalidInput,
        ErrorCode::IsDirectory => io::ErrorKind::IsADirectory,
        ErrorCode::NoEntry => io::ErrorKind::NotFound,
        ErrorCode::Quota => io::ErrorKind::QuotaExceeded,
        ErrorCode::ReadOnly => io::ErrorKind::ReadOnlyFilesystem,
        ErrorCode::Unsupported => io::ErrorKind::Unsupported,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, code.message())
}

#[cfg(all(test, target_os = "wasi"))]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    //! Run under wasmtime, with a directory to write in.

    use super::*;
    use tailstone::backing::Backing;
    use tailstone::backing::device::DeviceBacking;
    use wasip2::filesystem::preopens::get_directories;
    use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

    /// A new file, gone with it.
    fn with_file(name: &str, test: impl FnOnce(WasiFile)) {
        let (directory, _) = get_directories().pop().unwrap();
        let open = OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
        let file = directory
            .open_at(PathFlags::empty(), name, open, flags)
            .unwrap();
        test(WasiFile::new(file));
        directory.unlink_file_at(name).unwrap();
    }

    #[test]
    fn a_file_grows_where_it_is_written_and_ends_where_it_is_cut() {
        with_file("grows", |file| {
            assert_eq!(file.write_at(3, b"abc").unwrap(), 3);
            assert_eq!(file.len().unwrap(), 6);
            let mut bytes = [9; 8];
            assert_eq!(file.read_at(0, &mut bytes).unwrap(), 6);
            assert_eq!(&bytes, b"\0\0\0abc\x09\x09");
            file.set_len(4).unwrap();
            assert_eq!(file.read_at(3, &mut bytes).unwrap(), 1);
            assert_eq!(file.read_at(4, &mut bytes).unwrap(), 0);
            file.set_len(70_000).unwrap();
            assert_eq!(file.len().unwrap(), 70_000);
            file.sync().unwrap();
        });
    }

    #[test]
    fn short_calls_are_looped_above() {
        with_file("short", |file| {
            let content: Vec<u8> = (0..=252).cycle().take(3 * LONGEST_CALL + 5).collect();
            assert!(
                file.write_at(0, &content).unwrap() <= LONGEST_CALL,
                "a call takes more than the longest"
            );
            let backing = DeviceBacking::new(file, 1 << 20).unwrap();
            backing.write(0, &[&content[..7], &content[7..]]).unwrap();
            let mut back = vec![0; content.len() - 1];
            backing.read(1, &mut back).unwrap();
            assert!(back == content[1..], "not what was written");
            assert!(backing.read(2, &mut back).is_err(), "a range past the end");
        });
    }
}
