//! The keys of every bucket, and how they are written down.
//!
//! Invariant: a bucket is there as long as it has a key.

use super::key_set::KeySet;
use super::ordered::Ordered;
use super::record::{push_number, push_record, shared_len, take_number, take_record};
use crate::format::{MAX_BUCKET_NAME_BYTES, MAX_KEY_BYTES};
use std::ops::Bound;

/// Bucket name → its keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyDirectory {
    buckets: Ordered<KeySet>,
}

impl KeyDirectory {
    /// The keys of a bucket, if it has any.
    pub(crate) fn bucket(&self, name: &[u8]) -> Option<&KeySet> {
        self.buckets.get(name)
    }

    /// The names of buckets in their order, with their keys.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (&[u8], &KeySet)> {
        self.buckets.iter()
    }

    pub(crate) fn put(&mut self, (name, key): (&[u8], &[u8]), expires_at: u64) {
        if let Some(keys) = self.buckets.get_mut(name) {
            keys.put(key, expires_at);
        } else {
            let mut keys = KeySet::default();
            keys.put(key, expires_at);
            self.buckets.insert(name.into(), keys);
        }
    }

    pub(crate) fn remove(&mut self, (name, key): (&[u8], &[u8])) {
        if let Some(keys) = self.buckets.get_mut(name) {
            keys.remove(key);
            if keys.len() == 0 {
                self.buckets.remove(name);
            }
        }
    }

    /// Takes every key out that has expired.
    pub(crate) fn remove_expired(&mut self, now: u64) {
        let mut emptied: Vec<Box<[u8]>> = Vec::new();
        self.buckets.for_each_mut(|name, keys| {
            keys.remove_expired(now);
            if keys.len() == 0 {
                emptied.push(name.into());
            }
        });
        for name in &emptied {
            self.buckets.remove(name);
        }
    }
}

impl KeyDirectory {
    /// Memory in bytes, an allocator's own overhead aside.
    pub(crate) fn memory_bytes(&self) -> usize {
        let of = |(name, keys): (&[u8], &KeySet)| name.len() + 64 + keys.memory_bytes();
        self.buckets().map(of).sum()
    }

    /// All of it as bytes: for each bucket its name and its keys, in their order, each without what it begins with like
    /// the one before it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        push_number(&mut bytes, self.buckets.len());
        for (name, keys) in self.buckets.iter() {
            push_number(&mut bytes, name.len());
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(&keys.len().to_le_bytes());
            let mut before: Vec<u8> = Vec::new();
            keys.visit(Bound::Unbounded, |key, expires_at| {
                let shared = shared_len(&before, key);
                let own = key.get(shared..).unwrap_or_default();
                push_record(&mut bytes, shared, own, expires_at);
                before.clear();
                before.extend_from_slice(key);
                true
            });
        }
        bytes
    }

    /// What [`to_bytes`](Self::to_bytes) wrote; `None` for anything else, and for keys of more than `max_key_bytes` together: each lies
    /// in the file in full, and bytes that somebody chose may stand for many more than that.
    pub(crate) fn from_bytes(mut bytes: &[u8], max_key_bytes: u64) -> Option<Self> {
        let mut left = max_key_bytes;
        let rest = &mut bytes;
        let mut all = Self::default();
        let mut name_before: Option<&[u8]> = None;
        for _ in 0..take_number(rest)? {
            let name_len = take_number(rest)?;
            let (name, behind) = rest.split_at_checked(name_len)?;
            let (len, behind) = behind.split_first_chunk()?;
            *rest = behind;
            let len = u64::from_le_bytes(*len);
            let ascends = name_before.is_none_or(|before| before < name);
            if !ascends || name.len() > MAX_BUCKET_NAME_BYTES || len == 0 {
                return None;
            }
            name_before = Some(name);
            let mut keys = KeySet::default();
            let (mut key, mut before) = (Vec::new(), Vec::new());
            for nth in 0..len {
                let expires_at = take_record(rest, &mut key)?;
                let ascends = nth == 0 || before < key;
                if !ascends || key.len() > MAX_KEY_BYTES {
                    return None;
                }
                left = left.checked_sub(u64::try_from(key.len()).ok()?)?;
                keys.push(&before, &key, expires_at);
                before.clone_from(&key);
            }
            all.buckets.insert(name.into(), keys);
        }
        rest.is_empty().then_some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backing::device::seeded::Seeded;

    type Listed = Vec<(Vec<u8>, Vec<(Vec<u8>, u64)>)>;

    fn listed(all: &KeyDirectory) -> Listed {
        let keys = |keys: &KeySet| {
            let mut listed = Vec::new();
            keys.visit(Bound::Unbounded, |key, expires_at| {
                listed.push((key.to_vec(), expires_at));
                true
            });
            listed
        };
        all.buckets()
            .map(|(name, set)| (name.to_vec(), keys(set)))
            .collect()
    }

    fn sample() -> KeyDirectory {
        let mut all = KeyDirectory::default();
        for n in 0..700_u64 {
            let key = format!("key {}", n * 37 % 700).into_bytes();
            let name = [&b""[..], b"users", b"sessions"][usize::try_from(n % 3).unwrap()];
            all.put((name, &key), n % 5 * 1000);
        }
        all.put((b"users", b""), 7);
        all.put((b"long", &[3; 700]), 0);
        all
    }

    #[test]
    fn what_was_written_down_is_read() {
        let mut all = sample();
        all.put((b"long", &vec![4; MAX_KEY_BYTES]), 0);
        let again = KeyDirectory::from_bytes(&all.to_bytes(), 1 << 20).unwrap();
        assert_eq!(listed(&again), listed(&all));
        assert_eq!(
            again.bucket(b"users").unwrap().live(3000),
            all.bucket(b"users").unwrap().live(3000)
        );
        let none = KeyDirectory::default();
        assert!(listed(&KeyDirectory::from_bytes(&none.to_bytes(), 0).unwrap()).is_empty());
        assert!(all.memory_bytes() > none.memory_bytes());
    }

    #[test]
    fn other_bytes_are_refused_or_in_order() {
        let bytes = sample().to_bytes();
        for len in (0..bytes.len()).step_by(if cfg!(miri) { 997 } else { 3 }) {
            assert!(
                KeyDirectory::from_bytes(&bytes[..len], 1 << 20).is_none(),
                "{len}"
            );
        }
        assert!(KeyDirectory::from_bytes(&[&bytes[..], &[0]].concat(), 1 << 20).is_none());
        let mut random = Seeded::new(9);
        let (mut refused, rounds) = (0, if cfg!(miri) { 20 } else { 1000 });
        for _ in 0..rounds {
            let mut bytes = bytes.clone();
            let len = bytes.len();
            bytes[random.len_below(len)] = random.bytes(1)[0];
            let Some(read) = KeyDirectory::from_bytes(&bytes, 1 << 20) else {
                refused += 1;
                continue;
            };
            for (_, keys) in listed(&read) {
                assert!(keys.is_sorted_by(|(a, _), (b, _)| a < b));
            }
        }
        assert!(refused > rounds / 4, "{refused}");
        assert!(KeyDirectory::from_bytes(&bytes, 4000).is_none());
        for bytes in [&[0xff; 64][..], &[1, 0, 9, 0, 0, 0, 0, 0, 0, 0], &[]] {
            assert!(KeyDirectory::from_bytes(bytes, 1 << 20).is_none());
        }
    }
}
