//! A file that is read once from its start to its end, and is to stay as long as it is meanwhile.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

/// The bytes of a file; that it ends earlier or later than it should is an error.
pub(super) struct Source<'p> {
    file: File,
    left: u64,
    done: u64,
    /// Whether an error was the file's, and not the store's.
    pub(super) failed: bool,
    progress: &'p mut dyn FnMut(u64),
}

impl<'p> Source<'p> {
    /// The file, its length, and who wants to know how many bytes were read.
    pub(super) fn new(file: File, progress: &'p mut dyn FnMut(u64)) -> io::Result<(Self, u64)> {
        let len = file.metadata()?.len();
        let mut source = Self {
            file,
            left: len,
            done: 0,
            failed: false,
            progress,
        };
        if len == 0 {
            source.check_end()?;
        }
        Ok((source, len))
    }

    fn check_end(&mut self) -> io::Result<()> {
        loop {
            match self.file.read(&mut [0]) {
                Ok(0) => return Ok(()),
                Ok(_) => {
                    return Err(io::Error::new(
                        ErrorKind::InvalidData,
                        "the file is longer than it was when it was opened",
                    ));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn step(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).map_or(buf.len(), |left| left.min(buf.len()));
        let Some(buf) = buf.get_mut(..room).filter(|buf| !buf.is_empty()) else {
            return Ok(0);
        };
        let got = self.file.read(buf)?;
        if got == 0 {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "the file is shorter than it was when it was opened",
            ));
        }
        let count = u64::try_from(got).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(count);
        self.done = self.done.saturating_add(count);
        if self.left == 0 {
            self.check_end()?;
        }
        (self.progress)(self.done);
        Ok(got)
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.step(buf).inspect_err(|error| {
            self.failed = error.kind() != ErrorKind::Interrupted;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_changes_its_length_is_an_error() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        let read = |change: &dyn Fn(&File)| {
            std::fs::write(&path, b"0123456789").unwrap();
            let mut tell = |_| {};
            let (mut source, len) = Source::new(File::open(&path).unwrap(), &mut tell).unwrap();
            assert_eq!(len, 10);
            change(&File::options().append(true).open(&path).unwrap());
            let read = source.read_to_end(&mut Vec::new());
            assert_eq!(source.failed, read.is_err());
            read.map_err(|error| error.kind())
        };
        assert_eq!(read(&|_| {}), Ok(10));
        assert_eq!(
            read(&|file| file.set_len(4).unwrap()),
            Err(ErrorKind::UnexpectedEof)
        );
        let longer = read(&|mut file| file.write_all(b"more").unwrap());
        assert_eq!(longer, Err(ErrorKind::InvalidData));
    }
}
