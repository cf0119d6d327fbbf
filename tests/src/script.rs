//! Random operations that this store and the reference can both be asked to do.

use crate::Rng;

/// One operation on a store; keys are small numbers so that they meet again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Store one value.
    Write(Vec<u8>, Vec<u8>),
    /// Store several in one append.
    Batch(Vec<(Vec<u8>, Vec<u8>)>),
    /// Store a value from a reader.
    Stream(Vec<u8>, Vec<u8>),
    /// Delete a key, there or not.
    Delete(Vec<u8>),
    /// Delete several in one append.
    BatchDelete(Vec<Vec<u8>>),
    /// Move a value to another key, if it is there.
    Rename(Vec<u8>, Vec<u8>),
}

/// `count` random operations over a few dozen keys, with values from 1 byte to a few KiB.
#[must_use]
pub fn script(rng: &mut Rng, count: usize) -> Vec<Operation> {
    (0..count).map(|_| operation(rng)).collect()
}

fn operation(rng: &mut Rng) -> Operation {
    match rng.below(10) {
        0..=3 => Operation::Write(key(rng), value(rng)),
        4 | 5 => Operation::Batch((0..rng.below(6)).map(|_| (key(rng), value(rng))).collect()),
        6 => Operation::Stream(key(rng), stream_value(rng)),
        7 => Operation::Delete(key(rng)),
        8 => Operation::BatchDelete((0..rng.below(4)).map(|_| key(rng)).collect()),
        _ => {
            let from = key(rng);
            let mut to = key(rng);
            if to == from {
                to.push(b'\'');
            }
            Operation::Rename(from, to)
        }
    }
}

fn key(rng: &mut Rng) -> Vec<u8> {
    format!("key {}", rng.below(24)).into_bytes()
}

/// One byte or more, sometimes zeros or small integers, never the single byte 0.
fn value(rng: &mut Rng) -> Vec<u8> {
    let len = match rng.below(8) {
        0 => 1 + rng.below(3),
        1..=5 => 1 + rng.below(200),
        6 => 64 * (1 + rng.below(4)) - 20,
        _ => 1 + rng.below(3000),
    };
    match rng.below(5) {
        0 if len > 1 => vec![0; len],
        1 => (0..len)
            .map(|at| {
                if at % 8 == 0 {
                    let [random, ..] = rng.next_u64().to_le_bytes();
                    1 + random / 2
                } else {
                    0
                }
            })
            .collect(),
        _ => {
            let mut bytes = rng.bytes(len);
            unlike_zeros(&mut bytes);
            bytes
        }
    }
}

/// The same, but never zeros alone: a stream of zeros is refused.
fn stream_value(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = value(rng);
    unlike_zeros(&mut bytes);
    bytes
}

fn unlike_zeros(bytes: &mut [u8]) {
    if let Some(first) = bytes.first_mut() {
        *first |= 1;
    }
}
