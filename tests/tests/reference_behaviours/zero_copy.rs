//! Values are read where they lie, and stay there for as long as anybody holds them.

use crate::scratch::new_store;
use tailstone::traits::{DataStoreReader, DataStoreWriter};

#[test]
fn a_clone_is_the_same_memory() {
    let (_scratch, store) = new_store();
    store.write(b"key", b"a value in the file").unwrap();
    let handle = store.read(b"key").unwrap().unwrap();
    let clone = handle.clone_arc();
    assert_eq!(clone.address_range(), handle.address_range());
    assert_eq!(clone.offset_range(), handle.offset_range());
    assert_eq!(clone.as_slice(), handle.as_slice());
}

#[test]
fn a_clone_outlives_the_original_and_the_store() {
    let (_scratch, store) = new_store();
    store.write(b"key", b"a value in the file").unwrap();
    let handle = store.read(b"key").unwrap().unwrap();
    let clone = handle.clone_arc();
    drop(handle);
    drop(store);
    assert_eq!(clone.as_slice(), b"a value in the file");
    assert!(clone.is_valid_checksum());
}

#[test]
#[allow(
    clippy::useless_conversion,
    reason = "offsets are `usize` in the reference"
)]
fn a_value_is_a_slice_of_the_file_in_memory() {
    let (_scratch, store) = new_store();
    store.write(b"one", &[1; 100]).unwrap();
    store.write(b"two", &[2; 100]).unwrap();
    let (one, two) = (
        store.read(b"one").unwrap().unwrap(),
        store.read(b"two").unwrap().unwrap(),
    );
    let addresses = two.address_range();
    assert_eq!(addresses, two.as_slice().as_ptr_range());
    assert_eq!(addresses.end.addr() - addresses.start.addr(), two.size());
    // Nothing was copied: the values are as far apart in memory as in the file, and a second read finds the same place.
    assert_eq!(
        addresses.start.addr() - one.as_ptr().addr(),
        usize::try_from(two.start_offset() - one.start_offset()).unwrap()
    );
    assert_eq!(
        store.read(b"two").unwrap().unwrap().address_range(),
        addresses
    );
}
