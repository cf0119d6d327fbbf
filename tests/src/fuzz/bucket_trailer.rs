//! What lies behind a bucket's value: taken apart only if all of it fits, and then into what it was made of.

use super::open::opened;
use super::source::Source;
use super::watched::Watched;
use tailstone::format::{Keyed, behind_value, compute_hash};
use tailstone::{DataStoreReader, DataStoreWriter, Options};

/// Takes the bytes as they are, with the end that a trailer has, and under the hash that certifies them.
pub fn bucket_trailer(data: &[u8]) {
    let mut source = Source::new(data);
    let hash = source.number();
    let payload = source.rest();
    check(payload, hash);

    let mut source = Source::new(payload);
    let (expires_at, key_len) = (source.number(), source.below(1 << 16));
    let rest = source.rest();
    check_certified(rest);
    let mut payload = rest.to_vec();
    payload.extend(expires_at.to_le_bytes());
    payload.extend(u32::try_from(key_len).unwrap().to_le_bytes());
    let end = behind_value(&[], 0);
    payload.extend(&end[12..]);
    let full_key = &rest[rest.len().saturating_sub(key_len)..];
    check(&payload, compute_hash(full_key));

    // As an entry: through the bucket it is there or not, and nothing else comes of it.
    let hash = compute_hash(full_key);
    let device = Watched::default();
    let store = device.open(&Options::new()).unwrap();
    if store.write_with_key_hash(hash, &payload).is_err() {
        return;
    }
    let parsed = Keyed::parse(&payload, hash);
    if let Some(keyed) = parsed {
        let bucket = store.bucket(keyed.bucket()).unwrap();
        if let Ok(Some(value)) = bucket.get(keyed.key()) {
            assert_eq!(value.as_slice(), keyed.value);
        }
        let _ = bucket.increment(keyed.key(), 1);
    }
    assert!(store.read_with_key_hash(hash).is_ok());
    store.close().unwrap();
    assert!(opened(&device.bytes()).is_some());
}

fn check(payload: &[u8], hash: u64) {
    let Some(keyed) = Keyed::parse(payload, hash) else {
        return;
    };
    assert_eq!(compute_hash(keyed.full_key), hash);
    let again = [keyed.value, &behind_value(keyed.full_key, keyed.expires_at)].concat();
    assert!(again == payload, "taken apart into other parts");
    assert_eq!(
        keyed.bucket().len() + keyed.key().len() + 2,
        keyed.full_key.len()
    );
    assert!(!keyed.has_expired(0));
    assert!(Keyed::parse(payload, hash ^ 1).is_none());
}

/// The same under the hash that the bytes themselves ask for.
fn check_certified(payload: &[u8]) {
    let Some(fixed) = payload.len().checked_sub(24) else {
        return;
    };
    let key_len = u32::from_le_bytes(payload[fixed + 8..fixed + 12].try_into().unwrap());
    if let Some(start) = fixed.checked_sub(key_len as usize) {
        check(payload, compute_hash(&payload[start..fixed]));
    }
}
