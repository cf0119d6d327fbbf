//! Values of any type that serde knows, as CBOR.
//!
//! CBOR (RFC 8949) is a published standard that every language has readers for, carries the names of fields, so that types may
//! grow, and needs no agreement on a schema; a packed encoding such as postcard's would be smaller and bind the bytes to one Rust type for
//! good. `ciborium` maps serde to it in the way most libraries do.
//!
//! Invariant: every value begins with the tag by which CBOR describes itself (55799: D9 D9 F7), so it is never empty and never a
//! zero byte, which a plain entry could not hold, and is told apart from values of other kinds.

use crate::backing::Backing;
use crate::bucket::Bucket;
use crate::error::{Error, Result};
use crate::store::{DataStoreReader, DataStoreWriter, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// CBOR's tag 55799, which changes nothing but says what follows.
const SELF_DESCRIBED: [u8; 3] = [0xd9, 0xd9, 0xf7];
/// How deep lists, maps and options may lie in each other; serde reads by recursion.
const MAX_DEPTH: usize = 128;

/// Values of any type that serde knows, stored as CBOR: for other languages to read, and for types that gain fields.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tailstone::{MemoryStore, TypedValues};
///
/// #[derive(Serialize, Deserialize, PartialEq, Debug)]
/// struct Place {
///     name: String,
///     height: Option<f64>,
/// }
///
/// let store = MemoryStore::new();
/// let place = Place { name: "Zugspitze".to_owned(), height: Some(2962.06) };
/// store.write_value(b"top", &place)?;
/// assert_eq!(store.read_value(b"top")?, Some(place));
/// # Ok::<(), tailstone::Error>(())
/// ```
///
/// The value is D9 D9 F7 and one CBOR item: structs are maps by field name, variants their name or a map of that to their content, `None` and `()`
/// null. As in JSON, `Some(())` and `Some(None)` therefore read as `None`. `Vec<u8>` is an array of numbers unless marked by `serde_bytes`.
pub trait TypedValues {
    /// Stores `value` under `key` and returns the store's new tail; [`Error::NotEncodable`] if its type refuses.
    fn write_value<T: Serialize + ?Sized>(&self, key: &[u8], value: &T) -> Result<u64>;

    /// The value of `key`. [`Error::NotDecodable`] if what is stored there is no value of this type.
    ///
    /// The bytes need not be trusted: memory is in proportion to them, as far as the type's own code keeps to that, and nesting ends at 128.
    fn read_value<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>>;
}

impl<B: Backing> TypedValues for Store<B> {
    fn write_value<T: Serialize + ?Sized>(&self, key: &[u8], value: &T) -> Result<u64> {
        self.write(key, &encode(value)?)
    }

    fn read_value<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        self.read(key)?.map(|bytes| decode(&bytes)).transpose()
    }
}

