//! The three files that the format's description gives byte by byte.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use tailstone::{DataStore, DataStoreReader, DataStoreWriter};

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn padded(mut bytes: Vec<u8>, len: usize) -> Vec<u8> {
    bytes.resize(len, 0);
    bytes
}

fn file_of(fill: impl FnOnce(&DataStore)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("golden.tsl");
    let store = DataStore::open(&path).unwrap();
    fill(&store);
    store.close().unwrap();
    std::fs::read(&path).unwrap()
}

#[test]
fn one_entry() {
    let file = file_of(|store| assert_eq!(store.write(b"hello", b"world!").unwrap(), 26));
    assert_eq!(
        file,
        hex("77 6f 72 6c 64 21 fd dc 62 5c 55 e8 55 95 00 00 00 00 00 00 00 00 e8 98 84 71")
    );
}

#[test]
fn a_batch_a_deletion_and_a_new_value() {
    let file = file_of(|store| {
        let batch: [(&[u8], &[u8]); 2] = [(b"a", b"A1"), (b"b", b"BBB")];
        assert_eq!(store.batch_write(&batch).unwrap(), 87);
        assert_eq!(store.delete(b"a").unwrap(), 108);
        assert_eq!(store.delete(b"a").unwrap(), 108);
        assert_eq!(store.write(b"a", b"A2").unwrap(), 150);
        assert_eq!(store.read(b"b").unwrap().unwrap(), b"BBB");
    });
    let mut expected = padded(
        hex("41 31 1f 4e 96 1e b6 32 c6 e6 00 00 00 00 00 00 00 00 81 6c 65 f9"),
        0x40,
    );
    expected.extend(hex(
        "42 42 42 3f 84 d8 44 1c 0b 5a 57 16 00 00 00 00 00 00 00 87 8d c2 d6
         00 1f 4e 96 1e b6 32 c6 e6 57 00 00 00 00 00 00 00 8d ef 02 d2",
    ));
    let mut expected = padded(expected, 0x80);
    expected.extend(hex(
        "41 32 1f 4e 96 1e b6 32 c6 e6 6c 00 00 00 00 00 00 00 3b 3d 6c 60",
    ));
    assert_eq!(file, expected);
}

#[test]
fn a_stream_a_deletion_and_zeros() {
    let value: Vec<u8> = (1..=44).collect();
    let file = file_of(|store| {
        assert_eq!(store.write_stream(b"s", &mut &value[..]).unwrap(), 64);
        assert_eq!(store.delete(b"s").unwrap(), 85);
        assert_eq!(store.write(b"z", &[0, 0]).unwrap(), 150);
    });
    let mut expected = value.clone();
    expected.extend(hex(
        "13 be f6 4f d1 d4 b9 d6 00 00 00 00 00 00 00 00 7d 02 18 92
         00 13 be f6 4f d1 d4 b9 d6 40 00 00 00 00 00 00 00 8d ef 02 d2",
    ));
    let mut expected = padded(expected, 0x80);
    expected.extend(hex(
        "00 00 b0 ad 8e e8 dd d9 a7 54 55 00 00 00 00 00 00 00 ff 12 d9 41",
    ));
    assert_eq!(file, expected);
}
