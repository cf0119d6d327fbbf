//! Up to 128 keys in their order, in one run of bytes: each says how much it shares with the one before it.
//!
//! Invariant: keys ascend strictly, the first one shares nothing, and every other one all that it can.

use super::record::{Record, push_record, shared_len, take_record};

/// Keys of one leaf.
pub(super) const MAX_KEYS: u32 = 128;
/// Bytes of one leaf, unless a single key has more.
pub(super) const MAX_BYTES: usize = 8 << 10;
/// What a leaf's memory grows by: doubling would waste more than it saves.
const STEP: usize = 64;

/// Some neighbouring keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Leaf {
    bytes: Vec<u8>,
    len: u32,
    /// No key expires before this time.
    earliest: u64,
}

/// What putting a key into a leaf did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It was there, with this expiry.
    Replaced(u64),
    /// It was not, and is now the last one or not.
    Added { at_end: bool },
}

/// Where a key is or would be, without any key made whole on the way.
struct Place<'l> {
    at: usize,
    /// What the key shares with the one before that place.
    shared: usize,
    /// The record that is there.
    record: Option<Record<'l>>,
    /// What the key shares with that one.
    alike: usize,
    is_found: bool,
    /// Where the record ends.
    end: usize,
}

impl Leaf {
    pub(super) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            len: 0,
            earliest: u64::MAX,
        }
    }

    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    pub(super) const fn is_full(&self) -> bool {
        self.len >= MAX_KEYS || self.bytes.len() >= MAX_BYTES
    }

    pub(super) const fn is_over_full(&self) -> bool {
        self.len > 1 && (self.len > MAX_KEYS || self.bytes.len() > MAX_BYTES)
    }

    /// Whether this one and `other` would leave much room in one leaf.
    pub(super) fn fits_with(&self, other: &Self) -> bool {
        self.len + other.len <= MAX_KEYS / 2
            && self.bytes.len() + other.bytes.len() <= MAX_BYTES / 2
    }

    /// Whether none of its keys has expired.
    pub(super) const fn is_fresh(&self, now: u64) -> bool {
        now < self.earliest
    }

    pub(super) const fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Hands keys and their expiries out in order for as long as `visit` says so; tells whether it got through.
    pub(super) fn visit(&self, mut visit: impl FnMut(&[u8], u64) -> bool) -> bool {
        let (mut rest, mut key) = (&self.bytes[..], Vec::new());
        while let Some(expires_at) = take_record(&mut rest, &mut key) {
            if !visit(&key, expires_at) {
                return false;
            }
        }
        true
    }

    pub(super) fn put(&mut self, key: &[u8], expires_at: u64) -> Put {
        if expires_at != 0 {
            self.earliest = self.earliest.min(expires_at);
        }
        let place = self.find(key);
        let own = key.get(place.shared..).unwrap_or_default();
        let mut patch = Vec::with_capacity(own.len() + 32);
        push_record(&mut patch, place.shared, own, expires_at);
        let put = match &place.record {
            Some(record) if place.is_found => Put::Replaced(record.expires_at),
            Some(next) => {
                let own = next.own.get(place.alike - next.shared..);
                push_record(
                    &mut patch,
                    place.alike,
                    own.unwrap_or_default(),
                    next.expires_at,
                );
                Put::Added { at_end: false }
            }
            None => Put::Added { at_end: true },
        };
        let (at, end) = (place.at, place.end);
        if matches!(put, Put::Added { .. }) {
            self.len += 1;
        }
        self.patch(at, end, patch);
        put
    }

    /// Appends a key that is above all others, the last of which is `before`.
    pub(super) fn push(&mut self, before: &[u8], key: &[u8], expires_at: u64) {
        if expires_at != 0 {
            self.earliest = self.earliest.min(expires_at);
        }
        let shared = if self.len == 0 {
            0
        } else {
            shared_len(before, key)
        };
        self.make_room(key.len() - shared + 18);
        let own = key.get(shared..).unwrap_or_default();
        push_record(&mut self.bytes, shared, own, expires_at);
        self.len += 1;
    }

    /// Takes a key out and returns its expiry.
    pub(super) fn remove(&mut self, key: &[u8]) -> Option<u64> {
        let place = self.find(key);
        let record = place.record.filter(|_| place.is_found)?;
        let (at, mut end, expires_at) = (place.at, place.end, record.expires_at);
        let mut patch = Vec::new();
        let mut rest = self.bytes.get(end..).unwrap_or_default();
        if let Some(next) = Record::take(&mut rest) {
            // What it shared with the key that goes, and that one not with the one before, becomes its own.
            let more = next.shared.saturating_sub(record.shared);
            let own = [record.own.get(..more).unwrap_or_default(), next.own].concat();
            push_record(&mut patch, next.shared - more, &own, next.expires_at);
            end = self.bytes.len() - rest.len();
        }
        self.len -= 1;
        self.patch(at, end, patch);
        Some(expires_at)
    }

    /// Takes the upper half off, or the last key alone; with the shortest bytes that are above what stays and not above
    /// what goes.
    pub(super) fn split(&mut self, last_alone: bool) -> (Vec<u8>, Self) {
        let half = self.bytes.len() / 2;
        let (mut rest, mut key) = (&self.bytes[..], Vec::new());
        let (mut before, mut at, mut nth) = (Vec::new(), 0, 0);
        let mut upper = Self::new();
        while let Some(expires_at) = take_record(&mut rest, &mut key) {
            let is_there = if last_alone {
                nth + 1 == self.len
            } else {
                nth > 0 && (at >= half || nth + 1 == self.len)
            };
            if is_there {
                push_record(&mut upper.bytes, 0, &key, expires_at);
                break;
            }
            nth += 1;
            at = self.bytes.len() - rest.len();
            before.clone_from(&key);
        }
        let separator = shared_len(&before, &key).saturating_add(1).min(key.len());
        upper.bytes.extend_from_slice(rest);
        upper.bytes.shrink_to_fit();
        upper.len = self.len - nth;
        self.len = nth;
        self.bytes.truncate(at);
        self.bytes.shrink_to_fit();
        upper.earliest = self.earliest;
        upper.find_earliest();
        self.find_earliest();
        key.truncate(separator);
        (key, upper)
    }

    /// Takes the keys of `upper` in, which all are above these.
    pub(super) fn append(&mut self, upper: &Self) {
        let mut last = Vec::new();
        self.visit(|key, _| {
            last.clear();
            last.extend_from_slice(key);
            true
        });
        let (mut rest, mut key) = (&upper.bytes[..], Vec::new());
        if let Some(expires_at) = take_record(&mut rest, &mut key) {
            let shared = shared_len(&last, &key);
            let own = key.get(shared..).unwrap_or_default();
            push_record(&mut self.bytes, shared, own, expires_at);
            self.bytes.extend_from_slice(rest);
        }
        self.bytes.shrink_to_fit();
        self.len += upper.len;
        self.earliest = self.earliest.min(upper.earliest);
    }

    /// Goes by how much of `sought` the keys so far, which are below it, begin with: one that shares more with its predecessor is
    /// below as well, and one that shares less is above.
    fn find(&self, sought: &[u8]) -> Place<'_> {
        let mut rest = &self.bytes[..];
        let (mut shared, mut at) = (0, 0);
        while let Some(record) = Record::take(&mut rest) {
            let end = self.bytes.len() - rest.len();
            let mut alike = record.shared.min(shared);
            let mut is_below = record.shared > shared;
            let mut is_found = false;
            if record.shared == shared {
                let sought = sought.get(shared..).unwrap_or_default();
                alike += shared_len(record.own, sought);
                is_found = record.own == sought;
                is_below = record.own < sought;
            }
            if !is_below {
                return Place {
                    at,
                    shared,
                    record: Some(record),
                    alike,
                    is_found,
                    end,
                };
            }
            shared = alike;
            at = end;
        }
        Place {
            at,
            shared,
            record: None,
            alike: 0,
            is_found: false,
            end: at,
        }
    }

    fn patch(&mut self, at: usize, end: usize, patch: Vec<u8>) {
        self.make_room(patch.len().saturating_sub(end - at));
        self.bytes.splice(at..end, patch);
    }

    fn make_room(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let wanted = needed.next_multiple_of(STEP);
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
    }

    fn find_earliest(&mut self) {
        if self.earliest == u64::MAX {
            return;
        }
        let mut earliest = u64::MAX;
        self.visit(|_, expires_at| {
            if expires_at != 0 {
                earliest = earliest.min(expires_at);
            }
            true
        });
        self.earliest = earliest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(leaf: &Leaf) -> Vec<(Vec<u8>, u64)> {
        let mut keys = Vec::new();
        leaf.visit(|key, expires_at| {
            keys.push((key.to_vec(), expires_at));
            true
        });
        assert_eq!(keys.len(), leaf.len() as usize);
        keys
    }

    #[test]
    fn shared_beginnings_are_kept_once() {
        let mut leaf = Leaf::new();
        for key in ["user:3", "user:1", "", "user", "user:2"] {
            leaf.put(key.as_bytes(), 0);
        }
        // Two bytes each, and: nothing, "user", ":1", "2", "3".
        assert_eq!(leaf.bytes.len(), 5 * 2 + 4 + 2 + 1 + 1);
        leaf.remove(b"user:2");
        leaf.remove(b"user");
        assert_eq!(leaf.bytes.len(), 3 * 2 + 6 + 1);
        let expected = ["", "user:1", "user:3"].map(|key| (key.as_bytes().to_vec(), 0));
        assert_eq!(keys(&leaf), expected);
    }

    #[test]
    fn a_leaf_is_split_and_put_together() {
        let mut leaf = Leaf::new();
        let all: Vec<_> = (0..40_u64)
            .map(|n| (format!("key {:03}", n * 7).into_bytes(), n % 3))
            .collect();
        for (key, expires_at) in all.iter().rev() {
            leaf.put(key, *expires_at);
        }
        for last_alone in [false, true] {
            let mut lower = leaf.clone();
            let (separator, upper) = lower.split(last_alone);
            assert_eq!([keys(&lower), keys(&upper)].concat(), all);
            assert!(lower.len() > 0 && (upper.len() == 1) == last_alone);
            let (last, first) = (
                &keys(&lower)[lower.len() as usize - 1].0,
                &keys(&upper)[0].0,
            );
            assert!(*last < separator && separator <= *first);
            assert!(!lower.is_fresh(1) && lower.is_fresh(0));
            // The last key of all never expires.
            assert_eq!(upper.is_fresh(1), last_alone);
            lower.append(&upper);
            assert_eq!(lower.bytes, leaf.bytes);
        }
    }
}
