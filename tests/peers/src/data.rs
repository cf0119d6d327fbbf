//! The records: 24-byte keys, and values that say which record they belong to. Every value read is compared, all of it.

/// Bytes of a key.
pub const KEY_BYTES: usize = 24;

/// Bytes of a value where a workload says nothing else.
pub const VALUE_BYTES: usize = 150;

/// A key.
pub type Key = [u8; KEY_BYTES];

const WORDS: &[u8] = b"A value, of which the first eight bytes say which record it belongs to, and the others are always these words, so that one can\n";

/// Values of one length.
#[derive(Debug, Clone)]
pub struct Values {
    /// The value of a record, but for the record's number.
    template: Vec<u8>,
}

impl Values {
    /// Values of `len` bytes, eight at least.
    pub fn new(len: usize) -> Self {
        let template = WORDS.iter().copied().cycle().take(len.max(8)).collect();
        Self { template }
    }

    /// The value of a record: that of the last one asked for, with another number.
    pub fn of(&mut self, record: u64) -> &[u8] {
        if let Some(start) = self.template.first_chunk_mut() {
            *start = mark(record);
        }
        &self.template
    }

    /// Whether `bytes` are the value of `record`.
    #[inline]
    pub fn is(&self, record: u64, bytes: &[u8]) -> bool {
        match (bytes.split_first_chunk(), self.template.get(8..)) {
            (Some((start, rest)), Some(words)) => *start == mark(record) && rest == words,
            _ => false,
        }
    }

    /// Which record a value belongs to, if it is one.
    pub fn record_of(&self, bytes: &[u8]) -> Option<u64> {
        let record = !u64::from_le_bytes(*bytes.first_chunk()?);
        self.is(record, bytes).then_some(record)
    }
}

/// Never zeros alone: some stores have no room for such a value.
const fn mark(record: u64) -> [u8; 8] {
    (!record).to_le_bytes()
}

/// The key of a record.
pub fn key(record: u64) -> Key {
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

/// A key that no record has. It lies between those of records, for a store that keeps them in order would tell keys beyond the last one
/// at a glance.
pub fn absent_key(record: u64) -> Key {
    let mut absent = key(record);
    if let Some(digit) = absent.last_mut() {
        *digit += b'a' - b'0';
    }
    absent
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

/// Records and their keys in one order, made before the clock starts.
#[derive(Debug, Clone)]
pub struct Order {
    /// The records.
    pub records: Vec<u64>,
    /// Their keys.
    pub keys: Vec<Key>,
}

impl Order {
    /// The records from `first` on, as they were written.
    pub fn ascending(first: u64, count: u64) -> Self {
        Self::of((first..first + count).collect())
    }

    /// The first `count` records in an order that follows nothing.
    pub fn shuffled(count: u64, seed: u64) -> Self {
        let mut records: Vec<u64> = (0..count).collect();
        shuffle(&mut records, seed);
        Self::of(records)
    }

    /// As many keys that no record has, in an order that follows nothing.
    pub fn absent(count: u64, seed: u64) -> Self {
        let Self { records, .. } = Self::shuffled(count, seed);
        let keys = records.iter().copied().map(absent_key).collect();
        Self { records, keys }
    }

    /// These records.
    pub fn of(records: Vec<u64>) -> Self {
        let keys = records.iter().copied().map(key).collect();
        Self { records, keys }
    }

    /// Only the first `count` of them.
    pub fn truncated(mut self, count: u64) -> Self {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.records.truncate(count);
        self.keys.truncate(count);
        self
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.records.len() as u64
    }

    /// Records with their keys.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Key)> + Clone {
        self.records.iter().copied().zip(&self.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_that_of_its_record_and_no_other() {
        for len in [8, 150, 4096] {
            let mut values = Values::new(len);
            let mut value = values.of(7).to_vec();
            assert_eq!(value.len(), len);
            assert!(values.is(7, &value) && !values.is(8, &value));
            assert_eq!(values.record_of(&value), Some(7));
            assert!(!values.is(7, &value[..len - 1]));
            *value.last_mut().unwrap() ^= 1;
            assert!(!values.is(7, &value));
        }
    }

    #[test]
    fn an_order_holds_each_record_once() {
        let order = Order::shuffled(1000, 7);
        let mut records = order.records.clone();
        assert_ne!(records, Order::ascending(0, 1000).records);
        records.sort_unstable();
        assert_eq!(records, Order::ascending(0, 1000).records);
        assert!(order.iter().all(|(record, found)| *found == key(record)));
        assert_eq!(&key(1_234_567), b"key-00000000000001234567");
    }

    #[test]
    fn absent_keys_lie_between_those_of_records() {
        assert_eq!(&absent_key(1_234_567), b"key-0000000000000123456h");
        let mut all = Order::absent(1000, 7).keys;
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 1000);
        assert!(
            all.iter()
                .all(|absent| (0..1010).all(|record| key(record) != *absent))
        );
        assert!(key(9) < absent_key(0) && absent_key(9) < key(10));
    }
}
