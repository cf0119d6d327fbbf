//! What lies behind the value of an entry that was written through a bucket: its own key, and when it expires.
//!
//! The entry's key hash certifies it: bytes that only look like it do not hash to that.

use super::checksum::compute_hash;
use xxhash_rust::const_xxh3::xxh3_64;

/// Ends every payload that carries its key.
const MAGIC: [u8; 8] = xxh3_64(b"tailstone/bucket/1").to_le_bytes();
const VERSION: u8 = 1;
/// Bytes behind the full key: expiry (8), length of the full key (4), version (1), zeros (3), magic (8).
const FIXED: usize = 24;
/// The longest name of a bucket, and the longest key in one, in bytes.
pub const MAX_KEY_BYTES: usize = 1 << 16;
/// Names have lengths of 16 bits.
pub const MAX_BUCKET_NAME_BYTES: usize = (1 << 16) - 1;
/// The longest full key in bytes.
const MAX_FULL_KEY_BYTES: usize = 2 + MAX_BUCKET_NAME_BYTES + MAX_KEY_BYTES;

/// A payload that carries its key, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyed<'p> {
    /// The value alone; it starts where the payload does.
    pub value: &'p [u8],
    /// The length of the bucket's name (2 bytes, little-endian), the name and the key.
    pub full_key: &'p [u8],
    /// Milliseconds since the Unix epoch; 0 is never.
    pub expires_at: u64,
}

impl<'p> Keyed<'p> {
    /// The parts of `payload` if it is the one of an entry with this key hash that carries its key.
    #[must_use]
    pub fn parse(payload: &'p [u8], key_hash: u64) -> Option<Self> {
        let parts = Self::split(payload)?;
        (hash_of_full_key(parts.full_key) == Some(key_hash)).then_some(parts)
    }

    /// The same for an entry that was found by the hash of `full_key`, if that is its key: it needs not be hashed again.
    #[must_use]
    pub fn parse_as(payload: &'p [u8], full_key: &[u8]) -> Option<Self> {
        Self::split(payload).filter(|parts| parts.full_key == full_key)
    }

    /// The parts, certified by nothing yet.
    fn split(payload: &'p [u8]) -> Option<Self> {
        let end = KeyEnd::parse(payload)?;
        let rest = payload.get(..payload.len().checked_sub(KeyEnd::BYTES)?)?;
        let (value, full_key) = rest.split_at_checked(rest.len().checked_sub(end.key_len)?)?;
        Some(Self {
            value,
            full_key,
            expires_at: end.expires_at,
        })
    }

    /// Whether it reads as absent at this time, in milliseconds since the Unix epoch.
    #[must_use]
    pub const fn has_expired(&self, now: u64) -> bool {
        self.expires_at != 0 && self.expires_at <= now
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &'p [u8] {
        split_full_key(self.full_key).0
    }

    /// The key within the bucket.
    #[must_use]
    pub fn key(&self) -> &'p [u8] {
        split_full_key(self.full_key).1
    }
}

/// What the last bytes of a payload say, if they look like those of one that carries its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEnd {
    /// The length of the full key, which lies before these bytes.
    pub key_len: usize,
    /// Milliseconds since the Unix epoch; 0 is never.
    pub expires_at: u64,
}

impl KeyEnd {
    /// How many bytes these are: what lies behind the full key.
    pub const BYTES: usize = FIXED;

    /// Reads the end of a payload. Nothing certifies it before the full key was hashed.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (rest, magic) = payload.split_last_chunk::<8>()?;
        let (rest, [version, zeros @ ..]) = rest.split_last_chunk::<4>()?;
        let (rest, key_len) = rest.split_last_chunk::<4>()?;
        let (_, expires_at) = rest.split_last_chunk::<8>()?;
        let key_len = usize::try_from(u32::from_le_bytes(*key_len)).ok()?;
        let fits = *magic == MAGIC && *version == VERSION && *zeros == [0; 3];
        (fits && key_len <= MAX_FULL_KEY_BYTES).then_some(Self {
            key_len,
            expires_at: u64::from_le_bytes(*expires_at),
        })
    }
}

