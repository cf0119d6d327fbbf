//! A plain file as a device, by positioned reads and writes: a store without a mapping, whose memory is the cache's.

use super::device::Device;
use std::fs::File;
use std::io;
use std::path::Path;

/// A file; it takes no lock, so whoever opens it twice must not write twice.
#[derive(Debug)]
pub struct FileDevice {
    file: File,
}

impl FileDevice {
    /// Opens the file at `path` for reading and writing; it is made if there is none.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        options.open(path).map(Self::from)
    }

    /// Opens the file at `path` for reading; every change of it will be refused.
    pub fn open_read_only(path: impl AsRef<Path>) -> io::Result<Self> {
        File::open(path).map(Self::from)
    }
}

impl From<File> for FileDevice {
    fn from(file: File) -> Self {
        Self { file }
    }
}

impl Device for FileDevice {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buf, at)
    }

    #[cfg(windows)]
    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buf, at)
    }

    #[cfg(unix)]
    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(&self.file, buf, at)
    }

    #[cfg(windows)]
    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(&self.file, buf, at)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        // The length is among what this makes durable; times are not needed.
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backing::device::DeviceBacking;
    use crate::backing::{Backing, conformance};

    fn make(folder: &tempfile::TempDir, cache: usize) -> impl FnMut() -> DeviceBacking<FileDevice> {
        let mut number = 0;
        move || {
            number += 1;
            let device = FileDevice::open(folder.path().join(number.to_string())).unwrap();
            DeviceBacking::new(device, cache).unwrap()
        }
    }

    #[test]
    fn keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        for (name, cache) in [("none", 0), ("small", 40_000), ("large", 1 << 20)] {
            let inner = tempfile::tempdir_in(folder.path()).unwrap();
            println!("cache: {name}");
            let mut make = make(&inner, cache);
            conformance::backing(&mut make);
            conformance::concurrent_readers(&mut make);
        }
    }

    #[test]
    fn what_was_written_is_there_when_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        assert_eq!(
            FileDevice::open_read_only(&path).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        let backing = DeviceBacking::new(FileDevice::open(&path).unwrap(), 1 << 16).unwrap();
        backing.write(0, &[b"to ", b"stay"]).unwrap();
        backing.sync().unwrap();
        drop(backing);
        for _ in 0..2 {
            let backing = DeviceBacking::new(FileDevice::open(&path).unwrap(), 1 << 16).unwrap();
            assert_eq!(backing.view(0..7).unwrap().as_ref(), b"to stay");
        }
        let reader =
            DeviceBacking::new(FileDevice::open_read_only(&path).unwrap(), 1 << 16).unwrap();
        assert!(reader.write(7, &[b"!"]).is_err());
        assert!(reader.truncate(0).is_err());
        assert_eq!(reader.view(0..7).unwrap().as_ref(), b"to stay");
        assert_eq!(std::fs::read(&path).unwrap(), b"to stay");
    }
}
