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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataStoreReader, DataStoreWriter, MemoryStore};
    use std::io::ErrorKind;

    fn stream_of(value: &[u8]) -> EntryStream<impl AsRef<[u8]> + use<>> {
        let store = MemoryStore::new();
        store.write(b"key", value).unwrap();
        store.read(b"key").unwrap().unwrap().into()
    }

    /// What is left of the stream from where it stands.
    fn rest(stream: &mut impl Read) -> Vec<u8> {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        rest
    }

    #[test]
    fn it_seeks_from_the_start_the_end_and_where_it_stands() {
        let mut stream = stream_of(b"0123456789");
        assert_eq!(stream.seek(SeekFrom::Start(7)).unwrap(), 7);
        assert_eq!(rest(&mut stream), b"789");
        assert_eq!(stream.seek(SeekFrom::End(-2)).unwrap(), 8);
        assert_eq!(stream.seek(SeekFrom::Current(-5)).unwrap(), 3);
        assert_eq!(stream.seek(SeekFrom::Current(2)).unwrap(), 5);
        assert_eq!(stream.stream_position().unwrap(), 5);
        assert_eq!(rest(&mut stream), b"56789");
        stream.rewind().unwrap();
        assert_eq!(rest(&mut stream), b"0123456789");
    }

    #[test]
    fn past_the_end_there_is_nothing_to_read() {
        let mut stream = stream_of(b"0123456789");
        for position in [
            SeekFrom::End(0),
            SeekFrom::End(1),
            SeekFrom::Start(u64::MAX),
        ] {
            stream.seek(position).unwrap();
            assert_eq!(stream.read(&mut [0; 4]).unwrap(), 0, "{position:?}");
            assert!(stream.fill_buf().unwrap().is_empty(), "{position:?}");
        }
        stream.seek(SeekFrom::Start(9)).unwrap();
        assert_eq!(rest(&mut stream), b"9");
    }

    #[test]
    fn before_the_start_there_is_no_position() {
        let mut stream = stream_of(b"0123456789");
        stream.seek(SeekFrom::Start(4)).unwrap();
        for position in [
            SeekFrom::Current(-5),
            SeekFrom::End(-11),
            SeekFrom::Current(i64::MIN),
        ] {
            let error = stream.seek(position).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{position:?}");
        }
        assert_eq!(rest(&mut stream), b"456789", "it stands where it stood");
    }

    #[test]
    fn it_reads_line_by_line() {
        let stream = stream_of("first\nsecond\n\nlast".as_bytes());
        let lines: Vec<String> = stream.lines().map(Result::unwrap).collect();
        assert_eq!(lines, ["first", "second", "", "last"]);
    }

    #[test]
    fn buffered_bytes_are_the_value_where_it_lies() {
        let store = MemoryStore::new();
        store.write(b"key", b"0123456789").unwrap();
        let handle = store.read(b"key").unwrap().unwrap();
        let mut stream = EntryStream::from(handle.clone());
        stream.consume(4);
        assert_eq!(stream.fill_buf().unwrap().as_ptr(), handle[4..].as_ptr());
        assert_eq!(stream.fill_buf().unwrap(), b"456789");
    }

    #[test]
    fn an_empty_read_moves_nothing() {
        let mut stream = stream_of(b"0123456789");
        assert_eq!(stream.read(&mut []).unwrap(), 0);
        stream.consume(0);
        let mut three = [0; 3];
        stream.read_exact(&mut three).unwrap();
        assert_eq!(&three, b"012");
        assert_eq!(stream.read(&mut []).unwrap(), 0);
        assert_eq!(rest(&mut stream), b"3456789");
        assert_eq!(stream.read(&mut []).unwrap(), 0);
    }
}