impl<B: Backing> TypedValues for Bucket<'_, B> {
    fn write_value<T: Serialize + ?Sized>(&self, key: &[u8], value: &T) -> Result<u64> {
        self.set(key, &encode(value)?)
    }

    fn read_value<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        self.get(key)?.map(|bytes| decode(&bytes)).transpose()
    }
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut bytes = SELF_DESCRIBED.to_vec();
    ciborium::into_writer(value, &mut bytes).map_err(|error| Error::NotEncodable {
        reason: error.to_string(),
    })?;
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let refused = |reason: String| Error::NotDecodable { reason };
    let mut rest = bytes
        .strip_prefix(&SELF_DESCRIBED)
        .ok_or_else(|| refused("it does not begin as self-described CBOR".to_owned()))?;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH)
        .map_err(|error| refused(error.to_string()))?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(refused(format!("{} bytes follow its end", rest.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Circle(f32),
        Line(i8, i8),
        Named { name: String, sides: Option<u8> },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Nested {
        inner: Option<Box<Nested>>,
    }

    #[track_caller]
    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
        let store = MemoryStore::new();
        let bucket = store.bucket("b").unwrap();
        store.write_value(b"key", value).unwrap();
        bucket.write_value(b"key", value).unwrap();
        assert_eq!(store.read_value(b"key").unwrap().as_ref(), Some(value));
        assert_eq!(bucket.read_value(b"key").unwrap().as_ref(), Some(value));
    }

    #[test]
    fn every_small_value_comes_back() {
        (0..=u8::MAX).for_each(|byte| round_trip(&byte));
        (i8::MIN..=i8::MAX).for_each(|byte| round_trip(&byte));
        (0..=0x3ff_u16).for_each(|number| round_trip(&number));
        round_trip(&());
        round_trip(&false);
        round_trip(&None::<u8>);
        round_trip(&String::new());
        round_trip(&Vec::<u8>::new());
        round_trip(&BTreeMap::<u8, u8>::new());
        round_trip(&'\0');
        round_trip(&0.0_f64);
    }

    #[test]
    fn numbers_texts_and_shapes_come_back() {
        round_trip(&u64::MAX);
        round_trip(&i64::MIN);
        round_trip(&u128::MAX);
        round_trip(&1e300_f64);
        round_trip(&"x".repeat(10_000));
        round_trip(&vec![Some(1_u8), None]);
        round_trip(&vec![
            Shape::Point,
            Shape::Circle(1.5),
            Shape::Line(-1, 2),
            Shape::Named {
                name: "ü".to_owned(),
                sides: None,
            },
        ]);
    }

    #[test]
    fn the_bytes_are_those_of_the_standard() {
        let store = MemoryStore::new();
        store.write_value(b"key", &0_u8).unwrap();
        assert_eq!(store.read(b"key").unwrap().unwrap(), &[0xd9, 0xd9, 0xf7, 0]);
        store
            .write_value(b"key", &("a", [true, false], -1))
            .unwrap();
        let bytes = store.read(b"key").unwrap().unwrap();
        assert_eq!(bytes, b"\xd9\xd9\xf7\x83\x61a\x82\xf5\xf4\x20");
    }

    #[test]
    fn what_is_not_of_the_type_is_an_error() {
        let store = MemoryStore::new();
        assert_eq!(store.read_value::<u8>(b"key").unwrap(), None);
        for bytes in [
            &b"plain text"[..],
            b"\xd9\xd9\xf7",
            b"\xd9\xd9\xf7\x61a",
            b"\xd9\xd9\xf7\x05\x05",
            b"\xd9\xd9\xf7\xff",
        ] {
            store.write(b"key", bytes).unwrap();
            let error = store.read_value::<u8>(b"key").unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{bytes:?}");
        }
    }

    #[test]
    fn what_a_type_refuses_to_be_written_is_an_error() {
        struct Stubborn;
        impl Serialize for Stubborn {
            fn serialize<S: serde::Serializer>(
                &self,
                _: S,
            ) -> std::result::Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        let store = MemoryStore::new();
        let refused = store.write_value(b"key", &Stubborn);
        assert!(matches!(refused, Err(Error::NotEncodable { .. })));
        assert_eq!(store.tail(), 0);
    }

    #[test]
    fn hostile_bytes_are_an_error() {
        // Announces what is not there, and lies in itself without end.
        let huge = [&[0x9b][..], &[0xff; 8]].concat();
        let texts = [&[0x7b][..], &[0x7f; 8]].concat();
        let deep = vec![0x81; 1 << 20];
        for item in [
            &huge,
            &texts,
            &deep,
            &vec![0xc1; 1 << 16],
            &vec![0xd8; 4096],
        ] {
            let bytes = [&SELF_DESCRIBED[..], item].concat();
            assert!(decode::<Vec<Vec<u64>>>(&bytes).is_err());
            assert!(decode::<Nested>(&bytes).is_err());
            assert!(decode::<Vec<String>>(&bytes).is_err());
            assert!(decode::<serde::de::IgnoredAny>(&bytes).is_err());
            assert!(decode::<BTreeMap<String, Shape>>(&bytes).is_err());
        }
        let seed = 0xc0de_cb04_u64;
        println!("seed {seed:#x}");
        let mut state = seed;
        for len in (0..48).cycle().take(5000) {
            let mut bytes = SELF_DESCRIBED.to_vec();
            bytes.extend((0..len).map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                state.to_le_bytes()[7]
            }));
            let _ = decode::<Vec<Shape>>(&bytes);
            let _ = decode::<BTreeMap<String, Vec<i128>>>(&bytes);
            let _ = decode::<(char, Option<f32>, String)>(&bytes);
        }
    }
}
