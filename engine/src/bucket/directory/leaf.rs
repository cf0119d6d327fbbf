//! Up to 128 keys in their order, in one run of bytes: each says how much it shares with the one before it.
//!
//! Invariant: keys ascend strictly, the first one shares nothing, and every other one all that it can.
//!
//! A record is a number (twice the length that is shared, plus 1 if the key expires), the length of what is not shared, eight bytes of
//! expiry if there is one, and what is not shared. Numbers have seven bits to a byte, the lowest first.

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

/// Where a key is or would be: the record that starts there, and what comes before it.
struct Place {
    at: usize,
    before: Vec<u8>,
    /// The record's key, its expiry and where it ends.
    record: Option<(Vec<u8>, u64, usize)>,
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
        let shared = shared_len(&place.before, key);
        let mut patch = Vec::with_capacity(key.len() + 16);
        push_record(&mut patch, shared, key, expires_at);
        let (end, put) = match &place.record {
            Some((found, before, end)) if found == key => (*end, Put::Replaced(*before)),
            Some((next, next_expires_at, end)) => {
                push_record(&mut patch, shared_len(key, next), next, *next_expires_at);
                (*end, Put::Added { at_end: false })
            }
            None => (place.at, Put::Added { at_end: true }),
        };
        if matches!(put, Put::Added { .. }) {
            self.len += 1;
        }
        self.patch(place.at, end, patch);
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
        push_record(&mut self.bytes, shared, key, expires_at);
        self.len += 1;
    }

    /// Takes a key out and returns its expiry.
    pub(super) fn remove(&mut self, key: &[u8]) -> Option<u64> {
        let place = self.find(key);
        let (_, expires_at, end) = place.record.filter(|(found, ..)| found == key)?;
        let mut patch = Vec::new();
        let mut rest = self.bytes.get(end..).unwrap_or_default();
        let mut next = key.to_vec();
        if let Some(next_expires_at) = take_record(&mut rest, &mut next) {
            let shared = shared_len(&place.before, &next);
            push_record(&mut patch, shared, &next, next_expires_at);
        }
        let end = self.bytes.len() - rest.len();
        self.len -= 1;
        self.patch(place.at, end, patch);
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
            push_record(&mut self.bytes, shared_len(&last, &key), &key, expires_at);
            self.bytes.extend_from_slice(rest);
        }
        self.bytes.shrink_to_fit();
        self.len += upper.len;
        self.earliest = self.earliest.min(upper.earliest);
    }

    fn find(&self, sought: &[u8]) -> Place {
        let (mut rest, mut key) = (&self.bytes[..], Vec::new());
        let (mut before, mut at) = (Vec::new(), 0);
        while let Some(expires_at) = take_record(&mut rest, &mut key) {
            let end = self.bytes.len() - rest.len();
            if &key[..] >= sought {
                let record = Some((key, expires_at, end));
                return Place { at, before, record };
            }
            before.clone_from(&key);
            at = end;
        }
        Place {
            at,
            before,
            record: None,
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

/// How many bytes two keys begin with alike.
pub(super) fn shared_len(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Appends the record of a key that shares so much with the one before it.
pub(super) fn push_record(bytes: &mut Vec<u8>, shared: usize, key: &[u8], expires_at: u64) {
    let own = key.get(shared..).unwrap_or_default();
    push_number(bytes, shared << 1 | usize::from(expires_at != 0));
    push_number(bytes, own.len());
    if expires_at != 0 {
        bytes.extend_from_slice(&expires_at.to_le_bytes());
    }
    bytes.extend_from_slice(own);
}

/// Takes the next record off `rest`, turns `key` from the one before it into its own, and returns its expiry. `None` at the
/// end, and for bytes that are no record.
pub(super) fn take_record(rest: &mut &[u8], key: &mut Vec<u8>) -> Option<u64> {
    let shared = take_number(rest)?;
    let own_len = take_number(rest)?;
    let mut expires_at = 0;
    if shared & 1 != 0 {
        let (bytes, behind) = rest.split_first_chunk()?;
        expires_at = u64::from_le_bytes(*bytes);
        *rest = behind;
    }
    let (own, behind) = rest.split_at_checked(own_len)?;
    *rest = behind;
    if shared >> 1 > key.len() {
        return None;
    }
    key.truncate(shared >> 1);
    key.extend_from_slice(own);
    Some(expires_at)
}

pub(super) fn push_number(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low & 0x7f);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// A number below 2^28, which is more than any that is written.
pub(super) fn take_number(rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in [0, 7, 14, 21] {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
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

    #[test]
    fn numbers_of_all_lengths() {
        for number in [0, 1, 127, 128, 1 << 14, 131_073 << 1, (1 << 28) - 1] {
            let mut bytes = Vec::new();
            push_number(&mut bytes, number);
            let mut rest = &bytes[..];
            assert_eq!(take_number(&mut rest), Some(number));
            assert!(rest.is_empty() && take_number(&mut &bytes[..bytes.len() - 1]).is_none());
        }
        assert_eq!(take_number(&mut &[0xff; 9][..]), None);
    }
}
