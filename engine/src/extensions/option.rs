//! Values that may be absent and are stored all the same.
//!
//! Invariant: every `Some` reads back as that `Some`, whatever its bytes are; the module above says how.

use super::decode;
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::TOMBSTONE;
use crate::store::{DataStoreReader, DataStoreWriter, Store};
use crate::utils::NamespaceHasher;
use bitcode::{DecodeOwned, Encode};
use xxhash_rust::const_xxh3::xxh3_64;

const NAMESPACE: &[u8] = b"\xf7option\xfd";
/// How `None` is stored.
const NONE: [u8; 2] = [0xff, 0xfe];
/// Behind a value whose encoding alone would be taken for something else.
const ESCAPE: [u8; 8] = xxh3_64(b"tailstone/option/1").to_le_bytes();

/// Optional values: `None` is stored, and is something else than no value at all.
///
/// The keys are apart from those of plain values; delete one through [`NamespaceHasher`] if it is to go.
pub trait StorageOptionExt {
    /// Stores `value` and returns the store's new tail.
    fn write_option<T: Encode>(&self, key: &[u8], value: Option<&T>) -> Result<u64>;

    /// The optional value under `key`; allocates what the type needs.
    ///
    /// [`Error::KeyNotFound`] if nothing was stored, [`Error::NotDecodable`] if it was of another type.
    fn read_option<T: DecodeOwned>(&self, key: &[u8]) -> Result<Option<T>>;
}

impl<B: Backing> StorageOptionExt for Store<B> {
    fn write_option<T: Encode>(&self, key: &[u8], value: Option<&T>) -> Result<u64> {
        self.write(&namespaced(key), &serialize_option(value)?)
    }

    fn read_option<T: DecodeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        let entry = self.read(&namespaced(key))?.ok_or(Error::KeyNotFound)?;
        deserialize_option(entry.as_slice())
    }
}

/// The bytes of an optional value: never empty, never a single zero byte. Cannot fail today.
pub fn serialize_option<T: Encode>(value: Option<&T>) -> Result<Vec<u8>> {
    let Some(value) = value else {
        return Ok(NONE.to_vec());
    };
    let mut bytes = bitcode::encode(value);
    if is_taken(&bytes) {
        bytes.extend_from_slice(&ESCAPE);
    }
    Ok(bytes)
}

/// The optional value in these bytes, which need not be trusted; [`Error::NotDecodable`] if they hold none of this type.
pub fn deserialize_option<T: DecodeOwned>(bytes: &[u8]) -> Result<Option<T>> {
    if bytes == NONE {
        return Ok(None);
    }
    decode(bytes).map(Some).or_else(|error| {
        // Only now: bytes that are a value as they stand were written as one.
        match bytes.strip_suffix(&ESCAPE) {
            Some(escaped) if is_taken(escaped) => decode(escaped).map(Some),
            _ => Err(error),
        }
    })
}

/// Whether a plain entry with this payload would be no value, or not this one.
fn is_taken(bytes: &[u8]) -> bool {
    bytes.is_empty() || bytes == TOMBSTONE || bytes == NONE
}

fn namespaced(key: &[u8]) -> Vec<u8> {
    NamespaceHasher::new(NAMESPACE).namespace(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;
    use bitcode::Decode;
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    #[derive(Debug, Clone, PartialEq, Encode, Decode)]
    enum Shape {
        Point,
        Circle(f32),
        Named { name: String, sides: Option<u8> },
    }

    /// Stored and read back, and in the form for what is taken if and only if it has to be. Behind the bytes of a value, nothing makes
    /// another value of the same type: what keeps both forms apart.
    #[track_caller]
    fn round_trip<T: Encode + DecodeOwned + PartialEq + Debug>(value: &T) {
        let store = MemoryStore::new();
        store.write_option(b"key", Some(value)).unwrap();
        let read: Option<T> = store.read_option(b"key").unwrap();
        assert_eq!(read.as_ref(), Some(value));
        let plain = bitcode::encode(value);
        let stored = serialize_option(Some(value)).unwrap();
        assert_eq!(stored != plain, is_taken(&plain), "{value:?}");
        assert!(!is_taken(&stored), "{value:?}");
        for more in [&ESCAPE[..], &[0], &[0xff; 3], &[0; 64], &plain] {
            let longer = [&plain[..], more].concat();
            if longer != plain {
                assert!(bitcode::decode::<T>(&longer).is_err(), "{value:?}");
            }
        }
    }

    #[test]
    fn what_would_be_nothing_or_none_is_a_value() {
        round_trip(&0_u8);
        round_trip(&false);
        round_trip(&());
        round_trip(&Vec::<u8>::new());
        round_trip(&Vec::<String>::new());
        round_trip(&String::new());
        round_trip(&None::<u32>);
        round_trip(&0xfeff_u16);
        round_trip(&[0xff_u8, 0xfe]);
        round_trip(&[0_u8; 0]);
        round_trip(&BTreeMap::<String, u64>::new());
    }

    #[test]
    fn every_small_number_and_many_shapes_come_back() {
        (0..=u8::MAX).for_each(|byte| round_trip(&byte));
        (0..=u16::MAX).for_each(|number| round_trip(&number));
        (-300..300_i64).for_each(|number| round_trip(&number));
        round_trip(&u64::MAX);
        round_trip(&i128::MIN);
        round_trip(&1.5_f64);
        round_trip(&'ü');
        round_trip(&"a longer text".repeat(99));
        round_trip(&vec![vec![1_u32, 2], vec![], vec![u32::MAX]]);
        round_trip(&vec![Some(true), None, Some(false)]);
        round_trip(&BTreeMap::from([
            ("a".to_owned(), 1_u64),
            ("b".to_owned(), 2),
        ]));
        round_trip(&vec![
            Shape::Point,
            Shape::Circle(0.5),
            Shape::Named {
                name: "square".to_owned(),
                sides: Some(4),
            },
        ]);
    }

    #[test]
    fn the_marker_of_what_is_taken_is_as_documented() {
        assert_eq!(
            ESCAPE,
            crate::compute_hash(b"tailstone/option/1").to_le_bytes()
        );
        let bytes = serialize_option(Some(&false)).unwrap();
        assert_eq!(bytes.split_first(), Some((&0, &ESCAPE[..])));
        assert_eq!(serialize_option::<u8>(None).unwrap(), [0xff, 0xfe]);
    }

    #[test]
    fn none_is_no_missing_value() {
        let store = MemoryStore::new();
        store.write_option::<u8>(b"key", None).unwrap();
        assert_eq!(store.read_option::<u8>(b"key").unwrap(), None);
        let missing = store.read_option::<u8>(b"other");
        assert!(matches!(missing, Err(Error::KeyNotFound)));
    }

    #[test]
    fn hostile_bytes_are_an_error() {
        let seed = 0x0b5e_55ed_u64;
        println!("seed {seed:#x}");
        let mut state = seed;
        for len in (0..40).cycle().take(4000) {
            let bytes: Vec<u8> = (0..len)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    state.to_le_bytes()[7]
                })
                .collect();
            // Whatever comes of it, it comes without a panic and without much memory.
            let _ = deserialize_option::<Vec<Shape>>(&bytes);
            let _ = deserialize_option::<BTreeMap<String, Vec<u64>>>(&bytes);
        }
        for bytes in [&b""[..], &[0, 1], &ESCAPE, &[ESCAPE, ESCAPE].concat()] {
            let error = deserialize_option::<Shape>(bytes).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{bytes:?}");
        }
    }
}
