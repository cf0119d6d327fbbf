//! Every value lies at a multiple of 64 bytes, whatever was written before it.

use crate::scratch::{bytes, new_store};
use tailstone::EntryHandle;
use tailstone::traits::{DataStoreReader, DataStoreWriter};

/// Checks the address, and that slices of wide numbers can be had there without a copy.
fn assert_aligned(value: &EntryHandle) {
    assert_eq!(value.as_ptr().addr() % 64, 0, "{value:?}");
    assert_eq!(value.start_offset() % 64, 0, "{value:?}");
    let whole = &value[..value.len() / 16 * 16];
    assert!(bytemuck::try_cast_slice::<u8, u32>(whole).is_ok());
    assert!(bytemuck::try_cast_slice::<u8, u64>(whole).is_ok());
    assert!(bytemuck::try_cast_slice::<u8, u128>(whole).is_ok());
}

#[test]
fn odd_lengths_deletions_and_overwrites_keep_values_aligned() {
    let (_scratch, store) = new_store();
    let lengths = [1, 3, 17, 63, 64, 65, 127, 1_001, 4_096, 10_007];
    for (n, len) in lengths.into_iter().enumerate() {
        store
            .write(format!("key {n}").as_bytes(), &bytes(len))
            .unwrap();
    }
    store.delete(b"key 3").unwrap();
    store.write(b"key 5", &bytes(333)).unwrap();
    store
        .write_stream(b"streamed", &mut &bytes(70_001)[..])
        .unwrap();
    store
        .batch_write(&[(b"x", &[1]), (b"y", &[2; 5]), (b"z", &[3; 77])])
        .unwrap();
    assert!(store.read(b"key 3").unwrap().is_none());
    for n in (0..lengths.len()).filter(|n| *n != 3) {
        let value = store.read(format!("key {n}").as_bytes()).unwrap().unwrap();
        assert_aligned(&value);
        let len = if n == 5 { 333 } else { lengths[n] };
        assert_eq!(value, bytes(len));
    }
    let mut seen = 0;
    for value in store.iter_entries() {
        assert_aligned(&value);
        seen += 1;
    }
    assert_eq!(seen, lengths.len() - 1 + 4);
}
