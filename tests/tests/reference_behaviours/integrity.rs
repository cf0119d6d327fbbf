//! Checksums: what rots is noticed, and how a value came in makes no difference.

use crate::scratch::{bytes, new_store};
use tailstone::traits::{DataStoreReader, DataStoreWriter};

#[test]
fn a_flipped_byte_is_read_and_found_by_its_checksum() {
    let (scratch, store) = new_store();
    store.write(b"rotten", b"a value to damage").unwrap();
    store.write(b"sound", b"another value").unwrap();
    drop(store);
    let path = scratch.path("store.bin");
    let mut file = std::fs::read(&path).unwrap();
    file[0] ^= 0xff;
    std::fs::write(&path, &file).unwrap();

    let store = scratch.open("store.bin");
    let rotten = store.read(b"rotten").unwrap().unwrap();
    assert_eq!(rotten[0], b'a' ^ 0xff);
    assert_eq!(rotten[1..], b"a value to damage"[1..]);
    assert!(!rotten.is_valid_checksum());
    assert!(store.read(b"sound").unwrap().unwrap().is_valid_checksum());
}

#[test]
fn written_and_streamed_values_have_one_checksum() {
    let (_scratch, store) = new_store();
    let value = bytes(200_000);
    store.write(b"whole", &value).unwrap();
    store.write_stream(b"streamed", &mut &value[..]).unwrap();
    let whole = store.read(b"whole").unwrap().unwrap();
    let streamed = store.read(b"streamed").unwrap().unwrap();
    assert_eq!(whole.checksum(), streamed.checksum());
    assert_eq!(whole.raw_checksum(), tailstone::compute_checksum(&value));
    assert!(whole.is_valid_checksum() && streamed.is_valid_checksum());
}
