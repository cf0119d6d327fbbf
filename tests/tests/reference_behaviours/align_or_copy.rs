//! Values as slices of numbers: borrowed where their address allows it, decoded where not.

use crate::scratch::new_store;
use std::borrow::Cow;
use tailstone::traits::{DataStoreReader, DataStoreWriter};
use tailstone::utils::align_or_copy;

#[test]
fn floats_of_a_stored_value_are_borrowed() {
    let (_scratch, store) = new_store();
    let floats = [1.5_f32, -0.25, 1e30];
    let stored: Vec<u8> = floats.iter().flat_map(|f| f.to_le_bytes()).collect();
    store.write(b"floats", &stored).unwrap();
    let value = store.read(b"floats").unwrap().unwrap();
    let seen = align_or_copy::<f32, 4>(&value, f32::from_le_bytes);
    assert!(matches!(seen, Cow::Borrowed(_)));
    assert_eq!(seen.as_ref(), floats);
}

#[test]
fn integers_of_a_stored_value_are_borrowed() {
    let (_scratch, store) = new_store();
    let stored: Vec<u8> = (7..107_u32).flat_map(u32::to_le_bytes).collect();
    store.write(b"integers", &stored).unwrap();
    let value = store.read(b"integers").unwrap().unwrap();
    let seen = align_or_copy::<u32, 4>(&value, u32::from_le_bytes);
    assert!(matches!(seen, Cow::Borrowed(_)));
    assert!(seen.iter().copied().eq(7..107));
}

#[test]
fn single_bytes_are_borrowed_at_any_address() {
    let bytes = [9_u8, 8, 7, 6, 5];
    for from in 0..4 {
        let seen = align_or_copy::<u8, 1>(&bytes[from..], u8::from_le_bytes);
        assert!(matches!(seen, Cow::Borrowed(_)), "from {from}");
        assert_eq!(seen.as_ref(), &bytes[from..]);
    }
}

#[test]
fn what_lies_askew_is_copied() {
    let (_scratch, store) = new_store();
    let mut stored = vec![0xee];
    stored.extend((1..=5_u32).flat_map(u32::to_le_bytes));
    store.write(b"askew", &stored).unwrap();
    let value = store.read(b"askew").unwrap().unwrap();
    let seen = align_or_copy::<u32, 4>(&value[1..], u32::from_le_bytes);
    assert!(matches!(seen, Cow::Owned(_)));
    assert_eq!(seen.as_ref(), [1, 2, 3, 4, 5]);
}

#[test]
fn half_an_element_panics() {
    let half = || align_or_copy::<u32, 4>(&[1, 2, 3, 4, 5, 6], u32::from_le_bytes).into_owned();
    assert!(std::panic::catch_unwind(half).is_err());
}

#[test]
fn several_elements_are_decoded_as_little_endian() {
    let askew = [0, 0x02, 0x01, 0x04, 0x03, 0xff, 0xff];
    for (from, expected) in [(1, [0x0102, 0x0304, 0xffff]), (0, [0x0200, 0x0401, 0xff03])] {
        let seen = align_or_copy::<u16, 2>(&askew[from..from + 6], u16::from_le_bytes);
        assert_eq!(seen.as_ref(), expected);
    }
}
