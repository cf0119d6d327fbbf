//! The records: 24-byte keys and 150-byte values that say which record they belong to.

/// Bytes of a value.
pub const VALUE_BYTES: usize = 150;

const FILLER: [u8; VALUE_BYTES] = *b"A value of a hundred and fifty bytes, of which the first eight say which record it belongs to, and the others are always these words, so that one can\n";

/// The key of a record, 24 bytes.
pub fn key(record: u64) -> [u8; 24] {
    let mut key = *b"key-00000000000000000000";
    let mut rest = record;
    for digit in key.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    key
}

/// The keys of all records.
pub fn keys(records: u64) -> Vec<[u8; 24]> {
    (0..records).map(key).collect()
}

/// The value of a record.
pub fn value(record: u64) -> [u8; VALUE_BYTES] {
    let mut value = FILLER;
    if let Some(start) = value.first_chunk_mut() {
        *start = record.to_le_bytes();
    }
    value
}

/// Whether `bytes` are the value of `record`, all of them.
pub fn is_value(record: u64, bytes: &[u8]) -> bool {
    bytes
        .split_first_chunk()
        .is_some_and(|(start, rest)| *start == record.to_le_bytes() && rest == &FILLER[8..])
}

/// Puts a list into an order that depends on `seed` alone.
pub fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut state = seed;
    for at in (1..list.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from((state >> 33) % (at as u64 + 1)).unwrap_or(0);
        list.swap(at, other);
    }
}

/// The records in an order that follows nothing.
pub fn shuffled(records: u64, seed: u64) -> Vec<u64> {
    let mut order: Vec<u64> = (0..records).collect();
    shuffle(&mut order, seed);
    order
}