/// The key hash of an entry with this full key; `None` if the name would be longer than what there is.
#[must_use]
pub fn hash_of_full_key(full_key: &[u8]) -> Option<u64> {
    let (name_len, name_and_key) = full_key.split_first_chunk::<2>()?;
    let fits = usize::from(u16::from_le_bytes(*name_len)) <= name_and_key.len();
    fits.then(|| compute_hash(full_key))
}

/// The bucket's name and the key in it.
#[must_use]
pub fn split_full_key(full_key: &[u8]) -> (&[u8], &[u8]) {
    let parts = full_key
        .split_first_chunk::<2>()
        .and_then(|(len, rest)| rest.split_at_checked(u16::from_le_bytes(*len).into()));
    parts.unwrap_or_default()
}

/// The full key of `key` in the bucket `name`, whose hash is the entry's; the lengths are within their limits.
#[must_use]
pub fn full_key(name: &[u8], key: &[u8]) -> Vec<u8> {
    [&length_of_name(name), name, key].concat()
}

/// What comes first in a full key.
#[must_use]
pub fn length_of_name(name: &[u8]) -> [u8; 2] {
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    length.to_le_bytes()
}

/// What goes behind the value under this full key.
#[must_use]
pub fn behind_value(full_key: &[u8], expires_at: u64) -> Vec<u8> {
    let key_len = u32::try_from(full_key.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(full_key.len() + FIXED);
    bytes.extend_from_slice(full_key);
    bytes.extend_from_slice(&expires_at.to_le_bytes());
    bytes.extend_from_slice(&key_len.to_le_bytes());
    bytes.extend_from_slice(&[VERSION, 0, 0, 0]);
    bytes.extend_from_slice(&MAGIC);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (name, key, value) in [
            (&b"users"[..], &b"ada"[..], &b"1815"[..]),
            (b"", b"", b""),
            (b"users", b"", &[0]),
            (&[7; 300], &vec![9; MAX_KEY_BYTES], &[5; 1000]),
        ] {
            let full = full_key(name, key);
            let hash = compute_hash(&full);
            let payload = [value, &behind_value(&full, 77)].concat();
            let keyed = Keyed::parse(&payload, hash).unwrap();
            assert_eq!((keyed.bucket(), keyed.key()), (name, key));
            assert_eq!((keyed.value, keyed.expires_at), (value, 77));
            assert_eq!(payload.len(), value.len() + full.len() + FIXED);
            assert_eq!(Keyed::parse_as(&payload, &full), Some(keyed));
            assert!(Keyed::parse(&payload, hash ^ 1).is_none());
            assert!(Keyed::parse_as(&payload, &full_key(name, b"other")).is_none());
        }
    }

    #[test]
    fn names_and_keys_do_not_run_into_each_other() {
        assert_ne!(full_key(b"a", b"bc"), full_key(b"ab", b"c"));
        assert_ne!(full_key(b"", b"abc"), full_key(b"abc", b""));
    }

    #[test]
    fn anything_else_is_none() {
        let full = full_key(b"b", b"k");
        let hash = compute_hash(&full);
        let payload = [&b"v"[..], &behind_value(&full, 0)].concat();
        for len in 0..payload.len() {
            assert!(Keyed::parse(&payload[..len], hash).is_none(), "{len}");
            assert!(Keyed::parse(&payload[payload.len() - len..], hash).is_none() || len > 27);
        }
        // All but the value and the expiry is checked.
        let free = |at: usize| at == 0 || (5..13).contains(&at);
        for at in 0..payload.len() {
            let mut payload = payload.clone();
            payload[at] ^= 1;
            assert_eq!(Keyed::parse(&payload, hash).is_some(), free(at), "{at}");
        }
        // A name that is longer than what there is.
        let long = [&9_u16.to_le_bytes()[..], b"short"].concat();
        let payload = behind_value(&long, 0);
        assert!(Keyed::parse(&payload, compute_hash(&long)).is_none());
    }
}
