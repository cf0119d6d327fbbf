//! A value as a stream.

use super::EntryHandle;
use crate::backing::DefaultView;
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};

/// Reads a value as a stream: `Read`, `BufRead` (without a copy) and `Seek`.
#[derive(Debug, Clone)]
pub struct EntryStream<V: AsRef<[u8]> = DefaultView>(Cursor<EntryHandle<V>>);

impl<V: AsRef<[u8]>> From<EntryHandle<V>> for EntryStream<V> {
    fn from(handle: EntryHandle<V>) -> Self {
        Self(Cursor::new(handle))
    }
}

impl<V: AsRef<[u8]>> Read for EntryStream<V> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<V: AsRef<[u8]>> BufRead for EntryStream<V> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl<V: AsRef<[u8]>> Seek for EntryStream<V> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}
