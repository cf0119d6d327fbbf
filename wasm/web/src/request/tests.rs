//! Requests of every kind, and bytes that are none.

use super::*;
use crate::execute::wire;

fn operations(bytes: &[u8]) -> Option<Vec<Operation<'_>>> {
    Operations::of(bytes).ok()?.collect::<Result<_, _>>().ok()
}

#[test]
fn every_operation_is_read_as_it_was_written() {
    let float = |number: f64| number.to_le_bytes();
    let word = |number: u32| number.to_le_bytes();
    let mut bytes = Vec::new();
    let mut put = |code, flags, key: &[u8], value: &[&[u8]]| {
        wire::operation(&mut bytes, code, flags, key, &value.concat());
    };
    put(0, 0, b"bucket", &[]);
    put(1, 0, b"k", &[b"value"]);
    put(1, 1, b"k", &[&float(1e12), b"v"]);
    put(2, 0, b"", &[]);
    put(2, 1, b"key", &[]);
    put(3, 0, b"key", &[]);
    put(4, 0, b"key", &[]);
    put(5, 0, b"key", &[&float(5e9), &float(-1.0)]);
    wire::batch(&mut bytes, 2);
    let mut put = |code, flags, key: &[u8], value: &[&[u8]]| {
        wire::operation(&mut bytes, code, flags, key, &value.concat());
    };
    put(1, 0, b"in", &[]);
    put(4, 0, b"out", &[]);
    put(7, 0, b"k", &[&float(9.0), &word(3), &word(0), b"new"]);
    put(7, 3, b"k", &[&float(0.0), &word(0), &word(0)]);
    put(8, 1, b"pre", &[&word(10), &word(1000), &word(0)]);
    put(8, 0, b"pre", &[&word(10), &word(1000), &word(1), b"cursor"]);
    put(9, 0, b"", &[]);
    put(10, 0, b"", &[]);
    put(11, 0, b"k", &[&word(4)]);
    put(12, 1, b"k", &[&float(640.0)]);
    put(13, 0, b"k", &[]);
    let read = operations(&bytes).unwrap();
    let set = |key, value, expires_at| {
        Operation::Set(Set {
            key,
            value,
            expires_at,
        })
    };
    let Some(Operation::Batch(batch)) = read.get(8) else {
        panic!("{read:?}");
    };
    let batched: Vec<_> = batch.clone().map(Result::unwrap).collect();
    assert_eq!(batched, [set(b"in", b"", 0), Operation::Delete(b"out")]);
    let keys = Keys {
        prefix: b"pre",
        with_values: true,
        limit: 10,
        limit_bytes: 1000,
        cursor: None,
    };
    let get = |key, is_versioned| Operation::Get { key, is_versioned };
    let expected = [
        Operation::Bucket(b"bucket"),
        set(b"k", b"value", 0),
        set(b"k", b"v", 1_000_000_000_000),
        get(b"", false),
        get(b"key", true),
        Operation::Size(b"key"),
        Operation::Delete(b"key"),
        Operation::Range {
            key: b"key",
            offset: 5_000_000_000,
            length: 0,
        },
        Operation::Batch(batch.clone()),
        Operation::PutIf {
            key: b"k",
            expected: Some((9.0, 3)),
            new: Some(b"new"),
        },
        Operation::PutIf {
            key: b"k",
            expected: None,
            new: None,
        },
        Operation::Keys(keys),
        Operation::Keys(Keys {
            with_values: false,
            cursor: Some(b"cursor"),
            ..keys
        }),
        Operation::Count,
        Operation::Clear,
        Operation::History {
            key: b"k",
            limit: 4,
        },
        Operation::Version {
            key: b"k",
            tail: 640,
            is_versioned: true,
        },
        Operation::Locate(b"k"),
    ];
    assert_eq!(read, expected);

    // Cut anywhere but between two operations it is none.
    let whole: Vec<usize> = (0..bytes.len())
        .filter(|&end| operations(&bytes[..end]).is_some())
        .collect();
    assert_eq!(whole.len(), expected.len(), "{whole:?}");
}

#[test]
fn what_is_no_request_is_refused() {
    let request = |code, flags, key: &[u8], value: &[u8]| {
        let mut bytes = Vec::new();
        wire::operation(&mut bytes, 0, 0, b"b", b"");
        wire::operation(&mut bytes, code, flags, key, value);
        bytes
    };
    assert!(operations(&request(2, 0, b"k", b"")).is_some());
    for (code, flags, value) in [
        (14, 0, &b""[..]),
        (255, 0, b""),
        (2, 2, b""),
        (3, 1, b""),
        (1, 1, b"short"),
        (5, 0, b"12345678"),
        (7, 4, &[0; 16]),
        (7, 0, b"short"),
        (8, 0, b"12345678"),
        (11, 0, b""),
        (12, 0, b"1234"),
    ] {
        assert_eq!(operations(&request(code, flags, b"k", value)), None);
    }
    let mut without_bucket = Vec::new();
    wire::operation(&mut without_bucket, 2, 0, b"k", b"");
    assert_eq!(operations(&without_bucket), None);
    let mut batch = request(9, 0, b"", b"");
    wire::batch(&mut batch, 2);
    wire::operation(&mut batch, 1, 0, b"k", b"v");
    assert_eq!(operations(&batch), None, "an operation too few");
    wire::operation(&mut batch, 2, 0, b"k", b"");
    assert_eq!(operations(&batch), None, "a get in a batch");
    let mut nested = request(9, 0, b"", b"");
    for _ in 0..100_000 {
        wire::batch(&mut nested, 1);
    }
    assert_eq!(operations(&nested), None);
}
