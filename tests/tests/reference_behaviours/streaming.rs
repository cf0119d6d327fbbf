//! Values that come from a reader and go out through one.

use crate::scratch::{bytes, new_store};
use std::io::{BufReader, ErrorKind, Read};
use tailstone::EntryStream;
use tailstone::traits::{DataStoreReader, DataStoreWriter};

#[test]
fn a_mebibyte_streams_in_and_out() {
    let (scratch, store) = new_store();
    let value = bytes(1 << 20);
    std::fs::write(scratch.path("source"), &value).unwrap();
    let file = std::fs::File::open(scratch.path("source")).unwrap();
    store
        .write_stream(b"large", &mut BufReader::new(file))
        .unwrap();

    let handle = store.read(b"large").unwrap().unwrap();
    assert!(handle.is_valid_checksum());
    let mut stream = EntryStream::from(handle);
    let (mut read, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut chunk).unwrap();
        if count == 0 {
            break;
        }
        read.extend_from_slice(&chunk[..count]);
    }
    assert!(read == value);
}

#[test]
fn a_stream_of_zeros_or_nothing_is_refused() {
    let (_scratch, store) = new_store();
    for zeros in [vec![], vec![0], vec![0; 200_000]] {
        let error = store.write_stream(b"null", &mut &zeros[..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    assert!(!store.exists(b"null").unwrap());
}
